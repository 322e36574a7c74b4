// Running one task of a service: a Job that is watched to its end while what it prints is told line by line.
//
// The same release runs a task once. A Job that is complete is not repeated, one that still runs (a run was stopped, or
// killed) is taken up, and one that has failed is followed by another.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/await.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/object.hpp"
#include "core/plan/plan.hpp"

#include <functional>

namespace deployctl::execute {

// `job` is the task's own with its image filled in. rollout_failed with the cause when the Job fails or cannot start;
// one that has not started is taken away then, so that it does not run later. interrupted after Ctrl-C, which leaves
// the Job alone: it goes on in the cluster. `prepare` is called before a Job is begun or taken up; what it refuses is
// not.
base::Status run_task(const plan::Step& step, const kube::Object& job, cluster::Client& client, Rollouts& rollouts,
                      const std::function<base::Status()>& prepare, const Ports& ports);

// Whether a Job has done it for this release, so that it will not run again.
base::Result<bool> has_been_done(const kube::Object& job, cluster::Client& client, const Ports& ports);

}  // namespace deployctl::execute
