#include "core/generate/write.hpp"

#include <gtest/gtest.h>

namespace deployctl::generate {
namespace {

TEST(UnifiedDiff, OfEqualTextsIsEmpty) {
  EXPECT_EQ(unified_diff("a\nb\n", "a\nb\n", "f"), "");
}

TEST(UnifiedDiff, ShowsAChangeWithThreeLinesAround) {
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", "f"),
            "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, ShowsNewAndRemovedFiles) {
  EXPECT_EQ(unified_diff("", "a\nb\n", "f"), "--- f\n+++ f\n@@ -0,0 +1,2 @@\n+a\n+b\n");
  EXPECT_EQ(unified_diff("a\n", "", "f"), "--- f\n+++ f\n@@ -1,1 +0,0 @@\n-a\n");
}

TEST(UnifiedDiff, KeepsFarChangesInHunksOfTheirOwn) {
  std::string before;
  for (int i = 1; i <= 20; ++i) {
    before += std::to_string(i) + "\n";
  }
  auto after = before;
  after.replace(after.find("2\n"), 2, "two\n");
  after.replace(after.find("18\n"), 3, "");
  EXPECT_EQ(unified_diff(before, after, "f"),
            "--- f\n+++ f\n@@ -1,5 +1,5 @@\n 1\n-2\n+two\n 3\n 4\n 5\n"
            "@@ -15,6 +15,5 @@\n 15\n 16\n 17\n-18\n 19\n 20\n");
}

TEST(UnifiedDiff, TellsOfAMissingLineFeedAtTheEnd) {
  EXPECT_EQ(unified_diff("a\nb", "a\nb\n", "f"),
            "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n");
}

TEST(UnifiedDiff, FindsTheShortestWay) {
  EXPECT_EQ(unified_diff("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", "f"),
            "--- f\n+++ f\n@@ -1,7 +1,6 @@\n-a\n-b\n c\n-a\n b\n+a\n b\n a\n+c\n");
}

}  // namespace
}  // namespace deployctl::generate
