#include "core/images/export.hpp"

#include "core/oci/archive_file.hpp"
#include "core/oci/blob_file.hpp"
#include "core/oci/docker_archive.hpp"
#include "core/oci/layout.hpp"
#include "core/oci/oci_archive.hpp"
#include "core/oci/platform.hpp"
#include "core/oci/temporary_file.hpp"
#include "tests/unit/images/memory_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace deployctl::images {
namespace {

namespace fs = std::filesystem;
using namespace tar_bytes;

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() { fs::create_directories(root_); }
  ~ExportTest() override { fs::remove_all(root_); }

  Location layout(const std::string& name = {}) {
    return {.kind = Location::Kind::layout, .path = root_ + "/layout", .name = name};
  }
  Location archive(Location::Kind kind) { return {.kind = kind, .path = root_ + "/image.tar"}; }

  // Two platforms and a builder's record; the root is the index.
  void add_three() {
    const auto amd = source_.add_image({file("a", "1")}, {.platform = *oci::parse_platform("linux/amd64")});
    const auto arm = source_.add_image({file("a", "2")}, {.platform = *oci::parse_platform("linux/arm64")});
    auto record = source_.add_image({file("r", "")});
    record.platform = oci::Platform{.os = "unknown", .architecture = "unknown"};
    source_.add_index({amd, arm, record});
  }

  std::set<std::string> files() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      found.insert(entry.path());
    }
    return found;
  }

  const std::string root_ = ::testing::TempDir() + "/deployctl-export-test";
  MemorySource source_;
};

TEST_F(ExportTest, MakesALayoutWithEverythingAnIndexLists) {
  add_three();
  const auto exported = export_image(source_, layout("v1"), "", {});
  ASSERT_TRUE(exported) << base::to_string(exported.error());
  EXPECT_EQ(exported->blobs, 6);
  const auto written = oci::Layout::open(root_ + "/layout");
  ASSERT_TRUE(written) << base::to_string(written.error());
  const auto root = oci::find_in_index(written->index(), "v1");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->digest, source_.root().descriptor.digest);
  const auto images = oci::stored(written->blobs(), *root);
  ASSERT_TRUE(images) << base::to_string(images.error());
  EXPECT_EQ(std::get<oci::StoredIndex>(*images).images.size(), 3u);
}

TEST_F(ExportTest, WritesOnlyWhatALayoutDoesNotHave) {
  source_.add_image({file("base", "x"), file("app", "1")});
  ASSERT_TRUE(export_image(source_, layout(), "v1", {}));
  source_.add_image({file("base", "x"), file("app", "2")});
  const auto exported = export_image(source_, layout(), "v2", {});
  ASSERT_TRUE(exported);
  EXPECT_EQ(exported->blobs, 2);  // the new layer and the configuration
  EXPECT_EQ(oci::Layout::open(root_ + "/layout")->index().manifests.size(), 2u);
}

TEST_F(ExportTest, WritesADamagedBlobOfALayoutAnew) {
  source_.add_image({file("base", "x"), file("app", "1")});
  ASSERT_TRUE(export_image(source_, layout(), "v1", {}));
  const auto written = oci::Layout::open(root_ + "/layout");
  const auto image = std::get<oci::StoredImage>(*oci::stored(written->blobs(), written->index().manifests.front()));
  const auto path = image.blob_path(image.layers.front().digest);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).write("?", 1);
  const auto exported = export_image(source_, layout(), "v1", {});
  ASSERT_TRUE(exported) << base::to_string(exported.error());
  EXPECT_EQ(exported->blobs, 1);
  EXPECT_TRUE(oci::read_blob_file(path, image.layers.front(), [](std::string_view) { return base::Status(); }));
}

TEST_F(ExportTest, TakesAwayWhatAKilledOneHasLeft) {
  source_.add_image({file("base", "x")});
  ASSERT_TRUE(export_image(source_, layout(), "v1", {}));
  const auto blobs = root_ + "/layout/blobs/sha256";
  const auto files_before = files();
  for (const auto& folder : {root_, root_ + "/layout", blobs}) {
    std::ofstream(folder + "/.deployctl-new-Ab3dE6") << "half a blob";
  }
  const auto in_use = oci::TemporaryFile::make(blobs);
  ASSERT_TRUE(export_image(source_, layout(), "v1", {}));
  ASSERT_TRUE(export_image(source_, archive(Location::Kind::oci_archive), "v1", {}));
  fs::remove(root_ + "/image.tar");
  EXPECT_EQ(files().size(), files_before.size() + 1) << "the one that is being written";
}

