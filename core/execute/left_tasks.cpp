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

bool is_running_or_was(const kube::Object& pod) {
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

// Beside its own time, for a pod that is told to end and for a controller that is slow to say so.
constexpr std::chrono::seconds time_to_end{60};
constexpr std::chrono::milliseconds between_looks{1'000};

std::chrono::milliseconds time_of(const kube::Object& job) {
  const auto seconds = json::Reader(job.body).at("spec", "activeDeadlineSeconds").integer_or();
  return std::chrono::seconds(seconds) + time_to_end;
}

class LeftTasks {
 public:
  LeftTasks(cluster::Client& client, const LedgerScope& scope, const std::vector<kube::Object>& wanted,
            const Ports& ports)
      : client_(client), scope_(scope), ports_(ports) {
    for (const auto& job : wanted) {
      wanted_.insert(generate::task_run(job));
      services_.insert(label_of(job, generate::task_of_label));
    }
  }

  // Those that are at work.
  base::Result<std::vector<kube::Object>> take_away_those_not_begun() {
    const auto jobs =
        list("Job", fmt::format("app.kubernetes.io/part-of={},{}", scope_.project, generate::task_of_label));
    std::vector<kube::Object> at_work;
    if (!jobs) {  // who may not list them has made none
      return jobs.error().code == base::ErrorCode::unauthorized ? base::Result(std::move(at_work)) : jobs.error();
    }
    for (const auto& job : *jobs) {
      if (!is_left(job)) {
        continue;
      }
      const auto begun = has_begun(job);
      const auto left = !begun || *begun ? base::Status() : take_away(job);
      if (!begun || !left) {
        return (begun ? left.error() : begun.error()).within("job/{}", job.name());
      }
      if (*begun) {
        at_work.push_back(job);
      }
    }
    return at_work;
  }

  base::Status wait_for(const kube::Object& job) {
    if (!services_.contains(label_of(job, generate::task_of_label))) {
      note(Note::Level::warning,
           fmt::format("job/{} is still at work, left by a run that was interrupted: it goes on, and "
                       "what it does is not taken back",
                       job.name()));
      return {};
    }
    note(Note::Level::info,
         fmt::format("waiting for job/{} to end: a run that was interrupted has left it at work, and two "
                     "tasks of one service never run at once",
                     job.name()));
    const auto end = ports_.clock.steady_now() + time_of(job);
    while (true) {
      const auto live = client_.get(job.key(), ports_.stop);
      if (!live) {
        return live.error().code == base::ErrorCode::not_found ? base::Status() : live.error();
      }
      if (kube::Job::from_json(live->body).is_over()) {
        return {};
      }
      if (ports_.clock.steady_now() >= end) {
        return base::Error::make(base::ErrorCode::refused, "job/{}, left by a run that was interrupted, does not end",
                                 job.name())
            .with_hint("look at it with 'kubectl describe job/{0} -n {1}', delete it if it may go, and run this again",
                       job.name(), scope_.name_space);
      }
      ports_.clock.sleep_for(between_looks, ports_.stop);
      if (ports_.stop.stop_requested()) {
        return base::Error::interrupted();
      }
    }
  }

 private:
  base::Result<std::vector<kube::Object>> list(std::string_view kind, std::string selector) {
    auto listed = client_.list(
        {.resource = kube::resource_of(kind), .name_space = scope_.name_space, .label_selector = std::move(selector)},
        ports_.stop);
    return listed ? base::Result<std::vector<kube::Object>>(std::move(listed->items)) : listed.error();
  }

  bool is_left(const kube::Object& job) const {
    return label_of(job, environment_label) == generate::label_value(scope_.environment) &&
           !wanted_.contains(label_of(job, generate::task_run_label)) && !kube::Job::from_json(job.body).is_over() &&
           !json::Reader(job.body).at("metadata", "deletionTimestamp").exists();
  }

  base::Result<bool> has_begun(const kube::Object& job) {
    const auto state = kube::Job::from_json(job.body);
    if (state.succeeded > 0 || state.failed > 0) {
      return true;
    }
    const auto pods = list("Pod", "job-name=" + job.name());
    return pods ? base::Result<bool>(std::ranges::any_of(*pods, is_running_or_was)) : pods.error();
  }

  base::Status take_away(const kube::Object& job) {
    const auto uid = json::Reader(job.body).at("metadata", "uid").string_or();
    const auto removed = client_.remove(job.key(), {.uid = uid, .resource_version = {}, .stop = ports_.stop});
    if (!removed) {
      return removed.error().code == base::ErrorCode::not_found ? base::Status() : removed.error();
    }
    note(Note::Level::info, fmt::format("job/{} is taken away: a run that was interrupted has left it, and it has not "
                                        "begun and would run later",
                                        job.name()));
    return {};
  }

  void note(Note::Level level, std::string text) { ports_.events.emit(Note{level, std::move(text)}); }

  cluster::Client& client_;
  const LedgerScope& scope_;
  const Ports& ports_;
  std::set<std::string> wanted_;    // runs
  std::set<std::string> services_;  // that have tasks in this run
};

}  // namespace

base::Status settle_left_tasks(cluster::Client& client, const LedgerScope& scope,
                               const std::vector<kube::Object>& wanted, const Ports& ports) {
  LeftTasks tasks(client, scope, wanted, ports);
  const auto at_work = tasks.take_away_those_not_begun();
  if (!at_work) {
    ports.events.emit(
        Note{Note::Level::warning, "tasks that an interrupted run has left, and that have not begun, may run later: " +
                                       base::to_string(at_work.error())});
    return {};
  }
  for (const auto& job : *at_work) {
    if (const auto ended = tasks.wait_for(job); !ended) {
      return ended;
    }
  }
  return {};
}

}  // namespace deployctl::execute
