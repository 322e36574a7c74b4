// The Link header (RFC 8288), as far as paging needs it.
#pragma once

#include "core/http/transport.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace deployctl::http {

// The target of the first link with that relation, as it was written (resolve it against the request's URL); nothing
// when there is none.
std::optional<std::string> link_target(const Headers& headers, std::string_view relation);

}  // namespace deployctl::http
