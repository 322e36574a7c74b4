// What a run wants of the cluster, as the record of its release.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/release_run.hpp"

namespace deployctl::execute {

// Of the run's steps, with what the live release has of the services that the run is not about. Its number is given to
// it by the ledger. failed when the live release cannot be read.
base::Result<kube::Release> make_record(ReleaseRun& run);

}  // namespace deployctl::execute
