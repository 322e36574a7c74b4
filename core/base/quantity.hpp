// A Kubernetes resource quantity: "100m", "0.5", "128Mi", "1Gi", "2k" (Kubernetes API reference, "Quantity").
#pragma once

#include "core/base/result.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace deployctl::base {

class Quantity {
 public:
  Quantity() = default;
  // A decimal number with at most three decimals after scaling, and one of the suffixes m k M G T P Ki Mi Gi Ti Pi or
  // none. invalid_input otherwise, for negative amounts and for what does not fit.
  static Result<Quantity> parse(std::string_view text);

  // As it was written: what goes into an object.
  [[nodiscard]] const std::string& text() const { return text_; }
  // In thousandths: 100m is 100, 1 is 1000, 1Ki is 1024000.
  [[nodiscard]] long long thousandths() const { return thousandths_; }
  // Rounded up to whole units: bytes, for memory.
  [[nodiscard]] long long units() const { return (thousandths_ + 999) / 1000; }

  friend std::strong_ordering operator<=>(const Quantity& left, const Quantity& right) {
    return left.thousandths_ <=> right.thousandths_;
  }
  friend bool operator==(const Quantity& left, const Quantity& right) {
    return left.thousandths_ == right.thousandths_;
  }

 private:
  std::string text_ = "0";
  long long thousandths_ = 0;
};

}  // namespace deployctl::base
