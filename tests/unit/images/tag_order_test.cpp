#include "core/images/tag_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace deployctl::images {
namespace {

using ::testing::ElementsAre;

TEST(TagOrder, NumbersCountByTheirValueAndWhatLeadsToAVersionComesFirst) {
  const std::vector<std::string> expected = {"1.0-alpha",
                                             "1.0-beta2",
                                             "1.0-beta10",
                                             "1.0-rc.1",
                                             "1.0",
                                             "1.0-3-gabc1234",
                                             "1.0-alpine",
                                             "1.0.1",
                                             "1.2",
                                             "1.9",
                                             "1.10-rc1-alpine",
                                             "1.10",
                                             "1.10-alpine",
                                             "2",
                                             "latest",
                                             "release-01",
                                             "release-1",
                                             "release-2",
                                             "stable",
                                             "v1.9",
                                             "v1.10.0-rc.1",
                                             "v1.10.0",
                                             "v1.10.1",
                                             "v99999999999999999999999",
                                             "v100000000000000000000000"};
  auto tags = expected;
  do {
    std::rotate(tags.begin(), tags.begin() + 7, tags.end());
    auto sorted = tags;
    std::ranges::sort(sorted, comes_before);
    EXPECT_EQ(sorted, expected);
  } while (tags != expected);
}

TEST(TagOrder, IsOneForAnyTwo) {
  const std::vector<std::string> tags = {"",   "-", "1",     "01",    "1-rc", "1-rc1", "1-rcx", "1a",
                                         "a1", "a", "a-dev", "a-pre", "1.",   "1.0",   "1-",    "1-RC2"};
  for (const auto& one : tags) {
    for (const auto& other : tags) {
      EXPECT_EQ(comes_before(one, other) || comes_before(other, one), one != other) << one << " " << other;
      EXPECT_FALSE(comes_before(one, other) && comes_before(other, one)) << one << " " << other;
      for (const auto& third : tags) {
        EXPECT_FALSE(comes_before(one, other) && comes_before(other, third) && !comes_before(one, third))
            << one << " " << other << " " << third;
      }
    }
  }
}

TEST(TagOrder, WhatToolsKeepBesideImagesStandsApart) {
  const auto referrers = "sha256-" + std::string(64, 'a');
  const auto tags = in_order({referrers + ".sig", "v10", "sha256-abc", referrers, "v9"});
  EXPECT_THAT(tags.names, ElementsAre("sha256-abc", "v9", "v10"));
  EXPECT_THAT(tags.referrers, ElementsAre(referrers, referrers + ".sig"));
  EXPECT_FALSE(is_referrer_tag(referrers + "0"));
  EXPECT_FALSE(is_referrer_tag("sha256-" + std::string(64, 'A')));
}

}  // namespace
}  // namespace deployctl::images
