#include "cli/commands/image/image_commands.hpp"
#include "cli/runtime.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"
#include "core/images/description.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <vector>

namespace deployctl::cli {
namespace {

struct InspectOptions {
  std::string image;
  std::optional<oci::Platform> platform;
};

using Rows = std::vector<std::vector<std::string>>;

std::string platform_text(const oci::Descriptor& manifest) {
  return manifest.platform ? base::printable(to_string(*manifest.platform)) : "-";
}

std::string kind_text(const images::Description& description) {
  if (description.is_index) {
    return "image index";
  }
  const auto& artifact = description.images.front().artifact_type;
  return artifact.empty() ? "image" : "artifact, " + base::printable(artifact);
}

// JSON as one types it: ["/app","serve"]
std::string words_text(const std::vector<std::string>& words) {
  return words.empty() ? "" : base::printable(json::to_compact_text(json::Value(words)));
}

template <typename Set>
std::string listed(const Set& names) {
  std::vector<std::string> words;
  for (const auto& name : names) {
    words.push_back(base::printable(name));
  }
  return base::join(words, ", ");
}

// Pairs one a line, the name only before the first.
void add_pairs(Rows& rows, std::string name, const auto& pairs) {
  for (const auto& [key, value] : pairs) {
    rows.push_back({"  " + std::exchange(name, ""), base::printable(key) + "=" + base::printable(value)});
  }
}

void add_settings(Rows& rows, const oci::ImageConfig& config) {
  const auto& settings = config.settings;
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) {
      rows.push_back({"  " + name, value});
    }
  };
  add("created", base::printable(config.created));
  add("user", base::printable(settings.user));
  add("directory", base::printable(settings.working_directory));
  add("entrypoint", words_text(settings.entrypoint));
  add("command", words_text(settings.command));
  add("ports", listed(settings.exposed_ports));
  add("volumes", listed(settings.volumes));
  add("stop signal", base::printable(settings.stop_signal));
  add_pairs(rows, "env", settings.env);
  add_pairs(rows, "labels", settings.labels);
}

std::string layer_table(const images::ImageDescription& image) {
  if (image.layers.empty()) {
    return {};
  }
  Rows rows{{"LAYER", "DIGEST", "SIZE", "FROM"}};
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const auto& layer = image.layers[i];
    const auto from = layer.created_by.empty() ? layer.blob.media_type : layer.created_by;
    rows.push_back(
        {std::to_string(i + 1), short_digest(layer.blob.digest), base::human_bytes(layer.blob.size),
         base::printable(from.substr(0, base::utf8_boundary(from, std::min<std::size_t>(from.size(), 100))))});
  }
  return "\n" + table(rows);
}

std::string image_text(const images::ImageDescription& image) {
  Rows rows;
  if (image.config) {
    add_settings(rows, *image.config);
  }
  add_pairs(rows, "annotations", image.annotations);
  return fmt::format("\n{}  {}, {} layer{}\n", platform_text(image.manifest), base::human_bytes(image.total_size()),
                     image.layers.size(), image.layers.size() == 1 ? "" : "s") +
         table(rows) + layer_table(image);
}

std::string platform_table(const images::Description& description) {
  Rows rows{{"PLATFORM", "DIGEST", "SIZE", "LAYERS"}};
  for (const auto& image : description.images) {
    rows.push_back({platform_text(image.manifest), image.manifest.digest.text(), base::human_bytes(image.total_size()),
                    std::to_string(image.layers.size())});
  }
  for (const auto& [manifest, reason] : description.missing) {
    rows.push_back({platform_text(manifest), manifest.digest.text(), "missing"});
  }
  return "\n" + table(rows);
}

std::string referrer_table(const images::Description& description) {
  if (description.referrers.empty()) {
    return {};
  }
  Rows rows{{"REFERRER", "DIGEST", "SIZE", "TO"}};
  for (const auto& [manifest, subject] : description.referrers) {
    const auto& type = manifest.artifact_type.empty() ? manifest.media_type : manifest.artifact_type;
    rows.push_back(
        {base::printable(type), manifest.digest.text(), base::human_bytes(manifest.size), short_digest(subject)});
  }
  return "\n" + table(rows);
}

// The image people most likely mean: this machine's, else the first.
const images::ImageDescription& shown_image(const images::Description& description) {
  const auto host = oci::host_platform();
  const auto found = std::ranges::find_if(description.images, [&](const auto& image) {
    return image.manifest.platform && oci::is_for(host, *image.manifest.platform);
  });
  return found == description.images.end() ? description.images.front() : *found;
}

