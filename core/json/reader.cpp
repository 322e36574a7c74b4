#include "core/json/reader.hpp"

#include "core/json/path.hpp"

#include <nlohmann/json.hpp>

#include <limits>

namespace deployctl::json {
namespace {

std::string_view name_of(const std::string& path) {
  return path.empty() ? std::string_view("the value") : path;
}

}  // namespace

Reader::Reader(const Value& value, std::string path) : value_(&value), path_(std::move(path)) {}

Reader Reader::at(std::string_view key) const {
  Reader member;
  member.path_ = path_to_key(path_, key);
  if (is_object()) {
    const auto found = value_->find(std::string(key));
    member.value_ = found == value_->end() ? nullptr : &*found;
  }
  return member;
}

Reader Reader::at(std::size_t index) const {
  Reader element;
  element.path_ = path_to_index(path_, index);
  element.value_ = is_array() && index < value_->size() ? &(*value_)[index] : nullptr;
  return element;
}

bool Reader::is_null() const {
  return exists() && value_->is_null();
}

bool Reader::is_object() const {
  return exists() && value_->is_object();
}

bool Reader::is_array() const {
  return exists() && value_->is_array();
}

std::optional<std::string> Reader::string() const {
  if (!exists() || !value_->is_string()) {
    return std::nullopt;
  }
  return value_->get<std::string>();
}

std::optional<long long> Reader::integer() const {
  if (!exists() || !value_->is_number_integer()) {
    return std::nullopt;
  }
  const bool is_too_large =
      value_->is_number_unsigned() &&
      value_->get<unsigned long long>() > static_cast<unsigned long long>(std::numeric_limits<long long>::max());
  if (is_too_large) {
    return std::nullopt;
  }
  return value_->get<long long>();
}

std::optional<bool> Reader::boolean() const {
  if (!exists() || !value_->is_boolean()) {
    return std::nullopt;
  }
  return value_->get<bool>();
}

std::string Reader::string_or(std::string_view fallback) const {
  auto text = string();
  return text ? std::move(*text) : std::string(fallback);
}

long long Reader::integer_or(long long fallback) const {
  return integer().value_or(fallback);
}

bool Reader::boolean_or(bool fallback) const {
  return boolean().value_or(fallback);
}

base::Result<std::string> Reader::required_string() const {
  if (!exists()) {
    return base::Error::failed("{} is missing", name_of(path_));
  }
  auto text = string();
  if (!text) {
    return base::Error::failed("{} is not a string", name_of(path_));
  }
  return std::move(*text);
}

base::Result<long long> Reader::required_integer() const {
  if (!exists()) {
    return base::Error::failed("{} is missing", name_of(path_));
  }
  const auto number = integer();
  if (!number) {
    return base::Error::failed("{} is not a whole number", name_of(path_));
  }
  return *number;
}

std::vector<Reader> Reader::elements() const {
  std::vector<Reader> readers;
  if (is_array()) {
    readers.reserve(value_->size());
    for (std::size_t i = 0; i < value_->size(); ++i) {
      readers.push_back(at(i));
    }
  }
  return readers;
}

std::vector<Reader::Member> Reader::members() const {
  std::vector<Member> members;
  if (is_object()) {
    members.reserve(value_->size());
    for (const auto& [key, value] : value_->items()) {
      members.push_back({key, Reader(value, path_to_key(path_, key))});
    }
  }
  return members;
}

std::size_t Reader::size() const {
  return is_array() || is_object() ? value_->size() : 0;
}

}  // namespace deployctl::json
