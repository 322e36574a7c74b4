// Folders that are large enough to be walked by several threads.
#include "core/oci/layer_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;

class FolderWalkTest : public ::testing::Test {
 protected:
  FolderWalkTest() : root_(fs::path(::testing::TempDir()) / ("walk-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    for (int package = 0; package < 60; ++package) {
      for (int file = 0; file < 10; ++file) {
        put(fmt::format("modules/package-{}/lib/{}.js", package, file));
      }
    }
    for (int file = 0; file < 300; ++file) {
      put(fmt::format("flat/{}", file));
    }
  }
  ~FolderWalkTest() override { fs::remove_all(root_); }

  void put(const std::string& name) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << name;
  }
  // By path below `prefix`, with where it lies.
  [[nodiscard]] std::map<std::string, std::string> on_disk(const std::string& prefix) const {
    std::map<std::string, std::string> all{{prefix, ""}};
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      const auto path = entry.path().string();
      all[prefix + path.substr(root_.string().size())] = entry.is_directory() ? "" : path;
    }
    return all;
  }

  fs::path root_;
};

std::map<std::string, std::string> sources(const LayerTree& tree) {
  std::map<std::string, std::string> all;
  for (const auto& [path, item] : tree.items()) {
    all[path] = item.source;
  }
  return all;
}

TEST_F(FolderWalkTest, FindsEverythingOnce) {
  LayerTree tree;
  const auto added = tree.add_folder("app", root_);
  ASSERT_TRUE(added) << base::to_string(added.error());
  EXPECT_EQ(sources(tree), on_disk("app"));
}

TEST_F(FolderWalkTest, TakesWhatIsChosenAndTheFoldersItLiesIn) {
  LayerTree tree;
  const auto choose = [](std::string_view path, bool is_directory) {
    return path == "flat"            ? Choice::skip_all
           : path.ends_with("/3.js") ? Choice::take
           : is_directory            ? Choice::skip
                                     : Choice::skip_all;
  };
  ASSERT_TRUE(tree.add_folder("app", root_, choose));
  auto expected = on_disk("app");
  std::erase_if(expected, [](const auto& entry) {
    return entry.first.starts_with("app/flat") || (!entry.second.empty() && !entry.first.ends_with("/3.js"));
  });
  EXPECT_EQ(sources(tree), expected);
}

TEST_F(FolderWalkTest, NamesTheFirstOfSeveralThingsThatCannotBeHeld) {
  for (const auto* place : {"modules/package-31/lib/pipe", "flat/99-pipe", "modules/package-7/pipe"}) {
    ASSERT_EQ(::mkfifo((root_ / place).c_str(), 0600), 0);
  }
  for (int round = 0; round < 20; ++round) {
    LayerTree tree;
    const auto added = tree.add_folder("app", root_);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().message,
              (root_ / "flat/99-pipe").string() + " is a named pipe, which an image layer cannot hold");
  }
}

}  // namespace
}  // namespace deployctl::oci
