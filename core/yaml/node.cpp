#include "core/yaml/node.hpp"

#include "core/base/text.hpp"
#include "core/yaml/scalar.hpp"

#include <algorithm>
#include <charconv>

namespace deployctl::yaml {
namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool is_plain_scalar(const Node& node) {
  return node.kind == NodeKind::scalar && !node.is_quoted;
}

bool are_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char byte) { return byte >= '0' && byte <= '9'; });
}

std::string_view without_sign(std::string_view text) {
  return text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
}

bool has_leading_zero(std::string_view digits) {
  return digits.size() > 1 && digits.front() == '0';
}

std::optional<long long> integer_with_base(std::string_view digits, int base) {
  long long number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [read_end, problem] = std::from_chars(digits.data(), end, number, base);
  if (digits.empty() || digits.front() == '-' || problem != std::errc{} || read_end != end) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto found = std::ranges::find_if(entries, [&](const Entry& entry) { return *entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

bool is_null_text(std::string_view text) {
  return is_one_of(text, {"", "~", "null", "Null", "NULL"});
}

std::optional<bool> boolean_of_text(std::string_view text) {
  if (is_one_of(text, {"true", "True", "TRUE"})) {
    return true;
  }
  if (is_one_of(text, {"false", "False", "FALSE"})) {
    return false;
  }
  return std::nullopt;
}

std::optional<long long> integer_of_text(std::string_view text) {
  if (text.starts_with("0o")) {
    return integer_with_base(text.substr(2), 8);
  }
  if (text.starts_with("0x")) {
    return integer_with_base(text.substr(2), 16);
  }
  const auto digits = without_sign(text);
  // YAML 1.1 reads 012 as ten and YAML 1.2 as twelve: it stays what was written.
  if (!are_digits(digits) || has_leading_zero(digits)) {
    return std::nullopt;
  }
  return base::parse_integer(text.starts_with('+') ? digits : text);
}

std::optional<double> float_of_text(std::string_view text) {
  const auto number = without_sign(text);
  const auto exponent_at = std::min(number.find_first_of("eE"), number.size());
  const auto [whole, fraction] = base::split_once(number.substr(0, exponent_at), '.');
  const bool has_mantissa = (whole.empty() || are_digits(whole)) && (fraction.empty() || are_digits(fraction)) &&
                            !(whole.empty() && fraction.empty());
  const bool has_good_exponent =
      exponent_at == number.size() || are_digits(without_sign(number.substr(exponent_at + 1)));
  if (!has_mantissa || !has_good_exponent || has_leading_zero(whole)) {
    return std::nullopt;
  }
  const auto readable = text.starts_with('+') ? number : text;
  double value = 0;
  const auto [end, problem] = std::from_chars(readable.data(), readable.data() + readable.size(), value);
  return problem == std::errc{} ? std::optional(value) : std::nullopt;
}

std::string describe(const Node& node) {
  if (node.kind == NodeKind::mapping) {
    return "a mapping";
  }
  if (node.kind == NodeKind::sequence) {
    return "a list";
  }
  if (is_null(node)) {
    return "nothing";
  }
  if (as_boolean(node)) {
    return "true or false";
  }
  return is_plain_scalar(node) && (integer_of_text(node.scalar) || float_of_text(node.scalar)) ? "a number" : "text";
}

bool is_null(const Node& node) {
  return node.kind == NodeKind::null || (is_plain_scalar(node) && is_null_text(node.scalar));
}

std::optional<bool> as_boolean(const Node& node) {
  return is_plain_scalar(node) ? boolean_of_text(node.scalar) : std::nullopt;
}

std::optional<long long> as_integer(const Node& node) {
  return is_plain_scalar(node) ? integer_of_text(node.scalar) : std::nullopt;
}

}  // namespace deployctl::yaml
