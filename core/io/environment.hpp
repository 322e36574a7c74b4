// Environment variables and the user's home, read through an interface so that tests decide them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace deployctl::io {

class Environment {
 public:
  virtual ~Environment() = default;
  // Nothing when it is unset; an empty value is a value.
  [[nodiscard]] virtual std::optional<std::string> get(std::string_view name) const = 0;

  // HOME, or the password database's entry; "/" when there is neither.
  [[nodiscard]] virtual std::string home_directory() const = 0;
  // The value, or the fallback when it is unset or empty.
  [[nodiscard]] std::string get_or(std::string_view name, std::string_view fallback) const {
    auto value = get(name);
    return value && !value->empty() ? *value : std::string(fallback);
  }
};

}  // namespace deployctl::io
