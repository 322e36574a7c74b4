// One header field may hold several challenges, and commas separate both challenges and their parameters: a name that
// is followed by '=' is a parameter of the challenge before it, any other begins a new challenge.
#include "core/registry/challenge.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::registry {
namespace {

bool is_token_byte(char byte) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         others.find(byte) != std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void skip_spaces_and_commas() {
    skip([](char byte) { return byte == ' ' || byte == '\t' || byte == ','; });
  }
  void skip_spaces() {
    skip([](char byte) { return byte == ' ' || byte == '\t'; });
  }
  std::string_view token() {
    const auto end = std::ranges::find_if_not(rest_, is_token_byte) - rest_.begin();
    return take(static_cast<std::size_t>(end));
  }
  bool accept(char byte) {
    if (rest_.empty() || rest_.front() != byte) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  // After '=': a quoted string or a token.
  std::string value() {
    if (!accept('"')) {
      return std::string(take(std::min(rest_.find_first_of(", \t"), rest_.size())));
    }
    std::string text;
    while (!rest_.empty() && !accept('"')) {
      accept('\\');
      text += take(std::min<std::size_t>(1, rest_.size()));
    }
    return text;
  }
  void skip_byte() { rest_.remove_prefix(rest_.empty() ? 0 : 1); }

 private:
  template <typename Predicate>
  void skip(Predicate is_skipped) {
    while (!rest_.empty() && is_skipped(rest_.front())) {
      rest_.remove_prefix(1);
    }
  }
  std::string_view take(std::size_t count) {
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
};

void read_field(std::string_view field, std::vector<Challenge>& found) {
  Scanner scanner(field);
  const auto first = found.size();
  for (scanner.skip_spaces_and_commas(); !scanner.at_end(); scanner.skip_spaces_and_commas()) {
    const auto name = scanner.token();
    if (name.empty()) {
      scanner.skip_byte();
      continue;
    }
    scanner.skip_spaces();
    if (scanner.accept('=')) {
      scanner.skip_spaces();
      auto value = scanner.value();
      if (found.size() > first) {
        found.back().parameters[base::to_lower(name)] = std::move(value);
      }
    } else {
      found.push_back({.scheme = base::to_lower(name), .parameters = {}});
    }
  }
}

}  // namespace

std::vector<Challenge> challenges(const http::Headers& headers) {
  std::vector<Challenge> found;
  for (const auto& field : headers.all("WWW-Authenticate")) {
    read_field(field, found);
  }
  return found;
}

std::optional<Challenge> answerable(const std::vector<Challenge>& challenges) {
  for (const auto* scheme : {"bearer", "basic"}) {
    const auto found = std::ranges::find(challenges, scheme, &Challenge::scheme);
    if (found != challenges.end()) {
      return *found;
    }
  }
  return std::nullopt;
}

}  // namespace deployctl::registry
