// Signs of one container, foremost what it waits for.
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

std::vector<const Event*> failed_pulls(const Evidence& evidence, const Pod& pod, const Container& container) {
  auto events = events_about(evidence, pod.uid, "Failed", container.name);
  std::erase_if(events, [](const Event* event) { return !is_failed_pull(*event); });
  return events;
}

bool are_all_old(const std::vector<const Event*>& events, const Evidence& evidence) {
  return std::ranges::all_of(events, [&](const Event* event) { return is_before_write(event->time, evidence); });
}

bool is_pull_reason(std::string_view reason) {
  return reason == "ErrImagePull" || reason == "ImagePullBackOff" || reason == "RegistryUnavailable" ||
         reason == "SignatureValidationFailed";
}

// Reasons of newer kubelets need no reading of messages.
std::string_view rule_for_pull(const Container& container, const std::string& message) {
  if (container.waiting_reason == "RegistryUnavailable") {
    return "image-registry-unreachable";
  }
  if (container.waiting_reason == "SignatureValidationFailed" ||
      message.find("SignatureValidationFailed") != std::string::npos) {
    return "image-signature-invalid";
  }
  return rule_for_pull_failure(message, container.image);
}

// The node's word against the registry's own: a node may ask a mirror, or have asked before the push was finished.
// Where the node does not say why, an image that is not there is reason enough.
std::string_view settled_by_registry(std::string_view rule, const Evidence& evidence, const std::string& image) {
  const bool is_unsaid = rule == "image-pull-fails";
  const bool is_open = rule == "image-not-found" || rule == "image-pull-denied" || is_unsaid;
  if (!is_open || evidence.images == nullptr) {
    return rule;
  }
  const auto answer = evidence.images->find(image);
  if (answer == evidence.images->end() || (is_unsaid && answer->second != ImageAnswer::missing)) {
    return rule;
  }
  switch (answer->second) {
    case ImageAnswer::exists:
      return "image-on-its-way";
    case ImageAnswer::missing:
      return "image-missing";
    case ImageAnswer::denied:
      return "image-forbidden";
  }
  return rule;
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
  const auto rule = rule_for_pull(container, history.pull_message);
  auto sign = container_sign(pod, container, settled_by_registry(rule, evidence, container.image));
  const bool is_in_status = is_pull_reason(container.waiting_reason);
  sign.field = is_in_status ? status_field(container, "state.waiting") : "events";
  sign.reason = is_in_status ? container.waiting_reason : "ErrImagePull";
  sign.image = container.image;
  sign.message = history.pull_message;
  const bool is_old = is_before_write(pod.created, evidence) && are_all_old(events, evidence);
  sign.attempts = std::max({1, history.pull_attempts, is_old ? 0 : total_count(events)});
  const bool is_known_to_fail = sign.rule == "image-missing" || sign.rule == "image-forbidden";
  sign.has_hope = is_old && history.pull_attempts < 2 && !is_known_to_fail;
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

// The kubelet's event "Error: configmap "x" not found" comes before the status says CreateContainerConfigError, and its
// count tells how often it has tried.
void add_configuration_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                            std::vector<Sign>& signs) {
  auto events = events_about(evidence, pod.uid, "Failed", container.name);
  std::erase_if(events, [](const Event* event) { return !is_about_configuration(event->message); });
  std::string message;
  const bool is_in_status = container.waiting_reason == "CreateContainerConfigError";
  if (is_in_status) {
    message = container.waiting_message;
  } else if (!events.empty() && (container.waiting_reason.empty() || container.waiting_reason == "ContainerCreating")) {
    message = newest(events)->message.substr(std::string_view("Error: ").size());
  }
  if (message.empty()) {
    return;
  }
  auto sign = container_sign(pod, container, rule_for_config_error(message));
  sign.field = is_in_status ? status_field(container, "state.waiting") : "events";
  sign.reason = "CreateContainerConfigError";
  sign.message = std::move(message);
  sign.attempts = std::max(1, total_count(events));
  signs.push_back(std::move(sign));
}

// Kubelets append what happened: "PostStartHookError: command 'x' exited with 1".
std::string_view rule_for_wait(const Container& container) {
  const std::string_view reason = container.waiting_reason;
  if (reason == "InvalidImageName") {
    return "image-name-invalid";
  }
  if (reason == "ErrImageNeverPull") {
    return "image-never-pulled";
  }
  if (reason == "CreateContainerError") {
    return mentions(container.waiting_message, {"is reserved"}) ? "container-name-reserved" : "container-not-created";
  }
  const bool is_hook = reason.starts_with("PostStartHookError") || reason.starts_with("PreStartHookError") ||
                       reason.starts_with("PreCreateHookError");
  return is_hook ? "hook-fails" : "";
}

// Reasons that need no reading of messages.
void add_named_wait_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                         const Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  const auto rule = rule_for_wait(container);
  if (rule.empty()) {
    return;
  }
  auto sign = container_sign(pod, container, rule);
  const auto [reason, more] = base::split_once(container.waiting_reason, ':');
  sign.field = status_field(container, "state.waiting");
  sign.reason = reason;
  sign.message = container.waiting_message.empty() ? std::string(base::trim(more)) : container.waiting_message;
  sign.attempts = std::max(1, total_count(events_about(evidence, pod.uid, "Failed", container.name)));
  if (rule == "hook-fails") {
    sign.attempts = std::max(1, container.exits());
    sign.began = history.first_started;
  }
  signs.push_back(std::move(sign));
}

void add_start_sign(const Pod& pod, const Container& container, std::vector<Sign>& signs) {
  if (container.waiting_reason != "RunContainerError" || container.latest_exit() != nullptr) {
    return;
  }
  auto sign = container_sign(
      pod, container,
      says_command_cannot_start(container.waiting_message) ? "command-cannot-start" : "container-not-started");
  sign.field = status_field(container, "state.waiting");
  sign.reason = container.waiting_reason;
  sign.message = container.waiting_message;
  signs.push_back(std::move(sign));
}

}  // namespace

bool is_failed_pull(const Event& event) {
  return event.reason == "Failed" && event.message.starts_with("Failed to pull image");
}

void add_container_signs(const Evidence& evidence, const Pod& pod, const Container& container, Memory& memory,
                         Moment now, std::vector<Sign>& signs) {
  auto& history = memory.container(pod.uid, container.name);
  remember(container, history, now);
  if (container.state == State::waiting) {
    add_pull_sign(evidence, pod, container, history, signs);
    add_configuration_sign(evidence, pod, container, signs);
    add_named_wait_sign(evidence, pod, container, history, signs);
    add_start_sign(pod, container, signs);
  }
  if (rule_for_wait(container) != "hook-fails") {
    add_exit_sign(evidence, pod, container, history, signs);
  }
  add_running_signs(evidence, pod, container, history, signs);
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
