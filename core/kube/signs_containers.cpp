// Signs of one container: what it waits for, how it ended, whether its probe passes.
//
// Events of the kubelet come up to seconds before the pod's status says the same, so both are read; an event is only
// believed while the status does not contradict it. Older kubelets forget the reason once they back off: it is kept in
// the memory.
#include "core/base/text.hpp"
#include "core/kube/signs.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::kube::verdict {
namespace {

using State = Container::State;

// A container that has been ready for so long has proven that it works; without a probe of its own it counts as ready
// the moment it is started.
constexpr Moment proving_time{10'000};

Sign container_sign(const Pod& pod, const Container& container, std::string_view rule) {
  return {
      .rule = rule, .object = "pod/" + pod.name, .object_uid = pod.uid, .container = container.name, .node = pod.node};
}

std::string_view without_rpc_prefix(std::string_view message) {
  constexpr std::string_view prefix = "rpc error: code = ";
  const auto at = message.find(prefix);
  const auto description = at == std::string_view::npos ? at : message.find("desc = ", at);
  return description == std::string_view::npos ? message : message.substr(description + 7);
}

void remember(const Container& container, Memory::ContainerHistory& history, Moment now) {
  if (container.state != State::waiting || container.exits() > 0) {
    if (!history.has_started) {
      history.has_started = true;
      history.first_started = now;
    }
  }
  if (container.is_ready && container.state == State::running) {
    history.ready_since = history.ready_since.value_or(now);
    history.was_ready =
        history.was_ready || container.has_readiness_probe || now - *history.ready_since >= proving_time;
  } else {
    history.ready_since.reset();
  }
  if (const auto* exit = container.latest_exit(); exit != nullptr && container.exits() != history.known_exits) {
    history.exits_differ =
        history.exits_differ || (history.known_exits > 0 && history.last_exit_code != exit->exit_code);
    history.known_exits = container.exits();
    history.last_exit_code = exit->exit_code;
  }
  if (container.waiting_reason == "ErrImagePull" && history.last_waiting_reason != "ErrImagePull") {
    ++history.pull_attempts;
  }
  history.last_waiting_reason = container.waiting_reason;
}

// "Failed" is also the reason of events about anything else that keeps a container from starting.
std::vector<const Event*> failed_pulls(const Evidence& evidence, const Pod& pod, const Container& container) {
  auto events = events_about(evidence, pod.uid, "Failed", container.name);
  std::erase_if(events, [](const Event* event) { return !event->message.starts_with("Failed to pull image"); });
  return events;
}

bool is_pull_reason(std::string_view reason) {
  return reason == "ErrImagePull" || reason == "ImagePullBackOff" || reason == "RegistryUnavailable";
}

// The most telling text at hand; what was told before when the present one says nothing.
std::string pull_message(const Container& container, const Event* event, const Memory::ContainerHistory& history) {
  for (const auto& text : {container.waiting_message, event == nullptr ? std::string() : event->message}) {
    if (rule_for_pull_failure(text, container.image) != "image-pull-fails") {
      return std::string(without_rpc_prefix(text));
    }
  }
  return history.pull_message.empty() ? container.waiting_message : history.pull_message;
}

void add_pull_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                   Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  const auto events = failed_pulls(evidence, pod, container);
  const bool is_pulling = container.waiting_reason.empty() || container.waiting_reason == "ContainerCreating" ||
                          container.waiting_reason == "PodInitializing";
  if (!is_pull_reason(container.waiting_reason) && !(is_pulling && !events.empty())) {
    return;
  }
  history.pull_message = pull_message(container, newest(events), history);
  const auto rule = container.waiting_reason == "RegistryUnavailable"
                        ? "image-registry-unreachable"
                        : rule_for_pull_failure(history.pull_message, container.image);
  auto sign = container_sign(pod, container, rule);
  sign.reason = is_pull_reason(container.waiting_reason) ? container.waiting_reason : "ErrImagePull";
  sign.message = history.pull_message;
  sign.attempts = std::max({1, history.pull_attempts, total_count(events)});
  signs.push_back(std::move(sign));
}

std::string_view rule_for_config_error(std::string_view message) {
  if (mentions(message, {"failed to sync", "cache: timed out", "cache: time out"})) {
    return "configuration-not-yet-read";
  }
  if (mentions(message, {"image will run as root", "non-numeric user"})) {
    return "must-not-run-as-root";
  }
  return mentions(message, {"not found", "couldn't find key"}) ? "configuration-missing" : "configuration-error";
}

bool is_about_configuration(std::string_view message) {
  return message.starts_with("Error: ") && rule_for_config_error(message) != "configuration-error" &&
         mentions(message, {"configmap", "secret", "couldn't find key", "run as root", "non-numeric"});
}

// The kubelet's event "Error: configmap "x" not found" comes before the status says CreateContainerConfigError.
void add_configuration_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                            std::vector<Sign>& signs) {
  std::string message;
  if (container.waiting_reason == "CreateContainerConfigError") {
    message = container.waiting_message;
  } else if (container.waiting_reason.empty() || container.waiting_reason == "ContainerCreating") {
    auto events = events_about(evidence, pod.uid, "Failed", container.name);
    std::erase_if(events, [](const Event* event) { return !is_about_configuration(event->message); });
    const auto* event = newest(events);
    message = event == nullptr ? std::string() : event->message.substr(std::string_view("Error: ").size());
  }
  if (message.empty()) {
    return;
  }
  auto sign = container_sign(pod, container, rule_for_config_error(message));
  sign.reason = "CreateContainerConfigError";
  sign.message = std::move(message);
  signs.push_back(std::move(sign));
}