std::string as_text(const std::string& name, const images::Description& description) {
  auto text = base::printable(name) + "\n" +
              table({{"  digest", description.root.digest.text()},
                     {"  kind", kind_text(description)},
                     {"  media type", base::printable(description.root.media_type)}});
  if (description.is_index) {
    Rows annotations;
    add_pairs(annotations, "annotations", description.annotations);
    text += table(annotations) + platform_table(description);
  }
  if (!description.images.empty()) {
    text += image_text(shown_image(description));
  }
  return text + referrer_table(description);
}

json::Value config_json(const oci::ImageConfig& config) {
  const auto& settings = config.settings;
  auto env = json::Value::array();
  for (const auto& [name, value] : settings.env) {
    env.push_back(name + "=" + value);
  }
  return {{"created", config.created},
          {"user", settings.user},
          {"workingDirectory", settings.working_directory},
          {"entrypoint", settings.entrypoint},
          {"command", settings.command},
          {"env", env},
          {"ports", settings.exposed_ports},
          {"volumes", settings.volumes},
          {"stopSignal", settings.stop_signal},
          {"labels", json::Value(settings.labels)}};
}

json::Value image_json(const images::ImageDescription& image) {
  auto value = descriptor_json(image.manifest);
  value["platform"] = image.manifest.platform ? to_string(*image.manifest.platform) : "";
  value["artifactType"] = image.artifact_type;
  value["totalSize"] = image.total_size();
  value["configBlob"] = descriptor_json(image.config_blob);
  value["config"] = image.config ? config_json(*image.config) : json::Value(nullptr);
  value["annotations"] = json::Value(image.annotations);
  value["layers"] = json::Value::array();
  for (const auto& layer : image.layers) {
    value["layers"].push_back(descriptor_json(layer.blob));
    value["layers"].back()["createdBy"] = layer.created_by;
  }
  return value;
}

std::string as_json(const std::string& name, const images::Description& description) {
  auto value = descriptor_json(description.root);
  value["image"] = name;
  value["index"] = description.is_index;
  value["annotations"] = json::Value(description.annotations);
  value["images"] = json::Value::array();
  for (const auto& image : description.images) {
    value["images"].push_back(image_json(image));
  }
  value["missing"] = json::Value::array();
  for (const auto& [manifest, reason] : description.missing) {
    value["missing"].push_back(descriptor_json(manifest));
    value["missing"].back()["platform"] = manifest.platform ? to_string(*manifest.platform) : "";
    value["missing"].back()["problem"] = base::to_string(reason);
  }
  value["referrers"] = json::Value::array();
  for (const auto& [manifest, subject] : description.referrers) {
    value["referrers"].push_back(descriptor_json(manifest));
    value["referrers"].back()["artifactType"] = manifest.artifact_type;
    value["referrers"].back()["annotations"] = json::Value(manifest.annotations);
    value["referrers"].back()["subject"] = subject.text();
  }
  value["referrersProblem"] = description.referrers_problem ? base::to_string(*description.referrers_problem) : "";
  return json::to_pretty_text(value);
}

// What the text does not say, or not why.
void remark_gaps(Runtime& runtime, const images::Description& description) {
  for (const auto& [manifest, reason] : description.missing) {
    runtime.remark(
        fmt::format("the image for {} cannot be read: {}", platform_text(manifest), base::to_string(reason)));
  }
  if (description.referrers_problem) {
    runtime.remark("what refers to the image is not known: " + base::to_string(*description.referrers_problem));
  }
}

int inspect(Runtime& runtime, const InspectOptions& options) {
  const auto location = images::parse_location(options.image);
  if (!location) {
    return runtime.fail(location.error());
  }
  ImageAccess access(runtime);
  const auto ports = access.images("inspect");
  const auto source = images::open_source(*location, ports);
  if (!source) {
    return runtime.fail(source.error());
  }
  const auto description = images::describe(**source, options.platform);
  if (!description) {
    return runtime.fail(description.error().within("reading {}", options.image));
  }
  const auto name = to_string(*location);
  runtime.print(runtime.wants_json() ? as_json(name, *description) : as_text(name, *description));
  if (!runtime.wants_json()) {
    remark_gaps(runtime, *description);
  }
  return 0;
}

}  // namespace

Action declare_image_inspect(CLI::App& parser) {
  auto options = std::make_shared<InspectOptions>();
  add_location(parser, "image", options->image, "the image: registry/repository:tag, oci:DIR, docker-archive:FILE");
  add_platform(parser, options->platform, "only the image of an index for this platform");
  return [options](Runtime& runtime) { return inspect(runtime, *options); };
}

}  // namespace deployctl::cli
