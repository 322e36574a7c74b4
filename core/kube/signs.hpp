// Signs: what objects show at one moment, named by the rule that judges them. Recognising is here, believing in
// verdict.cpp.
#pragma once

#include "core/kube/verdict.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube::verdict {

struct Sign {
  std::string_view rule;
  std::string object;  // "pod/api-7d9f-x2x"
  std::string object_uid;
  std::string field;      // "status.containerStatuses[api].state.waiting"
  std::string container;  // empty when it is about the whole object
  std::string reason;
  std::string message;
  std::string advice;  // in place of the rule's; usually empty
  std::string node;    // of the pod
  std::string image;   // that could not be pulled
  int attempts = 1;
  // When the trouble began, where that is known better than by the first look.
  std::optional<Moment> began;
  // A wait of its own in place of the rule's (a probe's budget).
  std::optional<Moment> patience;
  // Its time begins anew when this changes: what has happened since may have mended it.
  std::string stage = {};
  // As it should be at first: not worth telling before it has become probable or has lasted for naming_time.
  bool is_usual = false;
  // The container is running again, or all this is from before our write: no sign is final before it comes once more.
  bool has_hope = false;
};

// signs_objects.cpp
void add_deployment_signs(const Evidence& evidence, std::vector<Sign>& signs);
void add_replica_set_signs(const Evidence& evidence, std::vector<Sign>& signs);
void add_job_signs(const Evidence& evidence, std::vector<Sign>& signs);
// signs_pods.cpp: what is about a pod as a whole
void add_lost_pod_sign(const Pod& pod, std::vector<Sign>& signs);
void add_disruption_signs(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs);
void add_scheduling_signs(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs);
void add_setup_signs(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs);
// Only where nothing else explains the pod.
void add_gate_sign(const Pod& pod, std::vector<Sign>& signs);
void add_starting_sign(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs);
// signs_containers.cpp: what a container waits for
void add_container_signs(const Evidence& evidence, const Pod& pod, const Container& container, Memory& memory,
                         Moment now, std::vector<Sign>& signs);
// signs_exits.cpp: how it ended
void add_exit_sign(const Evidence& evidence, const Pod& pod, const Container& container,
                   const Memory::ContainerHistory& history, std::vector<Sign>& signs);
// A container that was to be started and could not be: whether the text says that its command is at fault.
bool says_command_cannot_start(std::string_view message);
// signs_probes.cpp: it runs
void add_running_signs(const Evidence& evidence, const Pod& pod, const Container& container,
                       const Memory::ContainerHistory& history, std::vector<Sign>& signs);

// "Failed" is also the reason of events about anything else that keeps a container from starting.
bool is_failed_pull(const Event& event);
// Whether that time is before our write, in whole seconds, which is what the cluster tells. What is not known is not.
bool is_before_write(std::string_view time, const Evidence& evidence);

Sign pod_sign(const Pod& pod, std::string_view rule);
Sign container_sign(const Pod& pod, const Container& container, std::string_view rule);
// "status.containerStatuses[api].state", "status.initContainerStatuses[migrate].state"
std::string status_field(const Container& container, std::string_view below);

// The rule for the reason why `image` could not be pulled; "image-pull-fails" when the text tells nothing. The image's
// own name in the text does not count.
std::string_view rule_for_pull_failure(std::string_view message, std::string_view image);

// The text holds one of the words, in whatever case.
bool mentions(std::string_view text, std::initializer_list<std::string_view> words);
// The events about an object, optionally about one of its containers, with that reason.
std::vector<const Event*> events_about(const Evidence& evidence, std::string_view uid, std::string_view reason,
                                       std::string_view container = {});
int total_count(const std::vector<const Event*>& events);
// The newest of them, the last of several at that time; null when there are none.
const Event* newest(const std::vector<const Event*>& events);

}  // namespace deployctl::kube::verdict
