// How a container ended, and who ended it: itself, its probe, its hook, or the node for want of memory.
#include "core/base/text.hpp"
#include "core/kube/signs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace deployctl::kube::verdict {
namespace {

using State = Container::State;

// A program that needs more than this from the start was given too little; more may be a leak.
constexpr long long small_memory = 128LL << 20;

// containerd tells of a missing program as StartError with code 128, Docker as ContainerCannotRun with 127.
bool is_start_failure(const Container& container, const Termination& exit) {
  return container.waiting_reason == "RunContainerError" || exit.reason == "StartError" ||
         exit.reason == "ContainerCannotRun";
}

std::string_view rule_for_exit(const Container& container, const Termination& exit) {
  if (is_start_failure(container, exit)) {
    const bool is_told =
        says_command_cannot_start(exit.message) || says_command_cannot_start(container.waiting_message);
    return is_told ? "command-cannot-start" : "container-not-started";
  }
  if (exit.reason == "OOMKilled") {
    return "out-of-memory";
  }
  if (exit.reason == "ContainerStatusUnknown") {
    return "container-lost";
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
    case 255:
      return "container-ends-abnormally";
    default:
      return "container-crashes";
  }
}

// What shells make of the signal that ended a program, 128 + its number.
std::string_view signal_of(int exit_code) {
  constexpr std::pair<int, std::string_view> signals[] = {
      {132, "SIGILL"}, {134, "SIGABRT"}, {137, "SIGKILL"}, {139, "SIGSEGV"}, {143, "SIGTERM"}};
  const auto* found = std::ranges::find(signals, exit_code, &std::pair<int, std::string_view>::first);
  return found == std::end(signals) ? std::string_view() : found->second;
}

std::string describe_exit(const Container& container, const Termination& exit) {
  auto text = fmt::format("the container ended with exit code {}", exit.exit_code);
  if (exit.reason == "OOMKilled") {
    text = "the container was killed for using too much memory";
    if (container.memory_limit > 0) {
      text += fmt::format(", its limit is {}", base::human_bytes(static_cast<std::uint64_t>(container.memory_limit)));
    }
  } else if (const auto signal = signal_of(exit.exit_code); !signal.empty()) {
    text += fmt::format(" ({})", signal);
  }
  const auto message = base::trim(exit.message);
  return message.empty() ? text : fmt::format("{}: {}", text, message);
}

// Kubelets kill containers whose liveness or startup probe fails. What the program makes of SIGTERM is its own affair:
// when it was killed as often as it ended, its exit code says nothing.
void add_probe_kill(const Evidence& evidence, const Pod& pod, const Container& container, Sign& sign) {
  auto kills = events_about(evidence, pod.uid, "Killing", container.name);
  std::erase_if(kills, [](const Event* event) {
    return !mentions(event->message, {"failed liveness probe", "failed startup probe"});
  });
  const auto* kill = newest(kills);
  if (kill == nullptr || (sign.rule != "container-killed" && total_count(kills) < container.exits())) {
    return;
  }
  sign.rule = mentions(kill->message, {"startup probe"}) ? "startup-probe-fails" : "probe-kills-container";
  sign.field = "events";
  sign.message = kill->message;
  if (const auto* unhealthy = newest(events_about(evidence, pod.uid, "Unhealthy", container.name))) {
    sign.message += "; " + unhealthy->message;
  }
}

void add_hook_kill(const Evidence& evidence, const Pod& pod, const Container& container, Sign& sign) {
  const auto hooks = events_about(evidence, pod.uid, "FailedPostStartHook", container.name);
  if (hooks.empty() || (sign.rule != "container-killed" && total_count(hooks) < container.exits())) {
    return;
  }
  sign.rule = "hook-fails";
  sign.field = "events";
  sign.message = newest(hooks)->message;
}

// Kubelets are slow with events when much happens: who has ended the container may not be known yet.
void add_doubt(const Container& container, Sign& sign) {
  if (container.ended_by.empty() || (sign.rule != "command-ends" && sign.rule != "container-killed")) {
    return;
  }
  sign.advice =
      fmt::format("{}, or {} ends it, which no event tells yet: check both",
                  sign.rule == "command-ends" ? "the command returns" : "the node kills it", container.ended_by);
}

// Memory that does not even suffice to start is told at the first end.
void add_memory(const Container& container, const Memory::ContainerHistory& history, Sign& sign) {
  const bool is_small = container.memory_limit > 0 && container.memory_limit < small_memory;
  if (sign.rule == "out-of-memory" && is_small && !history.was_ready) {
    sign.attempts = std::max(sign.attempts, 2);
  }
}

// What has been ready, or ends in different ways, is unstable rather than broken. A probe that kills says more, and one
// that kills a container without a readiness probe ends what only seemed ready.
void add_stability(const Container& container, const Memory::ContainerHistory& history, Sign& sign) {
  const bool is_unstable = history.was_ready || history.exits_differ;
  if (!is_unstable || sign.rule == "container-lost") {
    return;
  }
  if (sign.rule == "probe-kills-container") {
    sign.has_hope = sign.has_hope || container.has_readiness_probe;
    return;
  }
  sign.rule = "container-unstable";
}

}  // namespace

bool says_command_cannot_start(std::string_view message) {
  return mentions(message,
                  {"executable file not found", "no such file", "permission denied", "not a directory", "exec format"});
}

// Init containers and those of Jobs end with 0 when they are done; nothing else that ran to its end is meant to stay
// there.
void add_exit_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                   const Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  const auto* exit = container.latest_exit();
  const bool may_end = container.role == Container::Role::init || evidence.job != nullptr;
  const bool is_done = may_end && exit != nullptr && exit->exit_code == 0;
  const bool works_now = container.state == State::running && container.is_ready;
  if (exit == nullptr || is_done || works_now) {
    return;
  }
  auto sign = container_sign(pod, container, rule_for_exit(container, *exit));
  sign.field = status_field(container, container.termination ? "state.terminated" : "lastState.terminated");
  sign.reason =
      container.waiting_reason == "CrashLoopBackOff" || exit->reason.empty() ? "CrashLoopBackOff" : exit->reason;
  sign.message = describe_exit(container, *exit);
  sign.attempts = container.exits();
  sign.began = history.first_started;
  const bool is_old = is_before_write(pod.created, evidence) && is_before_write(exit->finished, evidence);
  sign.has_hope = container.state == State::running || is_old;
  if (sign.rule != "container-lost" && sign.rule != "out-of-memory") {
    add_probe_kill(evidence, pod, container, sign);
    add_hook_kill(evidence, pod, container, sign);
  }
  if (is_old && container.state != State::running) {
    sign.advice =
        "that was before this run: the node starts it again within five minutes; 'deployctl restart' does at once";
  }
  add_doubt(container, sign);
  add_memory(container, history, sign);
  add_stability(container, history, sign);
  signs.push_back(std::move(sign));
}

}  // namespace deployctl::kube::verdict
