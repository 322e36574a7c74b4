#include "core/registry/patience.hpp"

#include "tests/support/variables.hpp"

#include <gmock/gmock.h>

#include <map>

namespace deployctl::registry {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Patience, IsTheDefaultWhenNothingIsSaid) {
  for (const auto& values : {std::map<std::string, std::string>{}, {{"DEPLOYCTL_REGISTRY_ATTEMPTS", ""}}}) {
    const auto got = patience(tests::Variables(values));
    EXPECT_EQ(got.retry.attempts, http::RetryPolicy().attempts);
    EXPECT_EQ(got.timeouts.stall, http::Timeouts().stall);
    EXPECT_THAT(got.remarks, IsEmpty());
  }
}

TEST(Patience, IsWhatTheEnvironmentSays) {
  const auto got = patience(tests::Variables({{"DEPLOYCTL_REGISTRY_ATTEMPTS", "2"},
                                              {"DEPLOYCTL_REGISTRY_RETRY_WAIT", "250ms"},
                                              {"DEPLOYCTL_REGISTRY_STALL_TIMEOUT", "5m"}}));
  EXPECT_EQ(got.retry.attempts, 2);
  EXPECT_EQ(got.retry.first_wait, milliseconds(250));
  EXPECT_EQ(got.timeouts.stall, milliseconds(300'000));
  EXPECT_THAT(got.remarks, IsEmpty());
}

TEST(Patience, KeepsDefaultsForValuesThatCannotBeUsedAndSaysSo) {
  const auto got = patience(tests::Variables({{"DEPLOYCTL_REGISTRY_ATTEMPTS", "0"},
                                              {"DEPLOYCTL_REGISTRY_RETRY_WAIT", "soon"},
                                              {"DEPLOYCTL_REGISTRY_STALL_TIMEOUT", "0s"}}));
  EXPECT_EQ(got.retry.attempts, http::RetryPolicy().attempts);
  EXPECT_EQ(got.retry.first_wait, http::RetryPolicy().first_wait);
  EXPECT_EQ(got.timeouts.stall, http::Timeouts().stall);
  EXPECT_THAT(
      got.remarks,
      ElementsAre("DEPLOYCTL_REGISTRY_ATTEMPTS=0 is not used: it must be a number from 1 to 100",
                  "DEPLOYCTL_REGISTRY_RETRY_WAIT=soon is not used: it must be a duration such as 500ms or 30s",
                  "DEPLOYCTL_REGISTRY_STALL_TIMEOUT=0s is not used: it must be a duration such as 500ms or 30s"));
}

}  // namespace
}  // namespace deployctl::registry
