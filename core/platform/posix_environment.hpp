// The environment this process was started with.
#pragma once

#include "core/io/environment.hpp"

namespace deployctl::platform {

class PosixEnvironment : public io::Environment {
 public:
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override;
  [[nodiscard]] std::string home_directory() const override;
};

}  // namespace deployctl::platform
