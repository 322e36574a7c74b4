// Writing an object that drops fields which the server's own apply cannot take out (kube/dropped_fields.hpp).
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/kube/object.hpp"

#include <optional>
#include <stop_token>

namespace deployctl::cluster {

// Makes the live object what `wanted` says in one patch, so that there is no state in between, and owns nothing by it:
// the apply that follows does, and changes nothing else. The object as it is then; in a dry run as it would be, and
// nothing is written. Nothing when there is no such object or it drops nothing. Fields of other managers stay;
// conflict when the object keeps changing meanwhile.
base::Result<std::optional<kube::Object>> write_dropping(Client& client, const kube::Object& wanted, DryRun dry_run,
                                                         const std::stop_token& stop);

}  // namespace deployctl::cluster
