#include "core/execute/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>

namespace deployctl::execute {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

plan::Step step(std::string id, std::vector<std::string> after = {}, plan::Phase phase = plan::Phase::images) {
  return {.id = std::move(id),
          .service = {},
          .action = plan::BuildImage{},
          .reason = {},
          .after = std::move(after),
          .phase = phase};
}

std::vector<std::string> ids(const std::vector<const plan::Step*>& steps) {
  std::vector<std::string> names;
  for (const auto* each : steps) {
    names.push_back(each->id);
  }
  return names;
}

class Recorder {
 public:
  base::Status run(const plan::Step& each) {
    const std::lock_guard lock(mutex_);
    started_.push_back(each.id);
    return {};
  }
  std::vector<std::string> started() const { return started_; }

 private:
  std::mutex mutex_;
  std::vector<std::string> started_;
};

TEST(Schedule, RunsEveryStepAfterThoseItNeeds) {
  const std::vector steps{step("c", {"b"}), step("a"), step("b", {"a"})};
  Recorder recorder;
  const auto outcome = run_steps(steps, 4, [&](const auto& each) { return recorder.run(each); }, {});
  EXPECT_TRUE(outcome.status);
  EXPECT_THAT(recorder.started(), ElementsAre("a", "b", "c"));
}

TEST(Schedule, BeginsAPhaseOnlyWhenTheEarlierOneIsDone) {
  const std::vector steps{step("apply", {}, plan::Phase::cluster), step("push")};
  Recorder recorder;
  EXPECT_TRUE(run_steps(steps, 4, [&](const auto& each) { return recorder.run(each); }, {}).status);
  EXPECT_THAT(recorder.started(), ElementsAre("push", "apply"));
}

TEST(Schedule, RunsIndependentStepsAtTheSameTime) {
  const std::vector steps{step("a"), step("b")};
  std::latch both(2);
  const auto outcome = run_steps(steps, 2,
                                 [&](const auto&) -> base::Status {
                                   both.arrive_and_wait();  // would never return if one waited for the other
                                   return {};
                                 },
                                 {});
  EXPECT_TRUE(outcome.status);
}

TEST(Schedule, StartsNothingFurtherAfterAFailureAndNamesWhatWasLeft) {
  const std::vector steps{step("a"), step("b", {"a"}), step("c", {}, plan::Phase::cluster)};
  const auto outcome = run_steps(
      steps, 4, [](const auto& each) -> base::Status { return base::Error::failed("{} broke", each.id); }, {});
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().message, "a broke");
  EXPECT_THAT(ids(outcome.not_started), ElementsAre("b", "c"));
}

TEST(Schedule, IsInterruptedByAStopRequest) {
  std::stop_source source;
  const std::vector steps{step("a"), step("b", {"a"})};
  const auto outcome = run_steps(
      steps, 1,
      [&](const auto&) -> base::Status {
        source.request_stop();
        return {};
      },
      source.get_token());
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().code, base::ErrorCode::interrupted);
  EXPECT_THAT(ids(outcome.not_started), ElementsAre("b"));
}

TEST(Schedule, IsDoneAtOnceWithoutSteps) {
  const std::vector<plan::Step> none;
  const auto outcome = run_steps(none, 4, [](const auto&) -> base::Status { return {}; }, {});
  EXPECT_TRUE(outcome.status);
  EXPECT_THAT(outcome.not_started, IsEmpty());
}

}  // namespace
}  // namespace deployctl::execute
