// The lock's Lease: its form, and when its holder is taken to be gone.
#include "core/kube/lease.hpp"

#include <gtest/gtest.h>

namespace deployctl::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const LedgerScope scope{.project = "shop", .environment = "prod", .name_space = "web"};
const io::SteadyTime start = io::SteadyTime(std::chrono::hours(1));

Lease lease() {
  return {.holder = "ada@laptop/1",
          .what = "rollout",
          .duration = seconds(15),
          .acquired = "2026-11-21T08:53:00.000000Z",
          .renewed = "2026-11-21T08:53:05.000000Z",
          .epoch = 3,
          .resource_version = "42"};
}

TEST(LeaseTime, HasExactlySixDigitsOfFraction) {
  const io::WallTime time{milliseconds(1'767'225'600'007)};
  EXPECT_EQ(to_micro_time(time), "2026-01-01T00:00:00.007000Z");
  EXPECT_EQ(to_micro_time(io::WallTime{milliseconds(1'767'225'600'000)}), "2026-01-01T00:00:00.000000Z");
}

TEST(LeaseObject, IsReadBackAsItWasWritten) {
  const auto object = to_object(lease(), scope);
  EXPECT_EQ(object.key(), lease_key(scope));
  EXPECT_EQ(object.name(), "deployctl.shop.prod");
  const auto read = read_lease(object);
  EXPECT_EQ(read.holder, "ada@laptop/1");
  EXPECT_EQ(read.what, "rollout");
  EXPECT_EQ(read.duration, seconds(15));
  EXPECT_EQ(read.acquired, lease().acquired);
  EXPECT_EQ(read.renewed, lease().renewed);
  EXPECT_EQ(read.epoch, 3);
  EXPECT_EQ(read.resource_version, "42");
}

TEST(LeaseObject, ToBeCreatedNamesNoVersion) {
  auto fresh = lease();
  fresh.resource_version.clear();
  EXPECT_FALSE(to_object(fresh, scope).body["metadata"].contains("resourceVersion"));
}

TEST(LeaseObject, KeepsItsDurationWithinReason) {
  auto object = to_object(lease(), scope);
  object.body["spec"]["leaseDurationSeconds"] = 1'000'000'000;
  EXPECT_EQ(read_lease(object).duration, std::chrono::hours(1));
  object.body["spec"].erase("leaseDurationSeconds");
  EXPECT_EQ(read_lease(object).duration, seconds(1));
}

TEST(LeaseObserver, SeesAHolderAliveWhileAnythingChanges) {
  LeaseObserver observer;
  auto seen = lease();
  for (int i = 0; i < 10; ++i) {
    seen.resource_version = std::to_string(i);
    observer.see(seen, start + seconds(10 * i));
    EXPECT_FALSE(observer.has_lapsed(start + seconds(10 * i)));
  }
}

TEST(LeaseObserver, TakesAHolderToBeGoneAfterTheWholeDurationWithoutChange) {
  LeaseObserver observer;
  observer.see(lease(), start);
  observer.see(lease(), start + seconds(14));
  EXPECT_FALSE(observer.has_lapsed(start + milliseconds(14'999)));
  EXPECT_TRUE(observer.has_lapsed(start + seconds(15)));
  EXPECT_EQ(observer.lapses_at(), start + seconds(15));
}

TEST(LeaseObserver, BelievesNoOtherClock) {
  LeaseObserver observer;
  auto seen = lease();
  seen.renewed = "2001-01-01T00:00:00.000000Z";  // long ago, says the holder's clock
  observer.see(seen, start);
  EXPECT_FALSE(observer.has_lapsed(start + seconds(1)));
}

}  // namespace
}  // namespace deployctl::kube
