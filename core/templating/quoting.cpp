#include "core/templating/quoting.hpp"

#include "core/base/text.hpp"
#include "core/json/value.hpp"
#include "core/yaml/emit.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::templating {
namespace {

base::Error unfit(std::string_view text, std::string_view format) {
  return base::Error::invalid_input("'{}' cannot stand in {}: it holds a line break or a NUL byte",
                                    base::printable(text), format);
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

bool has_line_break(std::string_view text) {
  return text.find_first_of("\n\r") != std::string_view::npos;
}

bool is_plain_in_a_shell(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         std::string_view("_-./:=@,+%").find(byte) != std::string_view::npos;
}

}  // namespace

// The Dockerfile parser takes a backslash at the end of a line for a continuation before it looks at quotes; the
// closing quote after every value keeps ours from standing there.
base::Result<std::string> dockerfile_word(std::string_view text) {
  if (has_nul(text) || has_line_break(text)) {
    return unfit(text, "a Dockerfile");
  }
  std::string quoted = "\"";
  for (const char byte : text) {
    if (byte == '\\' || byte == '"' || byte == '$') {
      quoted += '\\';
    }
    quoted += byte;
  }
  return quoted + "\"";
}

base::Result<std::string> dockerfile_exec(std::span<const std::string> arguments) {
  auto list = json::Value::array();
  for (const auto& argument : arguments) {
    if (has_nul(argument)) {
      return unfit(argument, "a command");
    }
    list.push_back(argument);
  }
  return base::replace_all(json::to_compact_text(list), "\",\"", "\", \"");
}

base::Result<std::string> dockerfile_shell_word(std::string_view text) {
  return has_line_break(text) ? unfit(text, "a Dockerfile") : shell_word(text);
}

base::Result<std::string> shell_word(std::string_view text) {
  if (has_nul(text)) {
    return unfit(text, "a shell command");
  }
  if (!text.empty() && std::ranges::all_of(text, is_plain_in_a_shell)) {
    return std::string(text);
  }
  return "'" + base::replace_all(std::string(text), "'", R"('\'')") + "'";
}

std::string yaml_scalar(std::string_view text) {
  return yaml::quote(text);
}

}  // namespace deployctl::templating
