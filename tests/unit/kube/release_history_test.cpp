// Which release is live, which one goes back to, which are kept.
#include "core/kube/release_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::kube {
namespace {

ReleaseSummary summary(long long number, ReleaseState state) {
  return {.number = number, .state = state};
}

TEST(LiveRelease, IsTheNewestThatIsDeployed) {
  const std::vector<ReleaseSummary> releases{summary(4, ReleaseState::failed), summary(3, ReleaseState::deployed),
                                             summary(2, ReleaseState::superseded)};
  EXPECT_EQ(live_release(releases)->number, 3);
  EXPECT_EQ(live_release(std::span(releases).first(1)), nullptr);
}

struct UndoRow {
  std::vector<ReleaseSummary> releases;
  std::optional<long long> to;
  std::string expected;
};

TEST(UndoTarget, IsWhatOneMeans) {
  const auto live = summary(5, ReleaseState::deployed);
  const auto before = summary(3, ReleaseState::superseded);
  const UndoRow rows[] = {
      {{live, summary(4, ReleaseState::failed), before}, {}, "3"},
      {{live, before}, 5, "5"},
      {{summary(7, ReleaseState::failed), summary(6, ReleaseState::interrupted), live, before}, {}, "5"},
      {{live, before}, 3, "3"},
      {{live, summary(4, ReleaseState::failed), before}, 4, "release 4 is failed: the cluster never was all it says"},
      {{live, before}, 9, "there is no release 9"},
      {{live}, {}, "release 5 is live, and there is none before it to go back to"},
      {{summary(1, ReleaseState::failed)}, {}, "there is no release to go back to"},
      {{}, {}, "there is no release to go back to"},
  };
  for (const auto& row : rows) {
    const auto target = undo_target(row.releases, row.to);
    EXPECT_EQ(target ? std::to_string(*target) : target.error().message, row.expected);
  }
  EXPECT_EQ(undo_target(rows[5].releases, 9).error().hint, "one can go back to 5, 3");
}

TEST(KeptReleases, AreTheNewestAndTheNewestOfThoseOneCanGoBackTo) {
  const std::vector<ReleaseSummary> releases{summary(6, ReleaseState::failed), summary(5, ReleaseState::failed),
                                             summary(4, ReleaseState::deployed), summary(3, ReleaseState::superseded),
                                             summary(2, ReleaseState::superseded)};
  EXPECT_EQ(kept_releases(releases, 2), (std::set<long long>{6, 5, 4, 3}));
}

ReleaseSummary contracting(long long number, ReleaseState state, std::vector<std::string> tasks) {
  return {.number = number, .state = state, .contracts = std::move(tasks)};
}

TEST(KeptReleases, AreAlsoThoseThatStandInTheWayToOneOfThem) {
  const std::vector<ReleaseSummary> releases{summary(6, ReleaseState::failed), summary(5, ReleaseState::failed),
                                             contracting(4, ReleaseState::failed, {"api/clean-up"}),
                                             summary(3, ReleaseState::deployed),
                                             contracting(2, ReleaseState::failed, {"api/clean-up"})};
  EXPECT_EQ(kept_releases(releases, 1), (std::set<long long>{6, 4, 3}));
}

TEST(CheckCompatible, RefusesWhatATaskSinceThenHasTakenAwayFrom) {
  const std::vector<ReleaseSummary> releases{summary(5, ReleaseState::deployed),
                                             contracting(4, ReleaseState::failed, {"api/clean-up", "web/drop"}),
                                             summary(3, ReleaseState::superseded)};
  const auto refused = check_compatible(releases, 3, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::refused);
  EXPECT_EQ(refused.error().message,
            "release 4 has begun api/clean-up, web/drop, and release 3 does not work with what that leaves");
  EXPECT_EQ(check_compatible(releases, 3, {"web", "other"}).error().message,
            "release 4 has begun web/drop, and release 3 does not work with what that leaves");
  EXPECT_TRUE(check_compatible(releases, 3, {"other"}));
  EXPECT_TRUE(check_compatible(releases, 4, {}));
}

// A release of web alone has of api what was before the task that failed.
TEST(CheckCompatible, RefusesAReleaseThatStandsBehindATask) {
  auto of_web = contracting(5, ReleaseState::deployed, {"api/clean-up"});
  of_web.services = {"web"};
  auto of_api = contracting(4, ReleaseState::failed, {"api/clean-up"});
  of_api.services = {"api"};
  const std::vector<ReleaseSummary> releases{of_web, of_api, summary(3, ReleaseState::superseded)};
  EXPECT_EQ(check_compatible(releases, 5, {}).error().message,
            "release 5 has api as it was before api/clean-up, and does not work with what that leaves");
  EXPECT_TRUE(check_compatible(releases, 5, {"web"}));
  EXPECT_FALSE(check_compatible(releases, 3, {"api"}));
}

}  // namespace
}  // namespace deployctl::kube
