// A value that must not be seen: it prints as ***, and only reveal() gives it out.
#pragma once

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <utility>

namespace deployctl::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  // The value itself. Callers hand it to the peer it belongs to and to nothing else.
  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

inline std::ostream& operator<<(std::ostream& out, const Secret& /*secret*/) {
  return out << "***";
}

}  // namespace deployctl::base

template <>
struct fmt::formatter<deployctl::base::Secret> : fmt::formatter<fmt::string_view> {
  template <typename Context>
  auto format(const deployctl::base::Secret& /*secret*/, Context& context) const {
    return fmt::formatter<fmt::string_view>::format("***", context);
  }
};
