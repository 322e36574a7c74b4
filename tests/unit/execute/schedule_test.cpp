#include "core/execute/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <thread>

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

plan::Step of_service(std::string service, plan::Step step,
                      plan::AfterFailure after_failure = plan::AfterFailure::is_left) {
  step.service = std::move(service);
  step.after_failure = after_failure;
  return step;
}

// "b (a: it broke)"
std::vector<std::string> told(const std::vector<LeftStep>& left) {
  std::vector<std::string> names;
  for (const auto& [each, behind] : left) {
    names.push_back(each->id + (behind ? " (" + behind->step->id + ": " + behind->error.message + ")" : ""));
  }
  return names;
}

// Steps that are done when their start returns.
ScheduleOutcome run_at_once(const std::vector<plan::Step>& steps, unsigned parallel,
                            const std::function<base::Status(const plan::Step&)>& run, std::stop_token stop = {}) {
  return run_steps(
      steps, parallel, [&](const plan::Step& each, const StepDone& done) { done(run(each)); }, std::move(stop));
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
  const auto outcome = run_at_once(steps, 4, [&](const auto& each) { return recorder.run(each); });
  EXPECT_TRUE(outcome.status);
  EXPECT_THAT(recorder.started(), ElementsAre("a", "b", "c"));
}

TEST(Schedule, BeginsAPhaseOnlyWhenTheEarlierOneIsDone) {
  const std::vector steps{step("apply", {}, plan::Phase::cluster), step("push")};
  Recorder recorder;
  EXPECT_TRUE(run_at_once(steps, 4, [&](const auto& each) { return recorder.run(each); }).status);
  EXPECT_THAT(recorder.started(), ElementsAre("push", "apply"));
}

TEST(Schedule, GoesOnBesideAStepThatWaitsForSomebody) {
  const std::vector steps{step("canary"), step("end", {"canary"}), step("other"), step("last", {"other"})};
  Recorder recorder;
  const auto run = [&](bool is_broken) {
    return run_steps(
        steps, 1,
        [&](const plan::Step& each, const StepDone& done) {
          const bool fails = is_broken && each.id == "other";
          done(each.id == "canary" ? base::Error::make(base::ErrorCode::rollout_undecided, "paused")
               : fails             ? base::Error::make(base::ErrorCode::rollout_undecided, "not ready in time")
                                   : recorder.run(each));
        },
        {}, KeepGoing::no, [](const base::Error& error) { return error.message == "paused"; });
  };
  const auto paused = run(false);
  EXPECT_THAT(recorder.started(), ElementsAre("other", "last"));
  EXPECT_THAT(told(paused.left), ElementsAre("end (canary: paused)"));
  EXPECT_EQ(paused.status.error().message, "paused");
  EXPECT_EQ(run(true).status.error().message, "not ready in time") << "a pause hides no failure";
}

TEST(Schedule, RunsIndependentStepsAtTheSameTime) {
  const std::vector steps{step("a"), step("b")};
  std::latch both(2);
  const auto outcome = run_at_once(steps, 2, [&](const auto&) -> base::Status {
    both.arrive_and_wait();  // would never return if one waited for the other
    return {};
  });
  EXPECT_TRUE(outcome.status);
}

TEST(Schedule, StartsNothingFurtherAfterAFailureAndNamesWhatWasLeft) {
  const std::vector steps{step("a"), step("b", {"a"}), step("c", {}, plan::Phase::cluster)};
  const auto outcome =
      run_at_once(steps, 4, [](const auto& each) -> base::Status { return base::Error::failed("{} broke", each.id); });
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().message, "a broke");
  EXPECT_THAT(told(outcome.left), ElementsAre("b (a: a broke)", "c"));
}

// The step starts, waits without a thread, and another thread ends it.
TEST(Schedule, LetsStepsWaitWithoutAThread) {
  const std::vector steps{step("a"), step("b"), step("c"), step("last", {"a", "b", "c"})};
  std::mutex mutex;
  std::vector<StepDone> waiting;
  std::vector<std::jthread> others;
  const auto outcome =
      run_steps(steps, 1,
                [&](const plan::Step& each, StepDone done) {
                  if (each.id == "last") {
                    done({});
                    return;
                  }
                  const std::lock_guard lock(mutex);
                  waiting.push_back(std::move(done));
                  if (waiting.size() == 3) {  // they all wait at once, although there is one thread to run steps
                    others.emplace_back([waiting] {
                      for (const auto& each_done : waiting) {
                        each_done({});
                      }
                    });
                  }
                },
                {});
  EXPECT_TRUE(outcome.status);
  EXPECT_THAT(outcome.left, IsEmpty());
}

