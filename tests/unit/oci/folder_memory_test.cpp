// A walk that remembers must find what one that knows nothing finds, whatever was done in between.
#include "core/oci/folder_memory.hpp"

#include "core/oci/digest.hpp"
#include "core/oci/layer_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <tuple>
#include <unistd.h>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t hour = std::int64_t{3600} * 1'000'000'000;

class FolderMemoryTest : public ::testing::Test {
 protected:
  FolderMemoryTest() : root_(fs::path(::testing::TempDir()) / ("memory-" + std::to_string(::getpid()))) { make(); }
  ~FolderMemoryTest() override { fs::remove_all(root_); }

  void make() const {
    fs::remove_all(root_);
    for (int package = 0; package < 60; ++package) {
      put(fmt::format("modules/p{:02}/lib/a.js", package));
      put(fmt::format("modules/p{:02}/lib/b.js", package));
    }
  }
  void put(const std::string& name) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << name;
  }
  [[nodiscard]] fs::path lib() const { return root_ / "modules/p07/lib"; }

  using Row = std::tuple<std::string, LayerItem::Kind, FileStamp, std::string>;
  std::vector<Row> found(FolderMemory& memory) const {
    LayerTree tree;
    const auto added = tree.add_folder("app", root_, {}, memory);
    EXPECT_TRUE(added) << base::to_string(added.error());
    std::vector<Row> rows;
    for (const auto& [path, item] : tree.items()) {
      rows.emplace_back(path, item.kind, item.stamp, item.content);
    }
    return rows;
  }
  // What a walk that knows nothing finds.
  [[nodiscard]] std::vector<Row> found_anew() const {
    FolderMemory memory;
    return found(memory);
  }
  // What a walk leaves that is made so late that no time is too fresh.
  [[nodiscard]] std::string record() const {
    FolderMemory memory({}, wall_time() + hour);
    found(memory);
    EXPECT_TRUE(memory.has_news());
    return memory.record();
  }

  fs::path root_;
};

void set_times(const fs::path& path, timespec time) {
  const timespec times[2] = {time, time};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

TEST_F(FolderMemoryTest, AnUnchangedFolderIsNotListedAgain) {
  FolderMemory memory(record(), wall_time() + 2 * hour);
  EXPECT_EQ(found(memory), found_anew());
  EXPECT_FALSE(memory.has_news());
}

TEST_F(FolderMemoryTest, WhatItSaysIsWhatIsFound) {
  // The names of a list that is trusted are not looked up: so an untrue one shows.
  auto untrue = record();
  const auto at = untrue.find("a.js");
  untrue[at] = 'c';
  untrue = untrue.substr(0, untrue.size() - 64);
  untrue += Digest::of(untrue).encoded();
  FolderMemory memory(untrue, wall_time() + 2 * hour);
  LayerTree tree;
  const auto added = tree.add_folder("app", root_, {}, memory);
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, ::testing::HasSubstr("cannot look at"));
}

struct Change {
  const char* what;
  std::function<void(const fs::path& lib)> make;
};

