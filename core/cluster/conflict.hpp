// Conflicts of server-side apply in words: which field, whose, and what both sides want.
#pragma once

#include "core/base/error.hpp"
#include "core/cluster/api_error.hpp"
#include "core/kube/object.hpp"

#include <string>
#include <string_view>

namespace deployctl::cluster {

bool is_ownership_conflict(const StatusDetails& status);
// Whether all the fields in conflict belong to `manager`: our own earlier patches (undo, restart), which are no rival.
bool is_conflict_with(const StatusDetails& status, std::string_view manager);
// `live` may be null when it could not be read. The values of a Secret are never shown.
base::Error conflict_error(const kube::Object& ours, const kube::Object* live, const StatusDetails& status);

}  // namespace deployctl::cluster
