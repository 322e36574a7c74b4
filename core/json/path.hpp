// How a place inside a JSON value is written for people: metadata.labels["app.kubernetes.io/name"], containers[0].
#pragma once

#include <string>
#include <string_view>

namespace deployctl::json {

std::string path_to_key(const std::string& parent, std::string_view key);
std::string path_to_index(const std::string& parent, std::size_t index);
// An element of a list of named things: containers[api].
std::string path_to_name(const std::string& parent, std::string_view name);

}  // namespace deployctl::json