TEST_F(FolderMemoryTest, EveryChangeIsFound) {
  const std::vector<Change> changes = {
      {"a file was added", [](const fs::path& lib) { std::ofstream(lib / "new.js") << "new"; }},
      {"a file was removed", [](const fs::path& lib) { fs::remove(lib / "a.js"); }},
      {"a file was renamed", [](const fs::path& lib) { fs::rename(lib / "a.js", lib / "c.js"); }},
      {"two files changed places",
       [](const fs::path& lib) {
         fs::rename(lib / "a.js", lib / "c.js");
         fs::rename(lib / "b.js", lib / "a.js");
         fs::rename(lib / "c.js", lib / "b.js");
       }},
      {"a file was written", [](const fs::path& lib) { std::ofstream(lib / "a.js", std::ios::app) << "more"; }},
      {"a file was replaced by a symlink",
       [](const fs::path& lib) {
         fs::remove(lib / "a.js");
         fs::create_symlink("b.js", lib / "a.js");
       }},
      {"a file was replaced by a folder",
       [](const fs::path& lib) {
         fs::remove(lib / "a.js");
         fs::create_directories(lib / "a.js/below");
       }},
      {"the folder was replaced by a file",
       [](const fs::path& lib) {
         fs::remove_all(lib);
         std::ofstream(lib) << "file";
       }},
      {"the folder was replaced by a symlink",
       [](const fs::path& lib) {
         fs::remove_all(lib);
         fs::create_directory_symlink("../p08/lib", lib);
       }},
      {"the folder was replaced by another",
       [](const fs::path& lib) {
         fs::rename(lib, lib.parent_path() / "old");
         fs::create_directory(lib);
         std::ofstream(lib / "a.js") << "other";
       }},
      {"the folder was removed", [](const fs::path& lib) { fs::remove_all(lib); }},
      {"a folder above it was removed", [](const fs::path& lib) { fs::remove_all(lib.parent_path()); }},
      {"a folder above it was replaced by another package",
       [](const fs::path& lib) {
         fs::remove_all(lib.parent_path());
         fs::rename(lib.parent_path().parent_path() / "p08", lib.parent_path());
       }},
      {"a file was added and the folder's time set back",
       [](const fs::path& lib) {
         struct stat info {};
         ASSERT_EQ(::stat(lib.c_str(), &info), 0);
         std::ofstream(lib / "new.js") << "new";
         set_times(lib, info.st_mtim);
       }},
      {"a file was replaced and all times set back",
       [](const fs::path& lib) {
         struct stat folder {
         }, file{};
         ASSERT_EQ(::stat(lib.c_str(), &folder), 0);
         ASSERT_EQ(::stat((lib / "a.js").c_str(), &file), 0);
         std::ofstream(lib / "new.js") << "modules/p07/lib/A.js";
         set_times(lib / "new.js", file.st_mtim);
         fs::rename(lib / "new.js", lib / "a.js");
         set_times(lib, folder.st_mtim);
       }},
  };
  for (const auto& change : changes) {
    make();
    const auto before = record();
    const auto unchanged = found_anew();
    change.make(lib());
    FolderMemory memory(before, wall_time() + 2 * hour);
    const auto now = found(memory);
    EXPECT_EQ(now, found_anew()) << change.what;
    EXPECT_NE(now, unchanged) << change.what;
    FolderMemory after(memory.record(), wall_time() + 3 * hour);
    EXPECT_EQ(found(after), found_anew()) << change.what << ", seen again";
    EXPECT_FALSE(after.has_news()) << change.what << ", seen again";
  }
}

TEST_F(FolderMemoryTest, AFolderThatJustChangedIsNotTrusted) {
  FolderMemory memory({}, wall_time());
  found(memory);
  EXPECT_FALSE(memory.has_news());
  FolderMemory again(memory.record(), wall_time());
  ASSERT_NE(again.root().folder, nullptr);
  EXPECT_EQ(again.root().folder->stamp, FileStamp()) << "no folder looks like that";
}

TEST_F(FolderMemoryTest, OneThatChangedLetsTheFoldersInItBeKnown) {
  const auto before = record();
  put("modules/new.js");
  FolderMemory memory(before, wall_time());  // too fresh for what it would learn
  EXPECT_EQ(found(memory), found_anew());
  FolderMemory later(memory.record(), wall_time() + hour);
  EXPECT_EQ(found(later), found_anew());
  EXPECT_TRUE(later.has_news()) << "the folder that was too fresh";
}

TEST_F(FolderMemoryTest, ARecordFromTheFutureIsForgotten) {
  const auto future = record();
  FolderMemory memory(future, wall_time());
  EXPECT_EQ(memory.root().folder, nullptr);
  EXPECT_EQ(found(memory), found_anew());
}

TEST_F(FolderMemoryTest, ADamagedRecordIsForgotten) {
  const auto whole = record();
  const auto later = wall_time() + 2 * hour;
  ASSERT_NE(FolderMemory(whole, later).root().folder, nullptr);
  for (std::size_t at = 0; at < whole.size(); at += 97) {
    auto flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    EXPECT_EQ(FolderMemory(flipped, later).root().folder, nullptr) << at;
    EXPECT_EQ(FolderMemory(whole.substr(0, at), later).root().folder, nullptr) << at;
  }
  // One that is whole but makes no sense.
  auto rest = whole.substr(0, whole.size() / 2);
  rest += Digest::of(rest).encoded();
  EXPECT_EQ(FolderMemory(rest, later).root().folder, nullptr);
}

TEST_F(FolderMemoryTest, FewFoldersAreNotWorthARecord) {
  fs::remove_all(root_ / "modules");
  put("lib/a.js");
  FolderMemory memory({}, wall_time() + hour);
  found(memory);
  EXPECT_FALSE(memory.has_news());
}

TEST_F(FolderMemoryTest, AWayThatIsTooLongForTheKernelIsGoneInParts) {
  const std::string name(200, 'd');
  int parent = ::open(root_.c_str(), O_RDONLY | O_DIRECTORY);
  for (int depth = 0; depth < 30; ++depth) {
    ASSERT_EQ(::mkdirat(parent, name.c_str(), 0755), 0);
    const int inner = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(parent);
    parent = inner;
  }
  ::close(parent);
  FolderMemory memory(record(), wall_time() + 2 * hour);
  EXPECT_EQ(found(memory).size(), 1u + 60 * 4 + 1 + 30);
}

}  // namespace
}  // namespace deployctl::oci
