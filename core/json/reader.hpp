// Reading JSON that came from elsewhere: a view of a value that knows its path, asks without throwing, and says what
// was missing or of the wrong type in words.
#pragma once

#include "core/base/result.hpp"
#include "core/json/value.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::json {

// A view: the value it looks into must outlive it. A reader of nothing answers every question with nothing.
class Reader {
 public:
  explicit Reader(const Value& value, std::string path = {});

  // The member or element, or a reader of nothing.
  [[nodiscard]] Reader at(std::string_view key) const;
  [[nodiscard]] Reader at(std::size_t index) const;
  // Members by a path of keys: reader.at("metadata", "labels").
  template <typename... Keys>
  [[nodiscard]] Reader at(std::string_view first, std::string_view second, Keys... rest) const {
    return at(first).at(second, rest...);
  }

  [[nodiscard]] bool exists() const { return value_ != nullptr; }
  [[nodiscard]] bool is_null() const;
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_array() const;

  // What is there when it has the type, nothing otherwise.
  [[nodiscard]] std::optional<std::string> string() const;
  [[nodiscard]] std::optional<long long> integer() const;
  [[nodiscard]] std::optional<bool> boolean() const;
  // The same with a default: "" / 0 / false unless given.
  [[nodiscard]] std::string string_or(std::string_view fallback = {}) const;
  [[nodiscard]] long long integer_or(long long fallback = 0) const;
  [[nodiscard]] bool boolean_or(bool fallback = false) const;

  // The same as a demand: failed with "metadata.name is missing" / "… is not a string".
  [[nodiscard]] base::Result<std::string> required_string() const;
  [[nodiscard]] base::Result<long long> required_integer() const;

  // Elements of an array, members of an object; none when it is neither.
  [[nodiscard]] std::vector<Reader> elements() const;
  struct Member;
  [[nodiscard]] std::vector<Member> members() const;
  [[nodiscard]] std::size_t size() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  // The value itself; null when there is nothing.
  [[nodiscard]] const Value* value() const { return value_; }

 private:
  Reader() = default;

  const Value* value_ = nullptr;
  std::string path_;
};

struct Reader::Member {
  std::string key;
  Reader value;
};

}  // namespace deployctl::json
