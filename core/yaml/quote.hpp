// How text is written so that every reader gets it back. Private to this module; the public part is yaml::quote.
#pragma once

#include <string>
#include <string_view>

namespace deployctl::yaml {

// Appends the text as a scalar on one line: plain where nothing could misread it, else double-quoted.
void append_quoted(std::string& out, std::string_view text);

// Whether a literal block holds the text exactly: it has a line feed, no character that needs an escape, and nothing in
// its first line that could be taken for indentation.
bool fits_literal_block(std::string_view text);

}  // namespace deployctl::yaml
