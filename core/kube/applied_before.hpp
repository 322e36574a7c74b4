// Telling from a dry run of server-side apply that the apply would write nothing. Pure.
#pragma once

#include "core/kube/object.hpp"

#include <string_view>

namespace deployctl::kube {

// Whether an object is as `manager` applied it long ago. `answer` is what a dry run of the apply gave; `answered_at` is
// the server's clock then (RFC 3339). The server sets the time of the manager's entry in metadata.managedFields to its
// own when the apply would change anything, and leaves it alone when nothing (Kubernetes, "Server-Side Apply"). What
// cannot be told, and what was written within the last minute, is not.
bool was_applied_before(const Object& answer, std::string_view manager, std::string_view answered_at);

}  // namespace deployctl::kube
