#include "core/execute/left_tasks.hpp"

#include "core/generate/metadata.hpp"
#include "core/generate/task.hpp"
#include "core/json/reader.hpp"
#include "core/kube/job.hpp"
#include "core/kube/resource.hpp"

#include <algorithm>
#include <set>

namespace deployctl::execute {
namespace {

using events::Note;

constexpr std::string_view environment_label = "deployctl.dev/environment";

std::string label_of(const kube::Object& object, std::string_view name) {
  return json::Reader(object.body).at("metadata", "labels", name).string_or();
}

bool has_begun(const kube::Object& pod) {
  const auto status = json::Reader(pod.body).at("status");
  for (const auto* part : {"initContainerStatuses", "containerStatuses"}) {
    for (const auto& container : status.at(part).elements()) {
      const auto state = container.at("state");
      if (state.at("running").exists() || state.at("terminated").exists() ||
          container.at("lastState", "terminated").exists()) {
        return true;
      }
    }
  }
  const auto phase = status.at("phase").string_or();
  return !phase.empty() && phase != "Pending";
}

class LeftTasks {
 public:
  LeftTasks(cluster::Client& client, const LedgerScope& scope, const std::vector<kube::Object>& wanted,
            const Ports& ports)
      : client_(client), scope_(scope), ports_(ports) {
    for (const auto& job : wanted) {
      wanted_.insert(generate::task_run(job));
    }
  }

  base::Status run() {
    const auto jobs =
        list("Job", fmt::format("app.kubernetes.io/part-of={},{}", scope_.project, generate::task_of_label));
    if (!jobs) {  // who may not list them has made none
      return jobs.error().code == base::ErrorCode::unauthorized ? base::Status() : jobs.error();
    }
    for (const auto& job : *jobs) {
      if (const auto left = is_left(job) ? take_away_unless_begun(job) : base::Status(); !left) {
        return left.error().within("job/{}", job.name());
      }
    }
    return {};
  }

 private:
  base::Result<std::vector<kube::Object>> list(std::string_view kind, std::string selector) {
    auto listed = client_.list(
        {.resource = kube::resource_of(kind), .name_space = scope_.name_space, .label_selector = std::move(selector)},
        ports_.stop);
    return listed ? base::Result<std::vector<kube::Object>>(std::move(listed->items)) : listed.error();
  }

  bool is_left(const kube::Object& job) const {
    const auto state = kube::Job::from_json(job.body);
    return label_of(job, environment_label) == generate::label_value(scope_.environment) &&
           !wanted_.contains(label_of(job, generate::task_run_label)) && !state.is_over() && state.succeeded == 0 &&
           state.failed == 0 && !json::Reader(job.body).at("metadata", "deletionTimestamp").exists();
  }

  base::Status take_away_unless_begun(const kube::Object& job) {
    const auto pods = list("Pod", "job-name=" + job.name());
    if (!pods) {
      return pods.error();
    }
    if (std::ranges::any_of(*pods, has_begun)) {
      return {};
    }
    const auto uid = json::Reader(job.body).at("metadata", "uid").string_or();
    const auto removed = client_.remove(job.key(), {.uid = uid, .resource_version = {}, .stop = ports_.stop});
    if (!removed) {
      return removed.error().code == base::ErrorCode::not_found ? base::Status() : removed.error();
    }
    ports_.events.emit(Note{Note::Level::info,
                            fmt::format("job/{} is taken away: a run that was interrupted has left it, and it has not "
                                        "begun and would run later",
                                        job.name())});
    return {};
  }

  cluster::Client& client_;
  const LedgerScope& scope_;
  const Ports& ports_;
  std::set<std::string> wanted_;
};

}  // namespace

void take_left_tasks_away(cluster::Client& client, const LedgerScope& scope, const std::vector<kube::Object>& wanted,
                          const Ports& ports) {
  if (const auto done = LeftTasks(client, scope, wanted, ports).run(); !done) {
    ports.events.emit(
        Note{Note::Level::warning, "tasks that an interrupted run has left, and that have not begun, may run later: " +
                                       base::to_string(done.error())});
  }
}

}  // namespace deployctl::execute
