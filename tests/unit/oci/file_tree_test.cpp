#include "core/oci/file_tree.hpp"

#include "tests/support/tar_bytes.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::oci {
namespace {

using namespace tar_bytes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

BlobSource from(const std::string& layer) {
  return [layer](const PieceSink& sink) { return sink(layer); };
}

FileTree tree_of(const std::vector<std::string>& layers) {
  FileTree tree;
  for (const auto& layer : layers) {
    auto read = read_layer_changes(from(layer), Contents::hashed);
    EXPECT_TRUE(read) << (read ? "" : base::to_string(read.error()));
    tree.add(*std::move(read));
  }
  return tree;
}

// "a/b 3 @1": path, size and layer; a directory has a '/' instead of its size.
std::vector<std::string> listed(const std::vector<std::string>& layers) {
  std::vector<std::string> lines;
  const auto tree = tree_of(layers);
  for (const auto& [path, node] : tree.nodes()) {
    const bool is_directory = node.kind == FileNode::Kind::directory;
    lines.push_back(fmt::format("{}{} @{}", path, is_directory ? "/" : fmt::format(" {}", node.size), node.layer));
  }
  return lines;
}

TEST(FileTree, LaysLayersOverOneAnother) {
  EXPECT_THAT(listed({directory("etc/") + file("etc/a", "1") + file("etc/b", "22"), file("etc/b", "333")}),
              ElementsAre("etc/ @0", "etc/a 1 @0", "etc/b 3 @1"));
}

TEST(FileTree, TakesAwayWhatAWhiteoutNames) {
  EXPECT_THAT(listed({file("a", "1") + file("d/x", "1") + file("d/y/z", "1") + file("d-e", "1"),
                      file(".wh.a", "") + file(".wh.d", "")}),
              ElementsAre("d-e 1 @0"));
}

TEST(FileTree, AWhiteoutHidesOnlyLowerLayersWhereverItStands) {
  const auto lower = directory("d/") + file("d/old", "1");
  const auto marker = file("d/.wh..wh..opq", "");
  const auto added = file("d/new", "22");
  EXPECT_THAT(listed({lower, added + marker}), ElementsAre("d/ @0", "d/new 2 @1"));
  EXPECT_THAT(listed({lower, marker + added}), ElementsAre("d/ @0", "d/new 2 @1"));
  EXPECT_THAT(listed({lower, added + file(".wh.d", "")}), ElementsAre("d/ @1", "d/new 2 @1"));
}

TEST(FileTree, AnOpaqueDirectoryKeepsItself) {
  EXPECT_THAT(listed({directory("d/") + file("d/old", "1") + file("e", "1"), file("d/.wh..wh..opq", "")}),
              ElementsAre("d/ @0", "e 1 @0"));
  EXPECT_THAT(listed({file("a", "1"), file(".wh..wh..opq", "")}), IsEmpty());
}

TEST(FileTree, AFileInPlaceOfADirectoryHidesWhatWasBelow) {
  EXPECT_THAT(listed({file("d/x", "1") + file("d.conf", "1"), file("d", "22")}), ElementsAre("d 2 @1", "d.conf 1 @0"));
}

TEST(FileTree, ADirectoryTakesThePlaceOfALink) {
  EXPECT_THAT(listed({link("lib", "usr/lib"), file("lib/x", "1")}), ElementsAre("lib/ @1", "lib/x 1 @1"));
}

TEST(FileTree, ADirectoryNamedAgainKeepsWhatIsInIt) {
  EXPECT_THAT(listed({file("d/x", "1"), directory("d/", 0700)}), ElementsAre("d/ @1", "d/x 1 @0"));
}

TEST(FileTree, AHardLinkSharesContentAndSize) {
  const auto tree = tree_of({file("a", "hello") + hard_link("b", "a"), file("a", "x") + hard_link("c", "b")});
  const auto* second = tree.find("b");
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->shares_content());
  EXPECT_EQ(second->size, 5u);
  EXPECT_EQ(second->content, Digest::of("hello"));
  EXPECT_EQ(tree.find("c")->content, Digest::of("hello"));  // from the layer below, as it was there
  EXPECT_EQ(tree.find("a")->content, Digest::of("x"));
  EXPECT_EQ(tree.find("nothing"), nullptr);
}

TEST(FileTree, KnowsModeOwnerTimeAndContent) {
  const auto tree =
      tree_of({header({.name = "f", .size = 2, .mode = 04755, .uid = 65532, .gid = 100, .mtime = 1700000000}) +
               padded("hi") + file("empty", "")});
  const auto* node = tree.find("f");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->mode, 04755u);
  EXPECT_EQ(node->uid, 65532u);
  EXPECT_EQ(node->gid, 100u);
  EXPECT_EQ(node->mtime, 1700000000);
  EXPECT_EQ(node->content, Digest::of("hi"));
  EXPECT_EQ(tree.find("empty")->content, Digest::of(""));
}

TEST(LayerChanges, CountsTheBytesOfALayerOnce) {
  const auto layer =
      read_layer_changes(from(file("a", "12345") + hard_link("b", "a") + file("c", "123")), Contents::ignored);
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->total_size(), 8u);
  EXPECT_TRUE(layer->nodes.at("a").content.empty());
}

TEST(LayerChanges, IsNotMadeFromADamagedLayer) {
  EXPECT_FALSE(read_layer_changes(from("nonsense"), Contents::ignored));
  const auto broken = [](const PieceSink&) { return base::Status(base::Error::failed("wrong digest")); };
  EXPECT_EQ(read_layer_changes(broken, Contents::ignored).error().message, "wrong digest");
}

}  // namespace
}  // namespace deployctl::oci
