#include "core/oci/layer_writer.hpp"

#include "core/oci/gzip.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LayerWriterTest : public ::testing::Test {
 protected:
  LayerWriterTest() : root_(fs::path(::testing::TempDir()) / ("layer-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_ / "source");
  }
  ~LayerWriterTest() override { fs::remove_all(root_); }

  std::string put(const std::string& name, const std::string& content, mode_t mode = 0644) const {
    const auto path = root_ / "source" / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  [[nodiscard]] std::string source() const { return root_ / "source"; }
  // Long enough ago for its times to tell any later change.
  void settle() const { std::this_thread::sleep_for(std::chrono::milliseconds(150)); }

  fs::path root_;
};

std::vector<std::string> paths(const LayerTree& tree) {
  std::vector<std::string> names;
  for (const auto& [path, item] : tree.items()) {
    names.push_back(path);
  }
  return names;
}

std::string tar_of(const LayerTree& tree, const LayerOptions& options = {}) {
  std::string bytes;
  const auto written = write_layer_tar(tree, options, [&](std::string_view piece) {
    bytes += piece;
    return base::Status();
  });
  EXPECT_TRUE(written) << base::to_string(written.error());
  return bytes;
}

TEST_F(LayerWriterTest, SortsByBytesAndNamesEveryParentOnce) {
  LayerTree tree;
  ASSERT_TRUE(tree.add_file("b/c/file", "1"));
  ASSERT_TRUE(tree.add_file("b-x", "2"));
  ASSERT_TRUE(tree.add_directory("b/c", 0700));
  ASSERT_TRUE(tree.add_symlink("a", "b"));
  EXPECT_THAT(paths(tree), ElementsAre("a", "b", "b-x", "b/c", "b/c/file"));
  EXPECT_EQ(tree.items().find("b/c")->second.mode, 0700u);
}

TEST_F(LayerWriterTest, RefusesPathsThatALayerCannotHold) {
  const std::pair<std::string, std::string> rows[] = {
      {"/etc/x", "'/etc/x' cannot stand in an image layer: it has to be relative and may not end in '/'"},
      {"a//b", "'a//b' cannot stand in an image layer: it may hold neither '.' nor '..' nor an empty part"},
      {"../x", "'../x' cannot stand in an image layer: it may hold neither '.' nor '..' nor an empty part"},
      {"a/.wh.b", "'a/.wh.b' cannot stand in an image layer: a part that starts with '.wh.' means a deletion"},
      {"a\xff", "'a\xEF\xBF\xBD' cannot stand in an image layer: it has to be UTF-8"},
  };
  for (const auto& [path, message] : rows) {
    LayerTree tree;
    EXPECT_EQ(tree.add_file(path, "").error().message, message);
  }
  LayerTree tree;
  ASSERT_TRUE(tree.add_file("a", "1"));
  EXPECT_EQ(tree.add_file("a", "2").error().message, "two things would stand at 'a' in the image");
  EXPECT_EQ(tree.add_file("a/b", "2").error().message, "'a/b' would stand below a file of the image");
}

TEST_F(LayerWriterTest, RefusesWhatOneFindsInAFolderAndNamesIt) {
  const auto refusal = [&](const std::string& what) {
    LayerTree tree;
    const auto added = tree.add_folder("app", source());
    fs::remove_all(root_ / "source");
    fs::create_directories(root_ / "source");
    EXPECT_FALSE(added) << what;
    return added ? std::string() : added.error().message.substr(source().size());
  };
  put(".wh.gone", "");
  EXPECT_EQ(refusal("whiteout"), "/.wh.gone: a name that starts with '.wh.' means a deletion in an image layer");
  put("bad\xfe", "");
  EXPECT_EQ(refusal("name"), "/bad\xEF\xBF\xBD: the name is not UTF-8");
  ::mkfifo((source() + "/pipe").c_str(), 0600);
  EXPECT_EQ(refusal("pipe"), "/pipe is a named pipe, which an image layer cannot hold");
}

TEST_F(LayerWriterTest, LeavesOutWhatItIsTold) {
  put("keep/a", "");
  put("drop/b", "");
  put("drop/keep", "");
  put("never/keep", "");
  LayerTree tree;
  ASSERT_TRUE(tree.add_folder("app", source(), [](std::string_view path, bool /*is_directory*/) {
    return path == "never"                               ? Choice::skip_all
           : path.find("keep") == std::string_view::npos ? Choice::skip
                                                         : Choice::take;
  }));
  EXPECT_THAT(paths(tree), ElementsAre("app", "app/drop", "app/drop/keep", "app/keep", "app/keep/a"));
}

TEST_F(LayerWriterTest, DoesNotDependOnUmaskOwnerTimesOrOrder) {
  const auto build = [&](bool other_way_round, mode_t file_mode, mode_t tool_mode) {
    fs::remove_all(root_ / "source");
    const std::vector<std::string> names{"b", "a", "dir/z", "dir/y"};
    for (std::size_t place = 0; place < names.size(); ++place) {
      put(names[other_way_round ? names.size() - 1 - place : place], "content", file_mode);
    }
    put("tool", "#!", tool_mode);
    fs::create_symlink("a", root_ / "source/link");
    ::chmod((source() + "/dir").c_str(), other_way_round ? 0700 : 0775);
    LayerTree tree;
    EXPECT_TRUE(tree.add_folder("app", source()));
    return tar_of(tree, {.time = 1700000000});
  };
  EXPECT_EQ(build(false, 0644, 0755), build(true, 0660, 04711));
}

TEST_F(LayerWriterTest, MakesTheSecondNameOfAFileAHardLink) {
  const auto first = put("one", std::string(2000, 'x'));
  fs::create_hard_link(first, root_ / "source/another");
  LayerTree tree;
  ASSERT_TRUE(tree.add_folder("app", source()));
  const auto bytes = tar_of(tree);
  EXPECT_EQ(bytes.size(), 512u * (1 + 1 + 4 + 1 + 2));
  EXPECT_THAT(bytes.substr(512 * 6, 257), HasSubstr("app/another"));
}

TEST_F(LayerWriterTest, NoticesAFileThatChangesWhileItIsRead) {
  const auto path = put("log", std::string(1 << 20, 'x'));
  LayerTree tree;
  ASSERT_TRUE(tree.add_folder("app", source()));
  bool is_appended = false;
  const auto status = write_layer_tar(tree, {}, [&](std::string_view) {
    if (!std::exchange(is_appended, true)) {
      std::ofstream(path, std::ios::app) << "more";
    }
    return base::Status();
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::refused);
  EXPECT_EQ(status.error().message, path + " changed while it was read");
}

TEST_F(LayerWriterTest, DigestsAreOfTheTarAndOfTheStoredBytes) {
  for (int number = 0; number < 300; ++number) {
    put("file" + std::to_string(number), std::string(20'000, static_cast<char>('a' + number % 26)));
  }
  LayerTree tree;
  ASSERT_TRUE(tree.add_folder("", source()));
  const auto tar = tar_of(tree);
  for (const auto compression : {Compression::gzip, Compression::zstd}) {
    ImageStore store(root_ / "store");
    const auto layer = write_layer(tree, {.compression = compression}, store);
    ASSERT_TRUE(layer) << base::to_string(layer.error());
    EXPECT_EQ(layer->diff_id, Digest::of(tar));
    EXPECT_EQ(layer->blob.media_type, layer_media_type(compression));
    std::ifstream file(store.blob_path(layer->blob.digest), std::ios::binary);
    const std::string stored(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(layer->blob.digest, Digest::of(stored));
    EXPECT_EQ(layer->blob.size, stored.size());
    EXPECT_LT(stored.size(), tar.size() / 10);
  }
}

TEST_F(LayerWriterTest, ReadsAnUnchangedTreeOnceAndAChangedOneAgain) {
  const auto path = put("a", "one");
  settle();
  ImageStore store(root_ / "store");
  const auto build = [&] {
    LayerTree tree;
    EXPECT_TRUE(tree.add_folder("app", source()));
    auto layer = write_layer(tree, {}, store);
    EXPECT_TRUE(layer);
    return *layer;
  };
  const auto first = build();
  EXPECT_FALSE(first.is_cached);
  const auto second = build();
  EXPECT_TRUE(second.is_cached);
  EXPECT_EQ(second.blob, first.blob);
  put("a", "two");
  settle();
  const auto third = build();
  EXPECT_FALSE(third.is_cached);
  EXPECT_NE(third.diff_id, first.diff_id);
  fs::remove(store.blob_path(third.blob.digest));
  EXPECT_FALSE(build().is_cached) << "its blob is gone";
}

TEST_F(LayerWriterTest, DoesNotTrustATreeThatWasTouchedAMomentAgo) {
  put("a", "one");
  ImageStore store(root_ / "store");
  for (int round = 0; round < 2; ++round) {
    put("a", "one");
    LayerTree tree;
    ASSERT_TRUE(tree.add_folder("app", source()));
    EXPECT_FALSE(write_layer(tree, {}, store)->is_cached);
  }
}

TEST_F(LayerWriterTest, StopsWhenAsked) {
  put("a", "one");
  LayerTree tree;
  ASSERT_TRUE(tree.add_folder("app", source()));
  std::stop_source stop;
  stop.request_stop();
  ImageStore store(root_ / "store");
  EXPECT_EQ(write_layer(tree, {.stop = stop.get_token()}, store).error().code, base::ErrorCode::interrupted);
}

}  // namespace
}  // namespace deployctl::oci
