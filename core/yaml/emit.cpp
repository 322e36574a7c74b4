// Text is appended to one string and nothing is made in between: thousands of objects are written in milliseconds.
#include "core/yaml/emit.hpp"

#include "core/base/text.hpp"
#include "core/yaml/quote.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace deployctl::yaml {
namespace {

using json::Value;

constexpr std::size_t step = 2;
constexpr std::size_t usual_size = 2048;  // of a Kubernetes object
// YAML 1.2.2 section 7.4.2: a key on the line of its value has at most 1024 characters.
constexpr std::size_t longest_key = 1000;

// YAML 1.1 takes a number with an exponent for a float only when it has a point.
std::string number_text(double number) {
  if (std::isnan(number)) {
    return ".nan";
  }
  if (std::isinf(number)) {
    return number > 0 ? ".inf" : "-.inf";
  }
  auto text = Value(number).dump();
  const auto exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) {
    text.insert(exponent, ".0");
  }
  return text;
}

class Emitter {
 public:
  Emitter() { out_.reserve(usual_size); }

  void document(const Value& value) {
    if (is_block(value)) {
      block(value, 0);
    } else {
      scalar(value);
      out_ += '\n';
    }
  }
  std::string take() { return std::move(out_); }

 private:
  static bool is_block(const Value& value) { return value.is_structured() && !value.empty(); }

  // A collection from here on, the first line of which is indented already.
  void block(const Value& value, std::size_t indentation) {
    if (value.is_object()) {
      mapping(value.get_ref<const Value::object_t&>(), indentation);
    } else {
      sequence(value.get_ref<const Value::array_t&>(), indentation);
    }
  }

  void mapping(const Value::object_t& members, std::size_t indentation) {
    for (const auto& member : members) {
      if (&member != members.data()) {
        indent(indentation);
      }
      key(member.first, indentation);
      value_of_key(member.second, indentation);
    }
  }

  void key(const std::string& name, std::size_t indentation) {
    const auto begin = out_.size();
    append_quoted(out_, name);
    if (out_.size() - begin > longest_key) {
      out_.insert(begin, "? ");
      out_ += '\n';
      indent(indentation);
    }
    out_ += ':';
  }

  void value_of_key(const Value& value, std::size_t indentation) {
    if (!is_block(value)) {
      out_ += ' ';
      scalar_or_literal(value, indentation + step);
      return;
    }
    out_ += '\n';
    // As kubectl writes it: the dashes of a list stand below the key.
    const auto inner = value.is_array() ? indentation : indentation + step;
    indent(inner);
    block(value, inner);
  }

  void sequence(const Value::array_t& items, std::size_t indentation) {
    for (const auto& item : items) {
      if (&item != items.data()) {
        indent(indentation);
      }
      out_ += "- ";
      if (is_block(item)) {
        block(item, indentation + step);
      } else {
        scalar_or_literal(item, indentation + step);
      }
    }
  }

  void scalar_or_literal(const Value& value, std::size_t indentation) {
    if (value.is_string() && fits_literal_block(value.get_ref<const std::string&>())) {
      literal(value.get_ref<const std::string&>(), indentation);
    } else {
      scalar(value);
      out_ += '\n';
    }
  }

  void literal(std::string_view text, std::size_t indentation) {
    out_ += !text.ends_with('\n') ? "|-\n" : text.ends_with("\n\n") ? "|+\n" : "|\n";
    while (!text.empty()) {
      const auto [line, rest] = base::split_once(text, '\n');
      if (!line.empty()) {
        indent(indentation);
        out_ += line;
      }
      out_ += '\n';
      text = rest;
    }
  }

  void scalar(const Value& value) {
    switch (value.type()) {
      case Value::value_t::string:
        append_quoted(out_, value.get_ref<const std::string&>());
        return;
      case Value::value_t::number_float:
        out_ += number_text(value.get<double>());
        return;
      case Value::value_t::number_integer:
        fmt::format_to(std::back_inserter(out_), "{}", value.get<long long>());
        return;
      case Value::value_t::number_unsigned:
        fmt::format_to(std::back_inserter(out_), "{}", value.get<unsigned long long>());
        return;
      case Value::value_t::boolean:
        out_ += value.get<bool>() ? "true" : "false";
        return;
      case Value::value_t::object:
        out_ += "{}";
        return;
      case Value::value_t::array:
        out_ += "[]";
        return;
      default:
        out_ += "null";
    }
  }

  void indent(std::size_t indentation) { out_.append(indentation, ' '); }

  std::string out_;
};

}  // namespace

std::string emit(const json::Value& value) {
  Emitter emitter;
  emitter.document(value);
  return emitter.take();
}

}  // namespace deployctl::yaml
