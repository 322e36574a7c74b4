// A container that runs: whether its probes pass, and what else waits for it.
#include "core/kube/signs.hpp"

#include <fmt/core.h>

#include <array>

namespace deployctl::kube::verdict {
namespace {

using State = Container::State;
using Role = Container::Role;

struct ProbeAdvice {
  std::array<std::string_view, 3> words;
  std::string_view advice;
};

// Tried in order; the words are those of the kubelet's HTTP client.
constexpr auto probe_advice = std::to_array<ProbeAdvice>({
    {{"connection refused"},
     "nothing listens on the probe's port: check the port and that the program listens on all addresses"},
    {{"statuscode: 404"}, "the program answers and does not know the path: check the probe's path"},
    {{"statuscode: 401", "statuscode: 403"}, "the path wants a login: probe one that does not"},
    {{"stopped after 10 redirects"}, "the path redirects without end: name one that answers itself"},
    {{"server gave http response to https client", "malformed http response"},
     "the probe and the port disagree on TLS: check the probe's scheme"},
    {{"statuscode: 5"}, "the program answers that it is not well: read what it prints"},
    {{"deadline exceeded", "timeout", "timed out"},
     "the answer takes longer than the probe waits: raise its timeout, or answer sooner"},
});

std::string advice_for_probe(std::string_view message) {
  for (const auto& row : probe_advice) {
    for (const auto word : row.words) {
      if (!word.empty() && mentions(message, {word})) {
        return std::string(row.advice);
      }
    }
  }
  return {};
}

// Slow starts are no failures: twice as long as the probes' own settings allow is not unusual, one and a half times is
// where we begin to say so.
Moment patience_of(const Container& container) {
  return Moment(container.readiness_budget) * 3 / 2;
}

void add_readiness_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                        const Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  const auto* unhealthy = newest(events_about(evidence, pod.uid, "Unhealthy", container.name));
  if (container.is_ready || (!container.has_readiness_probe && unhealthy == nullptr)) {
    return;
  }
  auto sign = container_sign(pod, container, "not-ready");
  sign.field = unhealthy == nullptr ? status_field(container, "ready") : "events";
  sign.reason = unhealthy == nullptr ? "NotReady" : unhealthy->reason;
  sign.message = unhealthy == nullptr ? "the readiness probe has not passed yet" : unhealthy->message;
  sign.advice = advice_for_probe(sign.message);
  sign.began = history.first_started;
  sign.patience = patience_of(container);
  sign.is_usual = unhealthy == nullptr;
  signs.push_back(std::move(sign));
}

// A container that runs beside the others and comes before them: they wait until it has started.
void add_sidecar_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                      const Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  if (container.is_started) {
    return;
  }
  const auto* unhealthy = newest(events_about(evidence, pod.uid, "Unhealthy", container.name));
  auto sign = container_sign(pod, container, "sidecar-not-started");
  sign.field = status_field(container, "started");
  sign.reason = unhealthy == nullptr ? "NotStarted" : unhealthy->reason;
  sign.message =
      unhealthy == nullptr ? "the container has not started yet, and others wait for it" : unhealthy->message;
  sign.advice = advice_for_probe(sign.message);
  sign.began = history.first_started;
  sign.patience = patience_of(container);
  sign.is_usual = unhealthy == nullptr;
  signs.push_back(std::move(sign));
}

// A task is there to run; nothing waits for it but its own rollout, which says so.
void add_init_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                   const Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  if (evidence.job != nullptr) {
    return;
  }
  auto sign = container_sign(pod, container, "init-running");
  sign.field = status_field(container, "state.running");
  sign.reason = "PodInitializing";
  sign.message = fmt::format("init container {} is running", container.name);
  sign.began = history.first_started;
  sign.is_usual = true;
  signs.push_back(std::move(sign));
}

// The kubelet follows redirects on the same host only; one to another host counts as success, with a warning, which is
// the only one it has. Older kubelets add no more than the answer's body, which is mostly empty.
void add_redirect_sign(const Evidence& evidence, const Pod& pod, const Container& container, std::vector<Sign>& signs) {
  const auto* warning = newest(events_about(evidence, pod.uid, "ProbeWarning", container.name));
  if (warning == nullptr) {
    return;
  }
  auto sign = container_sign(pod, container, "health-redirects");
  sign.field = "events";
  sign.reason = warning->reason;
  sign.message = mentions(warning->message, {"redirect"})
                     ? warning->message
                     : "the probe is redirected to another host: " + warning->message;
  signs.push_back(std::move(sign));
}

}  // namespace

void add_running_signs(const Evidence& evidence, const Pod& pod, const Container& container,
                       const Memory::ContainerHistory& history, std::vector<Sign>& signs) {
  if (container.state != State::running) {
    return;
  }
  switch (container.role) {
    case Role::main:
      add_readiness_sign(evidence, pod, container, history, signs);
      break;
    case Role::sidecar:
      add_sidecar_sign(evidence, pod, container, history, signs);
      break;
    case Role::init:
      add_init_sign(evidence, pod, container, history, signs);
      break;
  }
  add_redirect_sign(evidence, pod, container, signs);
}

}  // namespace deployctl::kube::verdict
