// A verdict timeline (tests/scenarios/verdicts/README.md): read from its file and played through a RolloutTracker.
#pragma once

#include <string>
#include <vector>

namespace deployctl::kube {

struct Timeline {
  std::vector<std::string> expected;
  std::vector<std::string> seen;
};

Timeline play_timeline(const std::string& path);

}  // namespace deployctl::kube
