#include "core/kube/object.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"

namespace deployctl::kube {

std::string to_string(const ObjectKey& key) {
  return base::to_lower(key.kind) + "/" + key.name;
}

std::string Object::api_version() const {
  return json::Reader(body).at("apiVersion").string_or();
}

std::string Object::kind() const {
  return json::Reader(body).at("kind").string_or();
}

std::string Object::name() const {
  return json::Reader(body).at("metadata", "name").string_or();
}

std::string Object::name_space() const {
  return json::Reader(body).at("metadata", "namespace").string_or();
}

ObjectKey Object::key() const {
  return {.api_version = api_version(), .kind = kind(), .name_space = name_space(), .name = name()};
}

std::string Object::resource_version() const {
  return json::Reader(body).at("metadata", "resourceVersion").string_or();
}

}  // namespace deployctl::kube
