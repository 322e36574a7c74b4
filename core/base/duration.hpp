// Durations as people write them: "30s", "5m", "1h30m", "250ms".
#pragma once

#include "core/base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace deployctl::base {

using Milliseconds = std::chrono::milliseconds;

// Whole numbers with a unit (ms, s, m, h, d), largest first, in any sequence; "0" needs none. invalid_input otherwise
// and past 10,000 days.
Result<Milliseconds> parse_duration(std::string_view text);

// The canonical text, which parses to the same: "1h30m", "0s".
std::string to_string(Milliseconds duration);

// For people: "0.4s", "12s", "3m05s", "2h10m".
std::string human_duration(Milliseconds duration);

}  // namespace deployctl::base
