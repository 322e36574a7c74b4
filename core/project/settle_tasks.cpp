// The tasks of a service.
#include "core/project/settle_parts.hpp"

namespace deployctl::project {
namespace {

// A hash comes after the two in the name of a Job, which is a label as well (63 bytes at most).
constexpr std::size_t longest_job_name = 50;

void check_name(const std::string& service, const base::Located<std::string>& task, base::Diagnostics& out) {
  const auto length = service.size() + 1 + task->size();
  if (length > longest_job_name) {
    out.error(task.span,
              fmt::format("'{}-{}' has {} characters and is to be part of a name that cannot be so long", service,
                          *task, length),
              fmt::format("give the task a name of at most {} characters",
                          longest_job_name - std::min(longest_job_name - 1, service.size() + 1)));
  }
}

}  // namespace

std::vector<Task> settle_tasks(const NamedService& service, base::Diagnostics& out) {
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
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace deployctl::project
