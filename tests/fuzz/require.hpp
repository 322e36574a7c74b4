// What a fuzz target asserts: libFuzzer takes an abort for a finding, gtest for a failure.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace deployctl::fuzz {

inline void require(bool holds, std::string_view what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
  }
}

}  // namespace deployctl::fuzz
