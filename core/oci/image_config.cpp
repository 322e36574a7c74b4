#include "core/oci/image_config.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::oci {
namespace {

using base::Result;

std::vector<std::string> strings_of(const json::Reader& list) {
  std::vector<std::string> texts;
  for (const auto& element : list.elements()) {
    texts.push_back(element.string_or());
  }
  return texts;
}

std::set<std::string> keys_of(const json::Reader& object) {
  std::set<std::string> keys;
  for (const auto& member : object.members()) {
    keys.insert(member.key);
  }
  return keys;
}

std::string object_text(const json::Reader& value) {
  return value.is_object() ? json::to_compact_text(*value.value()) : std::string();
}

ImageSettings settings_of(const json::Reader& config) {
  ImageSettings settings{.user = config.at("User").string_or(),
                         .env = {},
                         .entrypoint = strings_of(config.at("Entrypoint")),
                         .command = strings_of(config.at("Cmd")),
                         .working_directory = config.at("WorkingDir").string_or(),
                         .exposed_ports = keys_of(config.at("ExposedPorts")),
                         .volumes = keys_of(config.at("Volumes")),
                         .labels = {},
                         .stop_signal = config.at("StopSignal").string_or(),
                         .health_check = object_text(config.at("Healthcheck"))};
  for (const auto& variable : strings_of(config.at("Env"))) {
    settings.env.emplace_back(base::split_once(variable, '='));
  }
  for (const auto& [name, value] : config.at("Labels").members()) {
    settings.labels.emplace(name, value.string_or());
  }
  return settings;
}

HistoryEntry history_of(const json::Reader& entry) {
  return {.created = entry.at("created").string_or(),
          .created_by = entry.at("created_by").string_or(),
          .comment = entry.at("comment").string_or(),
          .is_empty_layer = entry.at("empty_layer").boolean_or()};
}

void put_text(json::Value& value, const char* key, const std::string& text) {
  if (!text.empty()) {
    value[key] = text;
  }
}

void put_list(json::Value& value, const char* key, const std::vector<std::string>& texts) {
  if (!texts.empty()) {
    value[key] = texts;
  }
}

// A set, as Go's map of empty structures.
void put_set(json::Value& value, const char* key, const std::set<std::string>& names) {
  for (const auto& name : names) {
    value[key][name] = json::Value::object();
  }
}

json::Value to_json(const ImageSettings& settings) {
  auto value = json::Value::object();
  put_text(value, "User", settings.user);
  put_set(value, "ExposedPorts", settings.exposed_ports);
  for (const auto& [name, text] : settings.env) {
    value["Env"].push_back(name + "=" + text);
  }
  put_list(value, "Entrypoint", settings.entrypoint);
  put_list(value, "Cmd", settings.command);
  put_set(value, "Volumes", settings.volumes);
  put_text(value, "WorkingDir", settings.working_directory);
  for (const auto& [name, text] : settings.labels) {
    value["Labels"][name] = text;
  }
  put_text(value, "StopSignal", settings.stop_signal);
  if (const auto check = json::parse(settings.health_check, "the health check"); check && check->is_object()) {
    value["Healthcheck"] = *check;
  }
  return value;
}

json::Value to_json(const HistoryEntry& entry) {
  auto value = json::Value::object();
  put_text(value, "created", entry.created);
  put_text(value, "created_by", entry.created_by);
  put_text(value, "comment", entry.comment);
  if (entry.is_empty_layer) {
    value["empty_layer"] = true;
  }
  return value;
}

}  // namespace

bool is_config_type(std::string_view type) {
  return type == media_type::image_config || type == media_type::docker_config;
}

Result<ImageConfig> parse_config(std::string_view bytes) {
  const auto value = json::parse(bytes, "the image configuration", {.bytes = longest_config, .depth = 64});
  if (!value) {
    return value.error();
  }
  const json::Reader root(*value);
  ImageConfig config{.platform = {.os = root.at("os").string_or(),
                                  .architecture = root.at("architecture").string_or(),
                                  .variant = root.at("variant").string_or()},
                     .diff_ids = {},
                     .created = root.at("created").string_or(),
                     .settings = settings_of(root.at("config")),
                     .history = {}};
  for (const auto& element : root.at("rootfs", "diff_ids").elements()) {
    auto diff_id = Digest::parse(element.string_or());
    if (!diff_id) {
      return diff_id.error().within("the image configuration's {}", element.path());
    }
    config.diff_ids.push_back(*diff_id);
  }
  for (const auto& entry : root.at("history").elements()) {
    config.history.push_back(history_of(entry));
  }
  return config;
}

std::string config_bytes(const ImageConfig& config) {
  auto diff_ids = json::Value::array();
  for (const auto& diff_id : config.diff_ids) {
    diff_ids.push_back(diff_id.text());
  }
  json::Value value = {{"architecture", config.platform.architecture},
                       {"os", config.platform.os},
                       {"config", to_json(config.settings)},
                       {"rootfs", {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}}}};
  put_text(value, "variant", config.platform.variant);
  put_text(value, "created", config.created);
  for (const auto& entry : config.history) {
    value["history"].push_back(to_json(entry));
  }
  return json::to_canonical_text(value);
}

void complete_history(ImageConfig& config, std::string_view created_by) {
  const auto told = std::ranges::count_if(config.history, [](const auto& entry) { return !entry.is_empty_layer; });
  for (auto i = static_cast<std::size_t>(told); i < config.diff_ids.size(); ++i) {
    config.history.push_back({.created = config.created, .created_by = std::string(created_by), .comment = {}});
  }
}

}  // namespace deployctl::oci
