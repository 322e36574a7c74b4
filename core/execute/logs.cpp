#include "core/execute/logs.hpp"

#include "core/base/text.hpp"
#include "core/canary/parts.hpp"
#include "core/cluster/log_follow.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/generate/task.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <mutex>
#include <thread>
#include <vector>

namespace deployctl::execute {
namespace {

constexpr std::uint64_t largest_log = 16u << 20u;  // of one container, printed at once

struct LogSource {
  std::string pod;
  std::string container;
  bool is_running = false;
  bool has_ended = false;  // this run of it, or one before
};

LogSource source_of(const kube::Object& pod, std::string container) {
  LogSource source{.pod = pod.name(), .container = std::move(container)};
  for (const auto& status : json::Reader(pod.body).at("status", "containerStatuses").elements()) {
    if (status.at("name").string_or() == source.container) {
      source.is_running = status.at("state", "running").exists();
      source.has_ended = status.at("state", "terminated").exists() || status.at("lastState", "terminated").exists();
    }
  }
  return source;
}

// Pods of both sides of a blue-green service, and of a canary: whoever reads logs wants to see all.
std::string own_pods(const project::Target& target, const project::Service& service) {
  const auto canary = canary::canary_name(*service.name);
  const bool is_another_service = target.find(canary) != nullptr;
  return fmt::format("app.kubernetes.io/name in ({}{}),app.kubernetes.io/part-of={}", *service.name,
                     is_another_service ? "" : "," + canary, *target.project);
}

std::string pods_of_task(const project::Target& target, const project::Service& service, const std::string& task) {
  return fmt::format("{}={},{}={},app.kubernetes.io/part-of={}", generate::task_of_label, *service.name,
                     generate::task_label, task, *target.project);
}

// Those before it are of other releases, or tries that were given up.
void keep_last_job(std::vector<kube::Object>& pods) {
  const auto made = [](const kube::Object& pod) {
    return json::Reader(pod.body).at("metadata", "creationTimestamp").string_or();
  };
  const auto job_of = [](const kube::Object& pod) {
    return json::Reader(pod.body).at("metadata", "labels", "job-name").string_or();
  };
  const auto newest = std::ranges::max_element(pods, {}, made);
  const auto job = newest == pods.end() ? std::string() : job_of(*newest);
  std::erase_if(pods, [&](const kube::Object& pod) { return job_of(pod) != job; });
}

base::Status check_task(const project::Service& service, const std::string& task) {
  std::vector<std::string> names;
  std::ranges::transform(service.tasks, std::back_inserter(names), &project::Task::name);
  if (task.empty() || std::ranges::find(names, task) != names.end()) {
    return {};
  }
  const auto nearest = base::did_you_mean(task, names);
  return base::Error::not_found("{} has no task '{}'", *service.name, base::printable(task))
      .with_hint("{}", !nearest.empty() ? nearest
                       : names.empty()  ? "it has none"
                                        : "it has: " + base::join(names, ", "));
}

base::Error no_pods(const project::Target& target, const project::Service& service, const std::string& task) {
  return task.empty() ? base::Error::not_found("{} has no pods in namespace {}", *service.name, target.name_space)
                            .with_hint("'deployctl status' shows what is deployed")
                      : base::Error::not_found("{} of {} has left no pods in namespace {}", task, *service.name,
                                               target.name_space)
                            .with_hint("it has not run yet, or its Job is older than a week");
}

base::Result<std::vector<LogSource>> find_sources(cluster::Client& client, const project::Target& target,
                                                  const project::Service& service, const std::string& task,
                                                  std::stop_token stop) {
  if (const auto known = check_task(service, task); !known) {
    return known.error();
  }
  auto pods =
      client.list({.resource = kube::resource_of("Pod"),
                   .name_space = target.name_space,
                   .label_selector = task.empty() ? own_pods(target, service) : pods_of_task(target, service, task)},
                  stop);
  if (!pods) {
    return pods.error();
  }
  if (!task.empty()) {
    keep_last_job(pods->items);
  }
  std::vector<LogSource> sources;
  for (const auto& pod : pods->items) {
    for (const auto& container : json::Reader(pod.body).at("spec", "containers").elements()) {
      sources.push_back(source_of(pod, container.at("name").string_or()));
    }
  }
  return sources.empty() ? base::Result<std::vector<LogSource>>(no_pods(target, service, task)) : sources;
}

void each_line(std::string_view text, const std::function<void(std::string_view)>& on_line) {
  io::LineSplitter lines(on_line);
  lines.add(text);
  lines.finish();
}

// Those that have ended once. The run that ended last is the one before only where another runs: one that is to be
// started again is still the present one, and nodes soon throw away what was before it.
base::Result<std::vector<LogSource>> ended(std::vector<LogSource> sources, const std::string& service) {
  std::erase_if(sources, [](const LogSource& source) { return !source.has_ended; });
  if (sources.empty()) {
    return base::Error::not_found("no container of {} has ended and was started again", service)
        .with_hint("'deployctl logs {}' shows what those print that run", service);
  }
  return sources;
}

base::Status print_once(cluster::Client& client, const project::Target& target, const std::vector<LogSource>& sources,
                        const LogOptions& options, const LogLine& on_line, std::stop_token stop) {
  base::Status outcome = base::Error::failed("no container has a log");
  for (const auto& source : sources) {
    const auto text = client.logs({.name_space = target.name_space,
                                   .pod = source.pod,
                                   .container = source.container,
                                   .previous = options.previous && source.is_running,
                                   .tail_lines = options.tail_lines,
                                   .limit_bytes = largest_log},
                                  stop);
    // A pod on its way out has no log any more; the others still do.
    if (text) {
      outcome = {};
      each_line(*text, [&](std::string_view line) { on_line(source.pod, base::printable(line)); });
    } else if (!outcome) {
      outcome = text.error();
    }
  }
  return outcome;
}

base::Status follow_all(cluster::Client& client, const project::Target& target, const std::vector<LogSource>& sources,
                        const LogOptions& options, const LogLine& on_line, const Ports& ports) {
  std::mutex mutex;
  base::Status outcome;
  std::vector<std::jthread> followers;
  for (const auto& source : sources) {
    followers.emplace_back([&, source] {
      const auto ended = cluster::follow_log(
          client, {target.name_space, source.pod, source.container, options.tail_lines},
          [&](std::string_view line) {
            const std::lock_guard lock(mutex);
            on_line(source.pod, line);
          },
          ports.stop);
      const auto is_expected = ended || ended.error().code == base::ErrorCode::interrupted ||
                               ended.error().code == base::ErrorCode::not_found;
      if (!is_expected) {
        const std::lock_guard lock(mutex);
        outcome = ended;
      }
    });
  }
  followers.clear();  // waits for each
  return outcome;
}

}  // namespace

base::Status read_logs(cluster::Client& client, const project::Target& target, const project::Service& service,
                       const LogOptions& options, const LogLine& on_line, const Ports& ports) {
  auto sources = find_sources(client, target, service, options.task, ports.stop);
  if (sources && options.previous) {
    sources = ended(*std::move(sources), *service.name);
  }
  if (!sources) {
    return sources.error();
  }
  return options.follow == Follow::yes ? follow_all(client, target, *sources, options, on_line, ports)
                                       : print_once(client, target, *sources, options, on_line, ports.stop);
}

}  // namespace deployctl::execute
