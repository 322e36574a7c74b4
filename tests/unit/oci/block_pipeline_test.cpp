#include "core/oci/block_pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace deployctl::oci {
namespace {

base::Result<std::string> bracketed(std::string_view block, bool is_last) {
  return fmt::format("[{}{}]", block, is_last ? "." : "");
}

std::string piped(std::string_view bytes, std::size_t piece, std::size_t block) {
  std::string out;
  BlockPipeline pipeline(block, bracketed, [&](std::string_view result) {
    out += result;
    return base::Status();
  });
  while (!bytes.empty()) {
    EXPECT_TRUE(pipeline.add(bytes.substr(0, piece)));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  EXPECT_TRUE(pipeline.finish());
  return out;
}

TEST(BlockPipeline, CutsBySizeAloneAndKeepsTheOrder) {
  EXPECT_EQ(piped("abcdefgh", 1, 3), "[abc][def][gh.]");
  EXPECT_EQ(piped("abcdefgh", 8, 3), "[abc][def][gh.]");
  EXPECT_EQ(piped("abcdef", 2, 3), "[abc][def.]");
  EXPECT_EQ(piped("", 1, 3), "[.]");
  const std::string many(20'000, 'x');
  EXPECT_EQ(piped(many, 777, 10).size(), many.size() + 2 * 2000 + 1);
}

TEST(BlockPipeline, EndsWithTheFirstErrorOfItsWork) {
  std::atomic<int> seen = 0;
  BlockPipeline pipeline(
      1,
      [&](std::string_view, bool) -> base::Result<std::string> {
        return ++seen == 5 ? base::Result<std::string>(base::Error::failed("no more")) : std::string("x");
      },
      [](std::string_view) { return base::Status(); });
  base::Status status;
  for (int round = 0; round < 1000 && status; ++round) {
    status = pipeline.add("a");
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "no more");
  EXPECT_EQ(pipeline.finish().error().message, "no more");
}

TEST(BlockPipeline, EndsWithTheErrorOfItsSink) {
  BlockPipeline pipeline(1, bracketed,
                         [](std::string_view) -> base::Status { return base::Error::failed("disk full"); });
  base::Status status;
  for (int round = 0; round < 1000 && status; ++round) {
    status = pipeline.add("a");
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "disk full");
}

TEST(BlockPipeline, CanBeGivenUp) {
  BlockPipeline pipeline(1, bracketed, [](std::string_view) { return base::Status(); });
  EXPECT_TRUE(pipeline.add("abc"));
}

}  // namespace
}  // namespace deployctl::oci