TEST_F(ExportTest, TakesOnePlatformWhenItIsAskedFor) {
  add_three();
  const auto exported = export_image(source_, layout(), "v1", *oci::parse_platform("linux/arm64"));
  ASSERT_TRUE(exported);
  EXPECT_EQ(exported->blobs, 2);
  EXPECT_EQ(exported->root.platform->architecture, "arm64");
}

TEST_F(ExportTest, TakesOnePlatformOfAnIndexWithoutTheOthers) {
  const auto amd = source_.add_image({file("a", "1")}, {.platform = *oci::parse_platform("linux/amd64")});
  const auto arm = source_.add_image({file("a", "2")}, {.platform = *oci::parse_platform("linux/arm64")});
  source_.add_index({amd, arm});
  source_.lose(amd.digest);
  EXPECT_TRUE(export_image(source_, layout(), "v1", *oci::parse_platform("linux/arm64")));
  EXPECT_FALSE(export_image(source_, layout(), "v1", *oci::parse_platform("linux/amd64")));
  EXPECT_FALSE(export_image(source_, layout(), "v1", {}));
}

TEST_F(ExportTest, WritesAnArchiveThatIsReadAgain) {
  add_three();
  const auto target = archive(Location::Kind::oci_archive);
  ASSERT_TRUE(export_image(source_, target, "v1", {}));
  oci::ImageStore store(root_ + "/store");
  const auto index = oci::import_oci_archive(*oci::open_archive_file(target.path), store);
  ASSERT_TRUE(index) << base::to_string(index.error());
  EXPECT_EQ(oci::find_in_index(*index, "v1")->digest, source_.root().descriptor.digest);
}

TEST_F(ExportTest, ADockerArchiveKeepsTheImagesDigestWhenItsLayersAreCompressed) {
  std::string layer;
  auto gzip = oci::GzipWriter::make([&](std::string_view piece) {
    layer += piece;
    return base::Status();
  });
  const auto tar = file("a", "1") + end();
  ASSERT_TRUE(gzip && gzip->add(tar) && gzip->finish());
  oci::ImageManifest manifest{.media_type = std::string(oci::media_type::image_manifest)};
  manifest.layers = {source_.add_blob(layer, oci::media_type::layer_gzip)};
  const oci::ImageConfig config{.platform = *oci::parse_platform("linux/amd64"), .diff_ids = {oci::Digest::of(tar)}};
  manifest.config = source_.add_blob(oci::config_bytes(config), oci::media_type::image_config);
  const auto image = source_.add_document(oci::manifest_bytes(manifest), manifest.media_type);

  const auto target = archive(Location::Kind::docker_archive);
  ASSERT_TRUE(export_image(source_, target, "shop/api:v1", {}));
  oci::ImageStore store(root_ + "/store");
  const auto read = oci::import_docker_archive(*oci::open_archive_file(target.path), store, {.name = "shop/api:v1"});
  ASSERT_TRUE(read) << base::to_string(read.error());
  EXPECT_EQ(read->digest, image.digest);
  EXPECT_EQ(
      oci::import_docker_archive(*oci::open_archive_file(target.path), store, {.name = "other:v1"}).error().message,
      "the archive holds no image 'other:v1': it has shop/api:v1");
}

TEST_F(ExportTest, LeavesNothingBehindWhenItFails) {
  oci::ImageManifest manifest{.media_type = std::string(oci::media_type::image_manifest)};
  manifest.config = source_.add_blob("{}", oci::media_type::image_config);
  manifest.layers = {
      {.media_type = std::string(oci::media_type::layer_tar), .digest = oci::Digest::of("gone"), .size = 4}};
  source_.add_document(oci::manifest_bytes(manifest), manifest.media_type);
  EXPECT_FALSE(export_image(source_, archive(Location::Kind::oci_archive), "v1", {}));
  EXPECT_TRUE(fs::is_empty(root_));
  EXPECT_FALSE(export_image(source_, layout("v1"), "", {}));
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(ExportTest, LeavesALayoutAsItWasWhenItFails) {
  source_.add_image({file("base", "x")});
  ASSERT_TRUE(export_image(source_, layout("v1"), "", {}));
  const auto files_before = files();
  oci::ImageManifest manifest{.media_type = std::string(oci::media_type::image_manifest)};
  manifest.config = source_.add_blob("{}", oci::media_type::image_config);
  manifest.layers = {
      source_.add_blob("new", oci::media_type::layer_tar),
      {.media_type = std::string(oci::media_type::layer_tar), .digest = oci::Digest::of("gone"), .size = 4}};
  source_.add_document(oci::manifest_bytes(manifest), manifest.media_type);
  EXPECT_FALSE(export_image(source_, layout("v2"), "", {}));
  EXPECT_EQ(files(), files_before);
}

}  // namespace
}  // namespace deployctl::images
