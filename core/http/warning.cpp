#include "core/http/warning.hpp"

#include "core/base/text.hpp"

namespace deployctl::http {
namespace {

constexpr std::size_t longest_warning = 4096;

// Reads a quoted string at the start of the text; the text behind it stays.
std::string take_quoted(std::string_view& text) {
  std::string value;
  std::size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      ++at;
    }
    value += text[at];
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return value;
}

std::string shown(const std::string& text) {
  const auto end = base::utf8_boundary(text, longest_warning);
  return base::printable(std::string_view(text).substr(0, end));
}

}  // namespace

std::vector<std::string> warnings(const Headers& headers) {
  std::vector<std::string> texts;
  for (const auto& field : headers.all("Warning")) {
    std::string_view rest = field;
    while (!rest.empty()) {
      const auto is_shown = base::trim(rest).starts_with("299 ");
      rest.remove_prefix(std::min(rest.find('"'), rest.size()));
      auto text = rest.empty() ? std::string() : take_quoted(rest);
      if (is_shown && !text.empty()) {
        texts.push_back(shown(text));
      }
      rest.remove_prefix(std::min(rest.find(','), rest.size()));
      rest.remove_prefix(rest.empty() ? 0 : 1);
    }
  }
  return texts;
}

}  // namespace deployctl::http
