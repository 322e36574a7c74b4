// Functions that take any bytes at all: they must return, and what they return must hold what is asserted. libFuzzer
// calls one of them for hours; the regression test calls them with every file of the corpus.
#pragma once

#include <string_view>

namespace deployctl::fuzz {

// What parses is emitted and parsed again to the same value.
void yaml(std::string_view bytes);
// What parses is printed and parsed again to the same URL; resolving it against a base never fails in other ways.
void url(std::string_view bytes);
// What parses is written in each form and parsed again to the same value.
void json(std::string_view bytes);

}  // namespace deployctl::fuzz
