// A Kubernetes object as data: what we send, what the API server answers.
#pragma once

#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

#include <compare>
#include <string>
#include <string_view>

namespace deployctl::kube {

// What identifies an object for the API server.
struct ObjectKey {
  std::string api_version;  // "v1", "apps/v1"
  std::string kind;
  std::string name_space;  // empty for cluster-scoped objects
  std::string name;

  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

// "deployment/api", "service/api": how people name it.
std::string to_string(const ObjectKey& key);

struct Object {
  json::Value body = json::Value::object();

  [[nodiscard]] std::string api_version() const;
  [[nodiscard]] std::string kind() const;
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string name_space() const;
  [[nodiscard]] ObjectKey key() const;
  // metadata.resourceVersion of an object the server gave; empty otherwise.
  [[nodiscard]] std::string resource_version() const;

  friend bool operator==(const Object& left, const Object& right) { return left.body == right.body; }
};

}  // namespace deployctl::kube
