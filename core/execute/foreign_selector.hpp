// Selectors that somebody else has added to.
#pragma once

#include "core/base/result.hpp"
#include "core/kube/object.hpp"

namespace deployctl::execute {

// All members of a selector must hold: with one that is not ours a Service finds none of our pods, and no apply takes
// it out. `applied` is the wanted object as the server has it after the apply, or would have it. refused, with the
// command that takes the member out; success for other kinds.
base::Status check_selector(const kube::Object& wanted, const kube::Object& applied);

}  // namespace deployctl::execute
