// The tasks of a service.
#include "core/base/duration.hpp"
#include "core/project/settle_parts.hpp"

#include <fmt/core.h>

namespace deployctl::project {
namespace {

// A hash comes after the two in the name of a Job, which is a label as well (63 bytes at most).
constexpr std::size_t longest_job_name = 50;
constexpr std::size_t shortest_useful_name = 3;

void check_name(const std::string& service, const base::Located<std::string>& task, base::Diagnostics& out) {
  const auto length = service.size() + 1 + task->size();
  if (length > longest_job_name) {
    const auto room = longest_job_name - std::min(longest_job_name, service.size() + 1);
    out.error(task.span,
              fmt::format("'{}-{}' has {} characters and is to be part of a name that cannot be so long", service,
                          *task, length),
              room >= shortest_useful_name
                  ? fmt::format("give the task a name of at most {} characters", room)
                  : fmt::format("give the service a shorter name: the two may have {} characters with the '-' between",
                                longest_job_name));
  }
}

// One that takes away what old pods need waits until they are gone, which has to be within the run.
void settle_contract(const WrittenTask& written, const Strategy& strategy, Task& task, base::Diagnostics& out) {
  if (written.when && task.when == Task::When::before_rollout) {
    out.error(written.when->at,
              "a task with 'compatible: contract' cannot run before the rollout: the old pods are there",
              "leave 'when' out: it runs when they are gone");
  }
  task.when = Task::When::after_rollout;
  const auto keep = strategy.blue_green.keep;
  if (strategy.type == Strategy::Type::blue_green && keep.count() > 0) {
    out.error(
        written.compatible->at,
        fmt::format("'contract' waits for the old pods to go, and 'strategy' keeps them for {}", base::to_string(keep)),
        "let them go in the run: 'strategy: {type: blue-green, keep: 0s}'");
  }
}

}  // namespace

std::vector<Task> settle_tasks(const NamedService& service, const Strategy& strategy, base::Diagnostics& out) {
  std::vector<Task> tasks;
  for (const auto& [name, written, at] : value_or(service.value->tasks, {})) {
    check_name(*service.name, name, out);
    Task task{.name = *name, .command = {}};
    for (const auto& word : value_or(written.command, {})) {
      task.command.push_back(*word);
    }
    task.when = value_or(written.when, task.when);
    task.timeout = value_or(written.timeout, task.timeout);
    task.retries = value_or(written.retries, task.retries);
    task.compatible = value_or(written.compatible, task.compatible);
    task.service_account = value_or(written.service_account, {});
    if (task.compatible == Task::Compatible::contract) {
      settle_contract(written, strategy, task, out);
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace deployctl::project
