// YAML text for typed data. Readable block style; every string that any YAML 1.1 or 1.2 reader could take for something
// else (no, on, 1.20, 012, ~, 22:22, dates, leading or trailing blanks, "<<" …) is double-quoted.
#pragma once

#include "core/json/value.hpp"

#include <string>
#include <string_view>

namespace deployctl::yaml {

// One document without "---", ending in a line feed. Members keep their order; strings with line feeds become literal
// blocks where a literal block can hold them exactly, and quoted text otherwise.
std::string emit(const json::Value& value);

// A scalar as it may stand anywhere in a YAML file: plain when nothing could misread it, else double-quoted.
std::string quote(std::string_view text);

}  // namespace deployctl::yaml
