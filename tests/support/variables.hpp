// Environment variables that a test decides.
#pragma once

#include "core/io/environment.hpp"

#include <map>

namespace deployctl::tests {

class Variables final : public io::Environment {
 public:
  Variables() = default;
  explicit Variables(std::map<std::string, std::string> variables) : values(std::move(variables)) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] std::string home_directory() const override { return "/home/ada"; }

  std::map<std::string, std::string> values;
};

}  // namespace deployctl::tests
