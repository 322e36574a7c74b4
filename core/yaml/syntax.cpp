#include "core/yaml/syntax.hpp"

#include "core/base/text.hpp"

#include <fmt/core.h>
#include <yaml-cpp/exceptions.h>

#include <array>

namespace deployctl::yaml {
namespace {

struct Row {
  std::string_view complaint;
  std::string_view message;
  std::string_view hint;
};

constexpr std::string_view quote_it = "put it in quotes if it is text";
const std::array rows{
    Row{YAML::ErrorMsg::END_OF_MAP, "this line does not fit the mapping above it",
        "write 'key: value', and start the keys of one mapping in the same column"},
    Row{YAML::ErrorMsg::END_OF_SEQ, "this line does not fit the list above it",
        "start the items of one list with '-' in the same column"},
    Row{YAML::ErrorMsg::END_OF_MAP_FLOW, "expected ',' or '}' here", ""},
    Row{YAML::ErrorMsg::END_OF_SEQ_FLOW, "expected ',' or ']' here", ""},
    Row{YAML::ErrorMsg::MAP_VALUE, "a ':' cannot stand here",
        "check the indentation, and put text that holds ': ' in quotes"},
    Row{YAML::ErrorMsg::MAP_KEY, "a key cannot stand here", "check the indentation"},
    Row{YAML::ErrorMsg::BLOCK_ENTRY, "a list cannot start here", "start it on a line of its own, below its key"},
    Row{YAML::ErrorMsg::FLOW_END, "this bracket closes nothing", quote_it},
    Row{YAML::ErrorMsg::EOF_IN_SCALAR, "this quoted text is never closed", ""},
    Row{YAML::ErrorMsg::DOC_IN_SCALAR, "this quoted text is never closed", ""},
    Row{YAML::ErrorMsg::TAB_IN_INDENTATION, "tabs cannot indent YAML; use spaces", ""},
    Row{YAML::ErrorMsg::INVALID_HEX, "this escape needs hexadecimal digits", "\\x41, \\u0041 and \\U00000041 are 'A'"},
    Row{YAML::ErrorMsg::ALIAS_NOT_FOUND, "'*' starts an alias, but no name follows", quote_it},
    Row{YAML::ErrorMsg::CHAR_IN_ALIAS, "'*' starts an alias, but this is no name for one", quote_it},
    Row{YAML::ErrorMsg::ANCHOR_NOT_FOUND, "'&' starts an anchor, but no name follows", quote_it},
    Row{YAML::ErrorMsg::CHAR_IN_ANCHOR, "'&' starts an anchor, but this is no name for one", quote_it},
    Row{YAML::ErrorMsg::CHAR_IN_BLOCK, "after '|' or '>' only '+', '-' and a digit may stand",
        "start the text on the next line"},
    Row{YAML::ErrorMsg::ZERO_INDENT_IN_BLOCK, "the indentation of a block is at least 1", ""},
    Row{YAML::ErrorMsg::CHAR_IN_TAG_HANDLE, "'!' starts a tag, but this is no name for one", quote_it},
    Row{YAML::ErrorMsg::TAG_WITH_NO_SUFFIX, "'!' starts a tag, but no name follows", quote_it},
    Row{YAML::ErrorMsg::END_OF_VERBATIM_TAG, "this tag is never closed", ""},
    Row{YAML::ErrorMsg::MULTIPLE_TAGS, "a value can have one tag only", ""},
    Row{YAML::ErrorMsg::MULTIPLE_ANCHORS, "a value can have one anchor only", ""},
    Row{YAML::ErrorMsg::ALIAS_CONTENT, "an alias stands alone: nothing can be added to it", ""},
    Row{YAML::ErrorMsg::BAD_FILE, "this is nested too deeply", ""},
};

std::string first_character(std::string_view text) {
  return text.empty() ? "" : base::printable(text.substr(0, base::first_code_point(text).length));
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find_first_of(" \t\r\n,]}"));
}

}  // namespace

Complaint explain(std::string_view complaint, std::string_view rest) {
  if (complaint == YAML::ErrorMsg::UNKNOWN_TOKEN || complaint == YAML::ErrorMsg::CHAR_IN_SCALAR) {
    return {fmt::format("plain text cannot start with '{}'", first_character(rest)), "put it in quotes"};
  }
  if (complaint.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) {
    return {
        fmt::format("'{}' refers to an anchor that is not defined", base::printable(first_word(rest).substr(0, 64))),
        std::string(quote_it)};
  }
  if (complaint.starts_with(YAML::ErrorMsg::INVALID_ESCAPE)) {
    const auto escaped = complaint.substr(std::string_view(YAML::ErrorMsg::INVALID_ESCAPE).size());
    return {fmt::format("'\\{}' is no escape in double quotes", first_character(escaped)),
            "write \\\\ for a backslash, or use single quotes"};
  }
  if (complaint.starts_with(YAML::ErrorMsg::INVALID_UNICODE)) {
    return {"this escape names no character", ""};
  }
  for (const auto& row : rows) {
    if (row.complaint == complaint) {
      return {std::string(row.message), std::string(row.hint)};
    }
  }
  return {base::printable(complaint), ""};
}

bool is_about_open_quote(std::string_view complaint) {
  return complaint == YAML::ErrorMsg::EOF_IN_SCALAR || complaint == YAML::ErrorMsg::DOC_IN_SCALAR;
}

bool is_about_open_bracket(std::string_view complaint) {
  return complaint == YAML::ErrorMsg::END_OF_MAP_FLOW || complaint == YAML::ErrorMsg::END_OF_SEQ_FLOW;
}

bool is_about_escape(std::string_view complaint) {
  return complaint.starts_with(YAML::ErrorMsg::INVALID_ESCAPE) || complaint == YAML::ErrorMsg::INVALID_HEX ||
         complaint.starts_with(YAML::ErrorMsg::INVALID_UNICODE);
}

}  // namespace deployctl::yaml
