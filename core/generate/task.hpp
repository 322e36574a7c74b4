// The Job of a task: a command of a service, run once for each release with the release's image and configuration.
//
// A Job is something that happens, not something that is: it is made by a rollout and no part of what
// `generate kubernetes` writes.
#pragma once

#include "core/base/result.hpp"
#include "core/generate/inputs.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <string>
#include <string_view>

namespace deployctl::generate {

// Labels of a task's Jobs and pods. They have none of the labels that Services select by: no request ever reaches them.
inline constexpr std::string_view task_of_label = "deployctl.dev/task-of";
inline constexpr std::string_view task_label = "deployctl.dev/task";
// What the Job runs, image and configuration included, as a hash: the same for the same release of the service.
inline constexpr std::string_view task_run_label = "deployctl.dev/task-run";
// 1 for the first Job of a run; a run whose Job failed gets another one.
inline constexpr std::string_view task_attempt_label = "deployctl.dev/task-attempt";

// The Job without what tells its runs apart: its name is "<service>-<task>". It mounts no volumes of the service, which
// its pods may hold. invalid_input for config files that no ConfigMap can hold.
base::Result<kube::Object> task_job(const project::Target& target, const project::Service& service,
                                    const project::Task& task, const Inputs& inputs, const KubernetesOptions& options);

// The Job for one attempt: named "<service>-<task>-<run>", with "-<attempt>" after it from the second on.
kube::Object task_attempt(const kube::Object& job, int attempt);
// The hash in the names and labels of its attempts; the image must be filled in.
std::string task_run(const kube::Object& job);
// Selects every attempt.
std::string task_selector(const kube::Object& job);

}  // namespace deployctl::generate
