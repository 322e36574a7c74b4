// Our own writer rather than dump(): the Kubernetes API reads JSON bodies as YAML 1.1, which knows neither surrogate
// pairs nor a raw DEL or NEL, so everything YAML calls unprintable is escaped and everything else is left as it is.
#include "core/base/double_quoted.hpp"
#include "core/json/value.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>

namespace deployctl::json {
namespace {

struct Style {
  bool is_pretty = false;
  bool is_sorted = false;
};

void append_escape(std::string& out, std::uint32_t code) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
}

// NEL and the other C1 controls, line and paragraph separator, byte order mark and the two non-characters.
bool is_unprintable_for_yaml(std::uint32_t code) {
  return (code >= 0x80 && code < 0xA0) || code == 0x2028 || code == 0x2029 || code == 0xFEFF || code == 0xFFFE ||
         code == 0xFFFF;
}

void append_string(std::string& out, std::string_view text) {
  base::append_double_quoted(out, text, {.is_escaped = is_unprintable_for_yaml, .append_escape = append_escape});
}

class Writer {
 public:
  explicit Writer(Style style) : style_(style) {}

  void write(const Value& value) {
    switch (value.type()) {
      case Value::value_t::object:
        write_object(value.get_ref<const Value::object_t&>());
        return;
      case Value::value_t::array:
        write_array(value.get_ref<const Value::array_t&>());
        return;
      case Value::value_t::string:
        append_string(out_, value.get_ref<const std::string&>());
        return;
      case Value::value_t::number_integer:
        append(value.get<long long>());
        return;
      case Value::value_t::number_unsigned:
        append(value.get<unsigned long long>());
        return;
      default:
        out_ += value.dump();
    }
  }
  std::string take() { return std::move(out_); }

 private:
  template <typename Number>
  void append(Number number) {
    fmt::format_to(std::back_inserter(out_), "{}", number);
  }

  void write_array(const Value::array_t& items) {
    open('[');
    for (const auto& item : items) {
      begin_item(&item == items.data());
      write(item);
    }
    close(']', items.empty());
  }

  void write_object(const Value::object_t& members) {
    std::vector<const Value::object_t::value_type*> order;
    order.reserve(members.size());
    for (const auto& member : members) {
      order.push_back(&member);
    }
    if (style_.is_sorted) {
      std::ranges::stable_sort(order, {}, [](const auto* member) -> const std::string& { return member->first; });
    }
    open('{');
    for (const auto* member : order) {
      begin_item(member == order.front());
      append_string(out_, member->first);
      out_ += style_.is_pretty ? ": " : ":";
      write(member->second);
    }
    close('}', members.empty());
  }

  void open(char bracket) {
    out_ += bracket;
    ++depth_;
  }
  void begin_item(bool is_first) {
    if (!is_first) {
      out_ += ',';
    }
    break_line();
  }
  void close(char bracket, bool was_empty) {
    --depth_;
    if (!was_empty) {
      break_line();
    }
    out_ += bracket;
  }
  void break_line() {
    if (style_.is_pretty) {
      out_ += '\n';
      out_.append(depth_ * 2, ' ');
    }
  }

  Style style_;
  std::string out_;
  std::size_t depth_ = 0;
};

std::string write(const Value& value, Style style) {
  Writer writer(style);
  writer.write(value);
  return writer.take();
}

}  // namespace

std::string to_compact_text(const Value& value) {
  return write(value, {});
}

std::string to_pretty_text(const Value& value) {
  return write(value, {.is_pretty = true}) + "\n";
}

std::string to_canonical_text(const Value& value) {
  return write(value, {.is_sorted = true});
}

}  // namespace deployctl::json
