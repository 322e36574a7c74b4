#include "core/generate/configmaps.hpp"

#include "core/base/text.hpp"
#include "core/generate/content_hash.hpp"
#include "core/generate/metadata.hpp"
#include "core/json/object.hpp"

#include <cctype>
#include <set>

namespace deployctl::generate {
namespace {

constexpr std::size_t largest_config_map = 1'000'000;  // of 1 MiB, which the whole object has to fit in

kube::Object config_map(const project::Target& target, const project::Service& service, std::string_view what,
                        json::Value content) {
  const auto name = fmt::format("{}-{}-{}", *service.name, what, content_hash(json::to_canonical_text(content)));
  auto body = object_of("v1", "ConfigMap", target, service, name);
  body["immutable"] = true;
  for (auto& [key, part] : content.items()) {
    body[key] = std::move(part);
  }
  return {std::move(body)};
}

json::Value environment_data(const project::Service& service) {
  auto data = json::Value::object();
  for (const auto& [name, value] : service.env) {
    data[name] = *value;
  }
  return json::object("data", std::move(data));
}

// Keys are letters, digits, '-', '_' and '.'; the file's own name where it is free, else the whole path.
std::string unused_key(const std::string& path, std::set<std::string>& used) {
  const auto cleaned = [](std::string_view text) {
    std::string key;
    for (const char byte : text) {
      const bool is_plain = std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '-' || byte == '_';
      key += is_plain || (byte == '.' && !key.empty()) ? byte : '_';
    }
    return key;
  };
  auto key = cleaned(io::file_name(path));
  for (int number = 1; !used.insert(key).second; ++number) {
    key = cleaned(std::string_view(path).substr(1)) + (number == 1 ? "" : fmt::format("_{}", number));
  }
  return key;
}

bool is_text(const std::string& content) {
  return base::is_utf8(content) && content.find('\0') == std::string::npos;
}

base::Error too_large(const project::Service& service, std::size_t size) {
  return base::Error::invalid_input("the files of '{}' are {} together; a ConfigMap holds 1 MiB", *service.name,
                                    base::human_bytes(size))
      .with_hint("put large files into the image or a volume")
      .at(service.files.front().source.span);
}

base::Result<json::Value> file_data(const project::Service& service, const Inputs& inputs,
                                    std::vector<MountedFile>& mounts) {
  auto content = json::Value::object();
  std::set<std::string> used;
  std::size_t size = 0;
  for (const auto& file : service.files) {
    const auto found = inputs.files.find(*file.source);
    if (found == inputs.files.end()) {
      return base::Error::invalid_input("{} was not read", *file.source).at(file.source.span);
    }
    const auto key = unused_key(file.path, used);
    const bool as_text = is_text(found->second);
    content[as_text ? "data" : "binaryData"][key] = as_text ? found->second : base::base64_encode(found->second);
    size += found->second.size();
    mounts.push_back({file.path, key});
  }
  if (size > largest_config_map) {
    return too_large(service, size);
  }
  return content;
}

}  // namespace

base::Result<ConfigMaps> config_maps(const project::Target& target, const project::Service& service,
                                     const Inputs& inputs) {
  ConfigMaps maps;
  if (!service.env.empty()) {
    maps.environment = config_map(target, service, "config", environment_data(service));
  }
  if (!service.files.empty()) {
    auto content = file_data(service, inputs, maps.mounts);
    if (!content) {
      return content.error();
    }
    maps.files = config_map(target, service, "files", *std::move(content));
  }
  return maps;
}

}  // namespace deployctl::generate
