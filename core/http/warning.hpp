// Warnings a server sends along for the person in front (RFC 7234 section 5.5; distribution-spec "Warnings";
// Kubernetes uses the same form). They are shown, never acted on.
#pragma once

#include "core/http/transport.hpp"

#include <string>
#include <vector>

namespace deployctl::http {

// The texts of the answer's `Warning: 299` fields, made safe for a terminal and at most 4096 bytes each.
std::vector<std::string> warnings(const Headers& headers);

}  // namespace deployctl::http
