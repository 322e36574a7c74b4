#include "core/http/link.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::http {
namespace {

// The end of the next piece of a list: the separator outside of quotes and angle brackets, or the end of the text.
std::size_t piece_end(std::string_view text, char separator) {
  bool quoted = false;
  bool bracketed = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;  // and what it escapes
    } else if (quoted) {
      quoted = text[at] != '"';
    } else if (bracketed) {
      bracketed = text[at] != '>';
    } else if (text[at] == separator) {
      return at;
    } else {
      quoted = text[at] == '"';
      bracketed = text[at] == '<';
    }
  }
  return text.size();
}

std::vector<std::string_view> pieces(std::string_view text, char separator) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const auto end = piece_end(text, separator);
    found.push_back(base::trim(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

bool is_relation(std::string_view parameter, std::string_view relation) {
  const auto [name, written] = base::split_once(parameter, '=');
  auto value = base::trim(written);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  const auto words = base::split(value, ' ');
  return base::equals_ignoring_case(base::trim(name), "rel") &&
         std::ranges::any_of(words, [&](auto word) { return base::equals_ignoring_case(word, relation); });
}

}  // namespace

std::optional<std::string> link_target(const Headers& headers, std::string_view relation) {
  for (const auto& value : headers.all("Link")) {
    for (const auto link : pieces(value, ',')) {
      const auto parts = pieces(link, ';');
      const auto target = parts.empty() ? std::string_view() : parts.front();
      const bool is_target = target.size() >= 2 && target.front() == '<' && target.back() == '>';
      if (is_target && std::any_of(parts.begin() + 1, parts.end(),
                                   [&](auto parameter) { return is_relation(parameter, relation); })) {
        return std::string(target.substr(1, target.size() - 2));
      }
    }
  }
  return std::nullopt;
}

}  // namespace deployctl::http
