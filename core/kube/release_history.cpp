#include "core/kube/release_history.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::kube {
namespace {

using base::Error;
using base::Result;

std::string restorable_numbers(std::span<const ReleaseSummary> newest_first) {
  std::vector<std::string> numbers;
  for (const auto& release : newest_first) {
    if (release.was_deployed()) {
      numbers.push_back(std::to_string(release.number));
    }
  }
  return numbers.empty() ? "there is none to go back to" : "one can go back to " + base::join(numbers, ", ");
}

Result<long long> chosen_target(std::span<const ReleaseSummary> newest_first, long long number) {
  const auto found = std::ranges::find(newest_first, number, &ReleaseSummary::number);
  if (found == newest_first.end()) {
    return Error::not_found("there is no release {}", number).with_hint("{}", restorable_numbers(newest_first));
  }
  if (!found->was_deployed()) {
    return Error::refused("release {} is {}: the cluster never was all it says", number, to_string(found->state))
        .with_hint("{}", restorable_numbers(newest_first));
  }
  return number;
}

bool is_of_one(std::string_view task, const std::vector<std::string>& services) {
  return std::ranges::find(services, base::split_once(task, '/').first) != services.end();
}

}  // namespace

const ReleaseSummary* live_release(std::span<const ReleaseSummary> newest_first) {
  const auto found = std::ranges::find(newest_first, ReleaseState::deployed, &ReleaseSummary::state);
  return found == newest_first.end() ? nullptr : &*found;
}

Result<long long> undo_target(std::span<const ReleaseSummary> newest_first, std::optional<long long> to) {
  if (to) {
    return chosen_target(newest_first, *to);
  }
  const auto* live = live_release(newest_first);
  if (live == nullptr) {
    return Error::not_found("there is no release to go back to")
        .with_hint("{}", newest_first.empty() ? "'deployctl release' or 'deployctl rollout' makes the first one"
                                              : "none of those recorded was ever deployed as a whole");
  }
  if (live != newest_first.data()) {
    return live->number;
  }
  const auto before = std::ranges::find(newest_first, ReleaseState::superseded, &ReleaseSummary::state);
  if (before == newest_first.end()) {
    return Error::not_found("release {} is live, and there is none before it to go back to", live->number);
  }
  return before->number;
}

bool is_behind(const ReleaseSummary& release, std::string_view task) {
  return !release.services.empty() && !is_of_one(task, release.services);
}

base::Status check_compatible(std::span<const ReleaseSummary> newest_first, long long number,
                              const std::vector<std::string>& services) {
  const auto is_other = [&](const std::string& task) { return !services.empty() && !is_of_one(task, services); };
  for (const auto& release : newest_first) {
    auto tasks = release.contracts;
    std::erase_if(tasks, is_other);
    if (release.number == number) {
      std::erase_if(tasks, [&](const std::string& task) { return !is_behind(release, task); });
    }
    if (release.number == number && !tasks.empty()) {
      return Error::refused("release {} has {} as it was before {}, and does not work with what that leaves", number,
                            base::split_once(tasks.front(), '/').first, base::join(tasks, ", "))
          .with_hint("mend it forward: roll out what works with it");
    }
    if (release.number > number && !tasks.empty()) {
      return Error::refused("release {} has begun {}, and release {} does not work with what that leaves",
                            release.number, base::join(tasks, ", "), number)
          .with_hint("mend it forward: roll out what works with it");
    }
  }
  return {};
}

std::set<long long> kept_releases(std::span<const ReleaseSummary> newest_first, std::size_t keep) {
  std::set<long long> kept;
  std::size_t restorable = 0;
  for (std::size_t i = 0; i < newest_first.size(); ++i) {
    const auto& release = newest_first[i];
    const bool can_go_back = release.was_deployed() && restorable < keep;
    const bool is_in_the_way = !release.contracts.empty() && restorable < keep;
    restorable += can_go_back ? 1 : 0;
    if (i < keep || can_go_back || is_in_the_way) {
      kept.insert(release.number);
    }
  }
  return kept;
}

}  // namespace deployctl::kube
