// The lock in a real API server: one holder, whatever happens to it.
#include "core/execute/lock.hpp"

#include "core/json/reader.hpp"
#include "tests/lab_tests/cluster/lab.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace deployctl::execute {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class Notes final : public events::Sink {
 public:
  void emit(const events::Event& event) override {
    const std::lock_guard lock(mutex_);
    if (const auto* note = std::get_if<events::Note>(&event)) {
      texts_.push_back(note->text);
    }
  }
  std::vector<std::string> texts() {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
};

class LockTest : public cluster::LabTest {
 protected:
  kube::LedgerScope scope() const {
    return {.project = fmt::format("lock-{}", testing::UnitTest::GetInstance()->current_test_info()->line()),
            .environment = "lab",
            .name_space = name_space()};
  }
  LockOptions options(const std::string& holder, milliseconds wait = milliseconds(0)) const {
    return {.holder = holder, .what = "rollout", .wait = wait, .duration = seconds(3)};
  }
  base::Result<Lock> acquire(const LockOptions& wanted) { return Lock::acquire(admin(), scope(), wanted, notes_, {}); }
  kube::Lease live() const {
    const auto lease = read_lock(admin(), scope(), {});
    EXPECT_TRUE(lease);
    return *lease;
  }
  // What a run that was killed leaves behind: a Lease that nobody renews.
  void leave_locked(const std::string& holder) {
    const auto now = kube::to_micro_time(clock_.now());
    const kube::Lease lease{.holder = holder + "/dead",
                            .what = "release",
                            .duration = seconds(3),
                            .acquired = now,
                            .renewed = now,
                            .epoch = 4};
    const auto made = admin().create(kube::to_object(lease, scope()));
    ASSERT_TRUE(made) << to_string(made.error());
  }

  Notes notes_;
};

TEST_F(LockTest, CountsItsHoldersAndIsFreeAfterEach) {
  for (const long long epoch : {1, 2, 3}) {
    const auto lock = acquire(options("ada@laptop"));
    ASSERT_TRUE(lock) << to_string(lock.error());
    EXPECT_EQ(lock->epoch(), epoch);
    EXPECT_THAT(live().holder, testing::StartsWith("ada@laptop/"));
  }
  EXPECT_EQ(live().holder, "");
  EXPECT_THAT(notes_.texts(), ElementsAre());
}

TEST_F(LockTest, TakesThreeRequests) {
  { const auto first = acquire(options("ada@laptop")); }
  const auto before = transport_.count();
  { const auto second = acquire(options("ada@laptop")); }
  EXPECT_EQ(transport_.count() - before, 3);  // read, take, give free
}

