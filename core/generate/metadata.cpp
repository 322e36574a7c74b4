#include "core/generate/metadata.hpp"

#include "core/generate/kubernetes.hpp"
#include "core/json/object.hpp"

#include <cctype>

namespace deployctl::generate {

json::Value object_of(std::string_view api_version, std::string_view kind, const project::Target& target,
                      const project::Service& service, const std::string& name) {
  return json::object("apiVersion", api_version, "kind", kind, "metadata",
                      json::object("name", name, "namespace", target.name_space, "labels", labels(target, service)));
}

std::string label_value(std::string_view text) {
  std::string value;
  for (const char byte : text.substr(0, 63)) {
    const bool is_allowed =
        std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '-' || byte == '_' || byte == '.';
    value += is_allowed ? byte : '-';
  }
  const auto begin = value.find_first_not_of("-_.");
  const auto end = value.find_last_not_of("-_.");
  return begin == std::string::npos ? "" : value.substr(begin, end - begin + 1);
}

json::Value selector(const project::Target& target, const project::Service& service) {
  return json::object("app.kubernetes.io/name", *service.name, "app.kubernetes.io/instance", *target.project);
}

json::Value labels(const project::Target& target, const project::Service& service) {
  auto all = json::object("app.kubernetes.io/name", *service.name, "app.kubernetes.io/instance", *target.project,
                          "app.kubernetes.io/part-of", *target.project, "app.kubernetes.io/managed-by", "deployctl");
  if (!target.environment.empty()) {
    all["deployctl.dev/environment"] = label_value(target.environment);
  }
  return all;
}

}  // namespace deployctl::generate
