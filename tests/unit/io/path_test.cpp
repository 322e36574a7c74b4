#include "core/io/file_system.hpp"

#include <gtest/gtest.h>

namespace deployctl::io {
namespace {

TEST(JoinPath, resolves_dots_as_text) {
  struct Row {
    std::string_view directory, path, joined;
  };
  const Row rows[] = {
      {"a/b", "c", "a/b/c"},
      {"a/b/", "./c/", "a/b/c"},
      {"a", "/c", "/c"},
      {"", "c", "c"},
      {"a", "", "a"},
      {".", "c", "c"},
      {"a", "..", "."},
      {"a", "../../b", "../b"},
      {"/", "../x", "/x"},
      {"/a", "../..", "/"},
      {"", "", "."},
      {"../a", "../b", "../b"},
      {"/a//b", "c//d", "/a/b/c/d"},
      {"a", "...", "a/..."},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(join_path(row.directory, row.path), row.joined) << row.directory << " + " << row.path;
  }
}

TEST(ParentPath, is_what_stands_before_the_last_slash) {
  struct Row {
    std::string_view path, parent, name;
  };
  const Row rows[] = {
      {"a/b", "a", "b"},  {"b", ".", "b"},    {"/b", "/", "b"}, {"/", "/", ""},
      {"a/b/", "a", "b"}, {"a//b", "a", "b"}, {"", ".", ""},    {"/a/b/c.yaml", "/a/b", "c.yaml"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(parent_path(row.path), row.parent) << row.path;
    EXPECT_EQ(file_name(row.path), row.name) << row.path;
  }
}

}  // namespace
}  // namespace deployctl::io