TEST(Schedule, SaysThatItWasStoppedWhateverIsPaused) {
  const std::vector steps{step("canary"), step("after", {"canary"}), step("other")};
  std::stop_source stop;
  const auto outcome = run_steps(
      steps, 1,
      [&](const plan::Step&, const StepDone& done) {
        done(base::Error::make(base::ErrorCode::rollout_undecided, "canary waits"));
        stop.request_stop();
      },
      stop.get_token(), KeepGoing::no, [](const base::Error&) { return true; });
  EXPECT_EQ(outcome.status.error().code, base::ErrorCode::interrupted);
}

TEST(Schedule, EndsWhatIsBegunAfterAFailureAndBeginsNothingNew) {
  using plan::AfterFailure;
  using plan::Phase;
  const std::vector steps{of_service("mysql", step("rollout:mysql", {}, Phase::cluster), AfterFailure::is_done),
                          of_service("api", step("apply:api", {"rollout:mysql"}, Phase::cluster)),
                          of_service("api", step("rollout:api", {"apply:api"}, Phase::cluster), AfterFailure::is_done),
                          of_service("web", step("apply:web", {}, Phase::cluster)),
                          of_service("web", step("rollout:web", {"apply:web"}, Phase::cluster), AfterFailure::is_done),
                          of_service("cron", step("apply:cron", {"apply:web"}, Phase::cluster))};
  StepDone fail_mysql;
  std::vector<std::string> started;
  const auto outcome = run_steps(steps, 1,
                                 [&](const plan::Step& each, StepDone done) {
                                   started.push_back(each.id);
                                   if (each.id == "rollout:mysql") {
                                     fail_mysql = std::move(done);
                                     return;
                                   }
                                   if (each.id == "apply:web") {
                                     fail_mysql(base::Error::make(base::ErrorCode::rollout_failed, "mysql crashes"));
                                   }
                                   done({});
                                 },
                                 {});
  EXPECT_THAT(started, ElementsAre("rollout:mysql", "apply:web", "rollout:web"));
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().message, "mysql crashes");
  EXPECT_THAT(told(outcome.left), ElementsAre("apply:api (rollout:mysql: mysql crashes)",
                                              "rollout:api (rollout:mysql: mysql crashes)", "apply:cron"));
}

TEST(Schedule, TellsTheFailureThatSaysMost) {
  const std::vector steps{step("undecided"), step("broken")};
  std::latch both(2);
  const auto outcome = run_at_once(steps, 2, [&](const auto& each) -> base::Status {
    both.arrive_and_wait();
    return each.id == "broken" ? base::Error::make(base::ErrorCode::rollout_failed, "it crashes")
                               : base::Error::make(base::ErrorCode::rollout_undecided, "who knows");
  });
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().message, "it crashes");
}

TEST(Schedule, IsInterruptedByAStopRequest) {
  std::stop_source source;
  const std::vector steps{step("a"), step("b", {"a"})};
  const auto outcome = run_at_once(
      steps, 1,
      [&](const auto&) -> base::Status {
        source.request_stop();
        return {};
      },
      source.get_token());
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().code, base::ErrorCode::interrupted);
  EXPECT_THAT(told(outcome.left), ElementsAre("b"));
}

TEST(Schedule, IsDoneAtOnceWithoutSteps) {
  const std::vector<plan::Step> none;
  const auto outcome = run_at_once(none, 4, [](const auto&) -> base::Status { return {}; });
  EXPECT_TRUE(outcome.status);
  EXPECT_THAT(outcome.left, IsEmpty());
}

class WhyLeft : public ::testing::Test {
 protected:
  std::string why(const std::optional<base::Error>& behind, const base::Status& run) const {
    return why_left({.step = &left_, .behind = behind ? std::optional(Obstacle{&api_, *behind}) : std::nullopt}, run,
                    {"the canary of api is paused at 25 %"});
  }

  const plan::Step left_ = of_service("web", step("apply:deployment/web"));
  const plan::Step api_ = of_service("api", step("canary:api"));
  const base::Error broke_ = base::Error::failed("it broke");
  const base::Error paused_ = base::Error::failed("the canary of api is paused at 25 %");
};

TEST_F(WhyLeft, IsTheStepInItsWay) {
  EXPECT_EQ(why(broke_, broke_), "api failed");
  EXPECT_EQ(why(paused_, paused_), "api is paused");
  EXPECT_EQ(why(base::Error::interrupted(), base::Error::interrupted()), "the run was stopped");
}

TEST_F(WhyLeft, IsThatTheReleaseStaysOpenForSomethingElse) {
  EXPECT_EQ(why({}, paused_), "the release stays open: the canary of api is paused at 25 %");
}

TEST_F(WhyLeft, IsNothingWhenSomethingElseFailed) {
  EXPECT_EQ(why({}, broke_), "");
  EXPECT_EQ(why({}, {}), "");
}

}  // namespace
}  // namespace deployctl::execute
