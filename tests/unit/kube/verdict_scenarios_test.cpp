// Every file of tests/scenarios/verdicts is one test.
#include "tests/unit/kube/timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace deployctl::kube {
namespace {

std::vector<std::string> timeline_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(DEPLOYCTL_SOURCE_DIR "/tests/scenarios/verdicts")) {
    if (entry.path().extension() == ".yaml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

class VerdictScenario : public testing::TestWithParam<std::string> {};

TEST_P(VerdictScenario, SaysWhatTheTimelineExpects) {
  const auto timeline = play_timeline(DEPLOYCTL_SOURCE_DIR "/tests/scenarios/verdicts/" + GetParam() + ".yaml");
  EXPECT_THAT(timeline.seen, testing::ElementsAreArray(timeline.expected));
}

INSTANTIATE_TEST_SUITE_P(Timelines, VerdictScenario, testing::ValuesIn(timeline_names()), [](const auto& each) {
  auto name = each.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace deployctl::kube
