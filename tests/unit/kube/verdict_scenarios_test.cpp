// Every file of tests/scenarios/verdicts is one test.
#include "tests/unit/kube/timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

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

// Replaces what stands below "expect:", which is the last key of a timeline.
void write_expectation(const std::string& path, const std::vector<std::string>& seen) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  auto updated = text.str().substr(0, text.str().find("\nexpect:")) + "\nexpect:\n";
  for (const auto& line : seen) {
    updated += "  - " + line + "\n";
  }
  std::ofstream(path) << updated;
}

class VerdictScenario : public testing::TestWithParam<std::string> {};

TEST_P(VerdictScenario, SaysWhatTheTimelineExpects) {
  const auto path = DEPLOYCTL_SOURCE_DIR "/tests/scenarios/verdicts/" + GetParam() + ".yaml";
  const auto timeline = play_timeline(path);
  if (std::getenv("DEPLOYCTL_UPDATE_TIMELINES") != nullptr) {
    write_expectation(path, timeline.seen);
  }
  EXPECT_THAT(timeline.seen, testing::ElementsAreArray(timeline.expected));
}

INSTANTIATE_TEST_SUITE_P(Timelines, VerdictScenario, testing::ValuesIn(timeline_names()), [](const auto& each) {
  auto name = each.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace deployctl::kube
