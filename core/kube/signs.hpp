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
  std::string container;  // empty when it is about the whole object
  std::string reason;
  std::string message;
  std::string node;  // of the pod
  int attempts = 1;
  // When the trouble began, where that is known better than by the first look.
  std::optional<Moment> began;
  // A wait of its own in place of the rule's (a probe's budget).
  std::optional<Moment> patience;
  // As it should be at first: not worth telling before it has become probable.
  bool is_usual = false;
  // The container is running again: no sign is final before it ends once more.
  bool has_hope = false;
};

void add_deployment_signs(const Evidence& evidence, Moment now, std::vector<Sign>& signs);
void add_replica_set_signs(const Evidence& evidence, std::vector<Sign>& signs);
void add_job_signs(const Evidence& evidence, std::vector<Sign>& signs);
void add_scheduling_signs(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs);
void add_container_signs(const Evidence& evidence, const Pod& pod, const Container& container, Memory& memory,
                         Moment now, std::vector<Sign>& signs);

// The rule for the reason why `image` could not be pulled; "image-pull-fails" when the text tells nothing. The image's
// own name in the text does not count.
std::string_view rule_for_pull_failure(std::string_view message, std::string_view image);

// The text holds one of the words, in whatever case.
bool mentions(std::string_view text, std::initializer_list<std::string_view> words);
// The events about an object, optionally about one of its containers, with that reason.
std::vector<const Event*> events_about(const Evidence& evidence, std::string_view uid, std::string_view reason,
                                       std::string_view container = {});
int total_count(const std::vector<const Event*>& events);
// The newest of them, or null.
const Event* newest(const std::vector<const Event*>& events);

}  // namespace deployctl::kube::verdict
