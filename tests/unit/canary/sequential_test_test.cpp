#include "core/canary/sequential_test.hpp"

#include <gtest/gtest.h>

namespace deployctl::canary {
namespace {

Opinion after(const Counts& canary, const Counts& stable, const TestOptions& options = {}) {
  return opinion_on(add({}, canary, stable, options), options);
}

TEST(SequentialTest, SaysNothingWithoutRequests) {
  EXPECT_EQ(after({}, {}), Opinion::undecided);
  EXPECT_EQ(after({10, 0}, {90, 0}), Opinion::undecided);
}

TEST(SequentialTest, ClearsACanaryWithoutErrors) {
  EXPECT_EQ(after({300, 0}, {2700, 0}), Opinion::undecided);
  EXPECT_EQ(after({400, 0}, {3600, 0}), Opinion::not_worse);
}

TEST(SequentialTest, ClearsACanaryThatFailsAsOftenAsTheStablePods) {
  EXPECT_EQ(after({2000, 100}, {18000, 900}), Opinion::not_worse);
}

TEST(SequentialTest, ConvictsACanaryThatFailsMoreOften) {
  EXPECT_EQ(after({1000, 50}, {9000, 9}), Opinion::worse);
  EXPECT_EQ(after({20, 10}, {180, 0}), Opinion::worse);
}

TEST(SequentialTest, ConvictsNobodyForErrorsBelowTheToleratedRate) {
  EXPECT_EQ(after({100'000, 900}, {100'000, 1}), Opinion::not_worse);
}

TEST(SequentialTest, ConvictsNobodyWithoutStableRequestsToCompareWith) {
  EXPECT_EQ(after({1000, 500}, {0, 0}), Opinion::undecided);
}

TEST(SequentialTest, TakesSmallPortionsForWhatTheyAreTogether) {
  const TestOptions options;
  Evidence pieces;
  for (int i = 0; i < 10; ++i) {
    pieces = add(pieces, {10, 1}, {90, 1}, options);
  }
  const auto whole = add({}, {100, 10}, {900, 10}, options);
  EXPECT_NEAR(pieces.against_stable, whole.against_stable, 1e-9);
  EXPECT_NEAR(pieces.against_tolerated, whole.against_tolerated, 1e-9);
}

TEST(SequentialTest, RemembersAConviction) {
  const TestOptions options;
  auto evidence = add({}, {20, 10}, {180, 0}, options);
  evidence = add(evidence, {100'000, 0}, {100'000, 1000}, options);
  EXPECT_EQ(opinion_on(evidence, options), Opinion::worse);
}

}  // namespace
}  // namespace deployctl::canary