TEST_F(LockTest, RefusesASecondRunAndSaysWhoTheFirstIs) {
  const auto first = acquire(options("ada@laptop"));
  ASSERT_TRUE(first);
  const auto second = acquire(options("bob@build-7"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::refused);
  EXPECT_THAT(second.error().message, HasSubstr("is locked by another run: ada@laptop (rollout), for 0."));
  EXPECT_THAT(second.error().hint, HasSubstr("--lock-timeout"));
}

TEST_F(LockTest, IsWaitedForWhileItIsRenewed) {
  auto first = acquire(options("ada@laptop"));
  ASSERT_TRUE(first);
  std::jthread ender([&] {
    std::this_thread::sleep_for(seconds(5));  // longer than the lease: only renewals keep it
    auto ended = std::move(*first);
  });
  const auto began = std::chrono::steady_clock::now();
  const auto second = acquire(options("bob@build-7", seconds(20)));
  ASSERT_TRUE(second) << to_string(second.error());
  EXPECT_GT(std::chrono::steady_clock::now() - began, seconds(4));
  EXPECT_EQ(second->epoch(), 2);
  ASSERT_THAT(notes_.texts(), ElementsAre(HasSubstr("waiting for the lock of")));
  EXPECT_THAT(notes_.texts().front(), HasSubstr("ada@laptop (rollout), for 0."));
}

TEST_F(LockTest, IsTakenOverWhenItsHolderWasKilled) {
  leave_locked("ada@laptop");
  const auto began = std::chrono::steady_clock::now();
  const auto lock = acquire(options("bob@build-7", seconds(20)));
  ASSERT_TRUE(lock) << to_string(lock.error());
  const auto waited = std::chrono::steady_clock::now() - began;
  EXPECT_GE(waited, milliseconds(2'900));
  EXPECT_LT(waited, seconds(6));
  EXPECT_EQ(lock->epoch(), 5);
  EXPECT_THAT(notes_.texts().back(), HasSubstr("took the lock over from ada@laptop: not renewed for 3"));
}

TEST_F(LockTest, IsWonByExactlyOneOfManyAtOnce) {
  leave_locked("ada@laptop");
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> turns = 0;
  std::vector<std::jthread> runs;
  for (int i = 0; i < 4; ++i) {
    runs.emplace_back([&, i] {
      const auto lock = acquire(options(fmt::format("run-{}", i), seconds(60)));
      ASSERT_TRUE(lock) << to_string(lock.error());
      most = std::max(most.load(), ++inside);
      std::this_thread::sleep_for(milliseconds(50));
      ++turns;
      --inside;
    });
  }
  runs.clear();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(turns, 4);
  EXPECT_EQ(live().epoch, 8);
}

TEST_F(LockTest, KeepsAHolderThatWasTakenOverFromWriting) {
  auto lock = acquire(options("ada@laptop"));
  ASSERT_TRUE(lock);
  EXPECT_TRUE(lock->still_held());
  auto other = live();
  other.holder = "bob@build-7/1";
  other.epoch += 1;
  ASSERT_TRUE(admin().replace(kube::to_object(other, scope())));
  // Within a third of the duration the renewal meets the other one.
  for (int i = 0; i < 100 && !lock->lost().stop_requested(); ++i) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_TRUE(lock->lost().stop_requested());
  const auto held = lock->still_held();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::refused);
  EXPECT_THAT(held.error().message, HasSubstr("another run has taken the lock"));
  { const auto ended = std::move(*lock); }
  EXPECT_EQ(live().holder, "bob@build-7/1");  // the other one's lock is left alone
}

TEST_F(LockTest, SurvivesSomebodyWhoLabelsItsLease) {
  auto lock = acquire(options("ada@laptop"));
  ASSERT_TRUE(lock);
  ASSERT_TRUE(admin().patch(kube::lease_key(scope()), cluster::PatchType::merge,
                            {{"metadata", {{"labels", {{"team", "blue"}}}}}}));
  std::this_thread::sleep_for(seconds(2));
  EXPECT_FALSE(lock->lost().stop_requested());
  EXPECT_TRUE(lock->still_held());
}

// As a renewal does whose answer the end of the run did not wait for.
TEST_F(LockTest, IsGivenFreeAlsoInAnotherVersionThanTheOneWrittenLast) {
  {
    const auto lock = acquire(options("ada@laptop"));
    ASSERT_TRUE(lock);
    ASSERT_TRUE(admin().patch(kube::lease_key(scope()), cluster::PatchType::merge,
                              {{"metadata", {{"labels", {{"team", "blue"}}}}}}));
  }
  EXPECT_EQ(live().holder, "");
  EXPECT_THAT(notes_.texts(), ElementsAre());
}

TEST_F(LockTest, IsMadeAgainWhenItsLeaseIsDeleted) {
  auto lock = acquire(options("ada@laptop"));
  ASSERT_TRUE(lock);
  ASSERT_TRUE(admin().remove(kube::lease_key(scope())));
  for (int i = 0; i < 100 && live().holder.empty(); ++i) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_THAT(live().holder, testing::StartsWith("ada@laptop/"));
  EXPECT_TRUE(lock->still_held());
}

}  // namespace
}  // namespace deployctl::execute
