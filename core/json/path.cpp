#include "core/json/path.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::json {
namespace {

bool is_simple(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-' || byte == '$';
  });
}

}  // namespace

std::string path_to_key(const std::string& parent, std::string_view key) {
  if (!is_simple(key)) {
    return parent + "[\"" + base::printable(key) + "\"]";
  }
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

std::string path_to_index(const std::string& parent, std::size_t index) {
  return parent + "[" + std::to_string(index) + "]";
}

std::string path_to_name(const std::string& parent, std::string_view name) {
  return parent + "[" + base::printable(name) + "]";
}

}  // namespace deployctl::json
