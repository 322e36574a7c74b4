// What a release remembers of what waits, and which release is under way because of it.
#include "core/execute/canary_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::execute {
namespace {

using canary::Stage;
using kube::ReleaseState;
using kube::ReleaseSummary;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

KeptCanary canary_at(Stage stage) {
  KeptCanary kept{.service = "api", .settings = {}, .progress = {}};
  kept.settings.steps = {{.weight = 25}};
  kept.progress = canary::beginning(kept.settings);
  kept.progress.stage = stage;
  return kept;
}

// What is written of a release with this canary and this side, if any.
json::Value progress(std::optional<Stage> stage, bool side_waits) {
  json::Value written;
  CanaryRecord record({}, [&](const json::Value& value) {
    written = value;
    return base::Status();
  });
  if (stage) {
    EXPECT_TRUE(record.note(canary_at(*stage)));
  }
  if (side_waits) {
    EXPECT_TRUE(record.note_side("web", true));
  }
  return written;
}

ReleaseSummary release(long long number, ReleaseState state, json::Value progress = {}) {
  return {.number = number, .state = state, .inventory = {}, .progress = std::move(progress)};
}

TEST(CanaryRecord, IsReadAsItWasWritten) {
  CanaryRecord record(progress(Stage::holding, true), {});
  EXPECT_EQ(record.find("api")->progress.stage, Stage::holding);
  EXPECT_THAT(record.waiting_sides(), ElementsAre("web"));
  EXPECT_TRUE(record.note_side("web", false));
  EXPECT_THAT(record.waiting_sides(), IsEmpty());
}

TEST(CanaryRecord, RemembersWhatWasTakenBack) {
  CanaryRecord record(progress(Stage::aborted, true), {});
  EXPECT_THAT(record.taken_back(), ElementsAre("api"));
  EXPECT_TRUE(record.note_side_gone("web"));
  EXPECT_THAT(record.waiting_sides(), IsEmpty());
  EXPECT_THAT(record.taken_back(), ElementsAre("web", "api"));
  EXPECT_THAT(CanaryRecord(progress(Stage::promoted, false), {}).taken_back(), IsEmpty());
}

TEST(CanaryRecord, SaysWhatIsOpen) {
  EXPECT_EQ(CanaryRecord({}, {}).open_in_words(), "");
  EXPECT_EQ(CanaryRecord(progress(Stage::stepping, true), {}).open_in_words(),
            "canary of api: step 1 of 1, 25 %; web: the new side waits for 'deployctl promote'");
  EXPECT_EQ(CanaryRecord(progress(Stage::aborted, false), {}).open_in_words(), "");
}

TEST(PendingRelease, IsPausedWhenNothingOfItGoesOnByItself) {
  struct Row {
    std::optional<Stage> stage;
    bool side_waits;
    bool is_paused;
  };
  for (const auto& [stage, side_waits, paused] :
       {Row{std::nullopt, false, false}, Row{std::nullopt, true, true}, Row{Stage::holding, false, true},
        Row{Stage::holding, true, true}, Row{Stage::stepping, true, false}, Row{Stage::promoted, true, true},
        Row{Stage::promoting, false, false}, Row{Stage::aborted, false, false}}) {
    EXPECT_EQ(is_paused(release(2, ReleaseState::pending, progress(stage, side_waits))), paused)
        << (stage ? to_string(*stage) : "none") << side_waits;
  }
  EXPECT_FALSE(is_paused(release(2, ReleaseState::failed, progress(Stage::holding, false))));
}

TEST(PendingRelease, WasLeftWaitingUnlessStepsWereRunning) {
  auto waiting = release(2, ReleaseState::pending, progress(Stage::holding, false));
  waiting.journal = "3 of 7 steps done";
  EXPECT_TRUE(was_left_waiting(waiting));
  waiting.journal = "3 of 7 steps done; running: rollout:web";
  EXPECT_FALSE(was_left_waiting(waiting));
  EXPECT_FALSE(was_left_waiting(release(2, ReleaseState::pending, progress(Stage::stepping, false))));
}

TEST(ReleaseUnderWay, IsTheNewestAfterTheLiveOneWithSomethingOpen) {
  const auto open = progress(std::nullopt, true);
  const auto over = progress(Stage::aborted, false);
  const std::vector<ReleaseSummary> behind_the_live{release(3, ReleaseState::deployed),
                                                    release(2, ReleaseState::failed, open)};
  EXPECT_EQ(release_under_way(behind_the_live), nullptr);
  json::Value switched;
  ASSERT_TRUE(CanaryRecord(open, [&](const json::Value& value) {
                switched = value;
                return base::Status();
              }).note_side("web", false));
  for (const auto& newer : {over, switched}) {
    const std::vector<ReleaseSummary> ended{release(3, ReleaseState::failed, newer),
                                            release(2, ReleaseState::interrupted, open)};
    EXPECT_EQ(release_under_way(ended), nullptr) << "what was open went on in the newer one";
  }
  const std::vector<ReleaseSummary> waiting{release(4, ReleaseState::failed),
                                            release(3, ReleaseState::interrupted, open),
                                            release(2, ReleaseState::deployed)};
  EXPECT_EQ(release_under_way(waiting)->number, 3);
}

}  // namespace
}  // namespace deployctl::execute