// Reasons that need no reading of messages.
void add_named_wait_sign(const Pod& pod, const Container& container, std::vector<Sign>& signs) {
  std::string_view rule;
  if (container.waiting_reason == "InvalidImageName") {
    rule = "image-name-invalid";
  } else if (container.waiting_reason == "ErrImageNeverPull") {
    rule = "image-never-pulled";
  } else if (container.waiting_reason == "CreateContainerError") {
    rule = mentions(container.waiting_message, {"is reserved"}) ? "container-name-reserved" : "container-not-created";
  } else {
    return;
  }
  auto sign = container_sign(pod, container, rule);
  sign.reason = container.waiting_reason;
  sign.message = container.waiting_message;
  signs.push_back(std::move(sign));
}

bool cannot_start(std::string_view message) {
  return mentions(message,
                  {"executable file not found", "no such file", "permission denied", "not a directory", "exec format"});
}

// containerd tells of a missing program as StartError with code 128, Docker as ContainerCannotRun with 127.
bool is_start_failure(const Container& container, const Termination& exit) {
  return container.waiting_reason == "RunContainerError" || exit.reason == "StartError" ||
         exit.reason == "ContainerCannotRun";
}

std::string_view rule_for_exit(const Container& container, const Termination& exit) {
  if (is_start_failure(container, exit)) {
    const bool is_told = cannot_start(exit.message) || cannot_start(container.waiting_message);
    return is_told ? "command-cannot-start" : "container-not-started";
  }
  if (exit.reason == "OOMKilled") {
    return "out-of-memory";
  }
  switch (exit.exit_code) {
    case 0:
      return "command-ends";
    case 126:
    case 127:
      return "command-cannot-start";
    case 132:
    case 134:
    case 139:
      return "container-aborts";
    case 137:
    case 143:
      return "container-killed";
    default:
      return "container-crashes";
  }
}

std::string describe_exit(const Termination& exit) {
  const auto text = exit.reason == "OOMKilled" ? std::string("the container was killed for using too much memory")
                                               : fmt::format("the container ended with exit code {}", exit.exit_code);
  const auto message = base::trim(exit.message);
  return message.empty() ? text : fmt::format("{}: {}", text, message);
}

