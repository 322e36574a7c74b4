#include "core/base/quantity.hpp"

#include "core/base/text.hpp"

#include <array>
#include <limits>

namespace deployctl::base {
namespace {

struct Suffix {
  std::string_view text;
  long long thousandths;
};

constexpr long long kilo = 1000;
constexpr long long kibi = 1024;
constexpr std::array suffixes{
    Suffix{"", kilo},
    Suffix{"m", 1},
    Suffix{"k", kilo* kilo},
    Suffix{"M", kilo* kilo* kilo},
    Suffix{"G", kilo* kilo* kilo* kilo},
    Suffix{"T", kilo* kilo* kilo* kilo* kilo},
    Suffix{"P", kilo* kilo* kilo* kilo* kilo* kilo},
    Suffix{"Ki", kilo* kibi},
    Suffix{"Mi", kilo* kibi* kibi},
    Suffix{"Gi", kilo* kibi* kibi* kibi},
    Suffix{"Ti", kilo* kibi* kibi* kibi* kibi},
    Suffix{"Pi", kilo* kibi* kibi* kibi* kibi* kibi},
};

const Suffix* find_suffix(std::string_view text) {
  for (const auto& suffix : suffixes) {
    if (suffix.text == text) {
      return &suffix;
    }
  }
  return nullptr;
}

bool multiply_overflows(long long left, long long right) {
  return left != 0 && right > std::numeric_limits<long long>::max() / left;
}

}  // namespace

Result<Quantity> Quantity::parse(std::string_view text) {
  const auto refusal = Error::invalid_input("'{}' is not a quantity", printable(text))
                           .with_hint("write a number with an optional unit: 100m or 0.5 (CPU), 128Mi or 1Gi (memory)");
  const auto number_end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto* suffix = find_suffix(text.substr(number_end));
  const auto [whole_text, fraction_text] = split_once(text.substr(0, number_end), '.');
  if (suffix == nullptr || number_end == 0 || (whole_text.empty() && fraction_text.empty()) ||
      fraction_text.size() > 9) {
    return refusal;
  }
  const auto whole = whole_text.empty() ? 0 : parse_integer(whole_text);
  const auto fraction = fraction_text.empty() ? 0 : parse_integer(fraction_text);
  if (!whole || !fraction || multiply_overflows(*whole, suffix->thousandths)) {
    return refusal;
  }
  long double scale = 1;
  for (std::size_t i = 0; i < fraction_text.size(); ++i) {
    scale *= 10;
  }
  // Kubernetes rounds what is finer than a thousandth up.
  const auto part = static_cast<long double>(*fraction) / scale * static_cast<long double>(suffix->thousandths);
  const auto part_floor = static_cast<long long>(part);
  const auto rounded_part = part_floor + (static_cast<long double>(part_floor) < part ? 1 : 0);
  if (*whole * suffix->thousandths > std::numeric_limits<long long>::max() - rounded_part) {
    return refusal;
  }
  Quantity quantity;
  quantity.text_ = text;
  quantity.thousandths_ = *whole * suffix->thousandths + rounded_part;
  return quantity;
}

}  // namespace deployctl::base
