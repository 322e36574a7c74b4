// Times as the API writes them.
#pragma once

#include "core/io/clock.hpp"

#include <optional>
#include <string_view>

namespace deployctl::cluster {

// RFC 3339 with any fraction and offset: "2026-11-21T08:53:00Z", "2026-11-21T09:53:00.5+01:00". Nothing otherwise.
std::optional<io::WallTime> parse_rfc3339(std::string_view text);

}  // namespace deployctl::cluster