// Kubelets kill containers whose liveness or startup probe fails, which then shows as 137 or 143.
void add_probe_kill(const Evidence& evidence, const Pod& pod, const Container& container, Sign& sign) {
  if (sign.rule != "container-killed") {
    return;
  }
  const auto* kill = newest(events_about(evidence, pod.uid, "Killing", container.name));
  if (kill != nullptr && mentions(kill->message, {"failed liveness probe", "failed startup probe"})) {
    sign.rule = "probe-kills-container";
    sign.message = kill->message;
    if (const auto* unhealthy = newest(events_about(evidence, pod.uid, "Unhealthy", container.name))) {
      sign.message += "; " + unhealthy->message;
    }
  }
}

// Init containers end with 0 when they are done; nothing else that ran to its end is meant to stay there.
void add_exit_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                   const Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  const auto* exit = container.latest_exit();
  const bool is_done = container.role == Container::Role::init && exit != nullptr && exit->exit_code == 0;
  const bool works_now = container.state == State::running && container.is_ready;
  if (exit == nullptr || is_done || works_now) {
    return;
  }
  auto sign = container_sign(pod, container, rule_for_exit(container, *exit));
  sign.reason =
      container.waiting_reason == "CrashLoopBackOff" || exit->reason.empty() ? "CrashLoopBackOff" : exit->reason;
  sign.message = describe_exit(*exit);
  sign.attempts = container.exits();
  sign.began = history.first_started;
  sign.has_hope = container.state == State::running;
  add_probe_kill(evidence, pod, container, sign);
  if (history.was_ready || history.exits_differ) {
    sign.rule = "container-unstable";
  }
  signs.push_back(std::move(sign));
}

void add_start_sign(const Pod& pod, const Container& container, std::vector<Sign>& signs) {
  if (container.waiting_reason != "RunContainerError" || container.latest_exit() != nullptr) {
    return;
  }
  auto sign = container_sign(
      pod, container, cannot_start(container.waiting_message) ? "command-cannot-start" : "container-not-started");
  sign.reason = container.waiting_reason;
  sign.message = container.waiting_message;
  signs.push_back(std::move(sign));
}

void add_readiness_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                        const Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  if (container.state != State::running || container.is_ready || container.role != Container::Role::main) {
    return;
  }
  auto events = events_about(evidence, pod.uid, "Unhealthy", container.name);
  const auto* unhealthy = newest(events);
  if (!container.has_readiness_probe && unhealthy == nullptr) {
    return;
  }
  auto sign = container_sign(pod, container, "not-ready");
  sign.reason = unhealthy == nullptr ? "NotReady" : unhealthy->reason;
  sign.message = unhealthy == nullptr ? "the readiness probe has not passed yet" : unhealthy->message;
  sign.began = history.first_started;
  sign.patience = Moment(container.readiness_budget) * 3 / 2;
  sign.is_usual = unhealthy == nullptr;
  signs.push_back(std::move(sign));
}

}  // namespace

void add_container_signs(const Evidence& evidence, const Pod& pod, const Container& container, Memory& memory,
                         Moment now, std::vector<Sign>& signs) {
  auto& history = memory.container(pod.uid, container.name);
  remember(container, history, now);
  if (container.state == State::waiting) {
    add_pull_sign(evidence, pod, container, history, signs);
    add_configuration_sign(evidence, pod, container, signs);
    add_named_wait_sign(pod, container, signs);
    add_start_sign(pod, container, signs);
  }
  add_exit_sign(evidence, pod, container, history, signs);
  add_readiness_sign(evidence, pod, container, history, signs);
}

std::optional<Moment> unsettled_until(const Evidence& evidence, const Memory& memory) {
  std::optional<Moment> until;
  for (const auto* pod : evidence.pods) {
    for (const auto& container : pod->containers) {
      const auto* history = memory.find_container(pod->uid, container.name);
      const bool is_done = container.role == Container::Role::init && container.state != State::waiting;
      if (history == nullptr || history->was_ready || is_done || container.exits() == 0) {
        continue;
      }
      const auto settled = history->ready_since ? *history->ready_since + proving_time : Moment::max();
      until = std::max(until.value_or(settled), settled);
    }
  }
  return until;
}

}  // namespace deployctl::kube::verdict
