// The ledger in a real API server: what it stores, refuses and forgets.
#include "core/execute/ledger.hpp"

#include "core/json/reader.hpp"
#include "core/kube/release_secret.hpp"
#include "tests/lab_tests/cluster/lab.hpp"

#include <gmock/gmock.h>

namespace deployctl::execute {
namespace {

using base::ErrorCode;
using cluster::config_map;
using kube::Release;
using kube::ReleaseState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class LedgerTest : public cluster::LabTest {
 protected:
  // Each test has a project, and so a ledger, of its own.
  LedgerScope scope() const {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::string project;
    for (const char byte : test) {
      project += static_cast<char>(std::tolower(byte));
    }
    return {.project = project.substr(0, 50), .environment = "lab", .name_space = name_space()};
  }

  Release release(long long epoch = 1, const json::Value& data = {{"a", "1"}}) const {
    return {.project = scope().project,
            .environment = "lab",
            .commit = std::string(40, 'c'),
            .actor = "ada@laptop",
            .action = "rollout",
            .started = "2026-11-21T08:53:00Z",
            .epoch = epoch,
            .objects = {config_map(name_space(), "one", data)}};
  }

  static std::vector<std::string> states(Ledger& ledger) {
    std::vector<std::string> lines;
    const auto listed = ledger.list({});
    EXPECT_TRUE(listed) << to_string(listed.error());
    for (const auto& one : *listed) {
      lines.push_back(fmt::format("{} {}", one.number, kube::to_string(one.state)));
    }
    return lines;
  }

  static long long begin(Ledger& ledger, const Release& release) {
    const auto number = ledger.begin(release, {});
    EXPECT_TRUE(number) << to_string(number.error());
    return number ? *number : 0;
  }
};

TEST_F(LedgerTest, NumbersReleasesAndTellsTheLiveOneFromThoseBefore) {
  Ledger ledger(admin(), scope());
  EXPECT_THAT(states(ledger), ElementsAre());
  for (const auto state : {ReleaseState::deployed, ReleaseState::failed, ReleaseState::deployed}) {
    ASSERT_TRUE(ledger.finish(begin(ledger, release()), state, "as it was to be", {}));
  }
  begin(ledger, release());
  EXPECT_THAT(states(ledger), ElementsAre("4 pending", "3 deployed", "2 failed", "1 superseded"));
  const auto listed = Ledger(admin(), scope()).list({});
  EXPECT_EQ(listed->at(1).outcome, "as it was to be");
  EXPECT_FALSE(listed->at(1).finished.empty());
}

TEST_F(LedgerTest, TakesAHandfulOfRequestsForOneRelease) {
  const auto before = transport_.count();
  Ledger ledger(admin(), scope());
  const auto number = begin(ledger, release());
  ASSERT_TRUE(ledger.finish(number, ReleaseState::deployed, "done", {}));
  ASSERT_TRUE(ledger.prune(10, {}));
  EXPECT_EQ(transport_.count() - before, 3);  // list, create, patch
}

TEST_F(LedgerTest, GivesBackThreeMebibytesToTheBit) {
  std::string noise;
  for (unsigned long long state = 1; noise.size() < (3u << 20u);) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    noise += fmt::format("{:016x}", state);
  }
  Ledger ledger(admin(), scope());
  const auto large = release(1, {{"blob", noise}});
  const auto number = begin(ledger, large);
  const auto read = Ledger(admin(), scope()).read(number, {});
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->objects, large.objects);
}

TEST_F(LedgerTest, TakesHalfAWrittenReleaseForNone) {
  auto large = release();
  std::string noise;
  for (unsigned long long state = 1; noise.size() < (3u << 20u);) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    noise += fmt::format("{:016x}", state);
  }
  large.number = 1;
  large.objects = {config_map(name_space(), "one", {{"blob", noise}})};
  const auto secrets = kube::to_secrets(large, scope());
  ASSERT_TRUE(admin().create(secrets->front()));
  Ledger ledger(admin(), scope());
  EXPECT_THAT(states(ledger), ElementsAre());
  EXPECT_EQ(begin(ledger, release()), 2);
  ASSERT_TRUE(ledger.prune(10, {}));
  EXPECT_FALSE(admin().get(secrets->front().key()));
}

TEST_F(LedgerTest, LetsNobodyChangeTheDataOfARelease) {
  Ledger ledger(admin(), scope());
  const auto number = begin(ledger, release());
  const auto changed =
      admin().patch(kube::release_key(scope(), number), cluster::PatchType::merge, {{"data", {{"release", "AAAA"}}}});
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("immutable"));
}

TEST_F(LedgerTest, GoesOnWhenSomebodyLabelsARecordOfOurs) {
  Ledger ledger(admin(), scope());
  const auto number = begin(ledger, release());
  ASSERT_TRUE(admin().patch(kube::release_key(scope(), number), cluster::PatchType::merge,
                            {{"metadata", {{"labels", {{"team", "blue"}}}}}}));
  EXPECT_TRUE(ledger.note_progress(number, {{"step", "one"}}, {}));
  const auto listed = Ledger(admin(), scope()).list({});
  EXPECT_EQ(listed->front().progress["step"], "one");
}

TEST_F(LedgerTest, RefusesAWriterWhoseReleaseWasTakenOver) {
  Ledger stopped(admin(), scope());
  const auto number = begin(stopped, release(1));
  Ledger next(admin(), scope());
  const auto left = next.list({});
  ASSERT_TRUE(next.mark_interrupted(left->front(), 2, {}));
  const auto noted = stopped.note_progress(number, {{"step", "two"}}, {});
  ASSERT_FALSE(noted);
  EXPECT_EQ(noted.error().code, ErrorCode::refused);
  const auto finished = stopped.finish(number, ReleaseState::deployed, "done", {});
  ASSERT_FALSE(finished);
  EXPECT_EQ(
      to_string(finished.error()),
      fmt::format("recording how release 1 ended: release 1 of {} was taken over by another run", scope().project));
  EXPECT_THAT(states(next), ElementsAre("1 interrupted"));
}

TEST_F(LedgerTest, KeepsTheNewestAndThoseOneCanGoBackTo) {
  Ledger ledger(admin(), scope());
  for (const auto state : {ReleaseState::deployed, ReleaseState::deployed, ReleaseState::deployed, ReleaseState::failed,
                           ReleaseState::failed, ReleaseState::failed}) {
    ASSERT_TRUE(ledger.finish(begin(ledger, release()), state, "", {}));
  }
  ASSERT_TRUE(ledger.prune(2, {}));
  const std::vector<std::string> kept{"6 failed", "5 failed", "3 deployed", "2 superseded"};
  EXPECT_EQ(states(ledger), kept);
}

TEST_F(LedgerTest, SaysWhichReleasesThereAre) {
  Ledger ledger(admin(), scope());
  begin(ledger, release());
  const auto read = ledger.read(9, {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::not_found);
  EXPECT_EQ(read.error().hint, "there are 1");
}

}  // namespace
}  // namespace deployctl::execute
