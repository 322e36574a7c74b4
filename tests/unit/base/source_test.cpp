#include "core/base/source.hpp"

#include <gtest/gtest.h>

namespace deployctl::base {
namespace {

TEST(SourceFile, gives_lines_without_their_endings) {
  const SourceFile file("f", "one\r\ntwo\n\nlast");
  EXPECT_EQ(file.line(0), "");
  EXPECT_EQ(file.line(1), "one");
  EXPECT_EQ(file.line(2), "two");
  EXPECT_EQ(file.line(3), "");
  EXPECT_EQ(file.line(4), "last");
  EXPECT_EQ(file.line(5), "");
}

TEST(SourceSpan, names_as_much_of_the_place_as_is_known) {
  const auto file = std::make_shared<SourceFile>("dir/f.yaml", "x");
  EXPECT_EQ(to_string(SourceSpan{file, {3, 7}, 1}), "dir/f.yaml:3:7");
  EXPECT_EQ(to_string(SourceSpan{file, {}, 1}), "dir/f.yaml");
  EXPECT_EQ(to_string(SourceSpan{}), "");
}

TEST(Located, is_the_same_wherever_it_was_written) {
  const auto file = std::make_shared<SourceFile>("f", "x");
  EXPECT_EQ((Located<int>{1, {file, {1, 1}, 1}}), (Located<int>{1, {}}));
}

}  // namespace
}  // namespace deployctl::base
