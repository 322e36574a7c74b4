#include "core/oci/image_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;

class ImageStoreTest : public ::testing::Test {
 protected:
  ImageStoreTest()
      : directory_(fs::path(::testing::TempDir()) / ("store-" + std::to_string(::getpid()))), store_(directory_) {
    fs::remove_all(directory_);
  }
  ~ImageStoreTest() override { fs::remove_all(directory_); }

  [[nodiscard]] std::size_t files() const {
    const auto blobs = directory_ / "blobs/sha256";
    return fs::exists(blobs) ? static_cast<std::size_t>(std::distance(fs::directory_iterator(blobs), {})) : 0;
  }
  void make_old(const Descriptor& blob) const {
    fs::last_write_time(store_.blob_path(blob.digest), fs::file_time_type::clock::now() - std::chrono::hours(5));
  }

  fs::path directory_;
  ImageStore store_;
};

TEST_F(ImageStoreTest, ShowsABlobOnlyWhenItIsComplete) {
  {
    auto blob = store_.new_blob();
    ASSERT_TRUE(blob);
    ASSERT_TRUE(blob->write("hel"));
    ASSERT_TRUE(blob->write("lo"));
    EXPECT_FALSE(fs::exists(store_.blob_path(Digest::of("hello"))));
    const auto kept = blob->keep(media_type::layer_gzip);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->digest, Digest::of("hello"));
    EXPECT_EQ(kept->size, 5u);
    EXPECT_TRUE(store_.has_blob(*kept));
  }
  { auto given_up = store_.new_blob(); }
  EXPECT_EQ(files(), 1u);
}

TEST_F(ImageStoreTest, DoesNotTakeABlobOfAnotherLengthForTheSame) {
  const auto blob = *store_.add_blob("hello", "x");
  std::ofstream(store_.blob_path(blob.digest)) << "hell";
  EXPECT_FALSE(store_.has_blob(blob));
}

TEST_F(ImageStoreTest, FindsALayerOnlyWhileItsBlobIsThere) {
  const auto blob = *store_.add_blob("compressed", media_type::layer_gzip);
  EXPECT_EQ(store_.find_layer(Digest::of("tar")), std::nullopt);
  ASSERT_TRUE(store_.remember_layer(Digest::of("tar"), blob));
  EXPECT_EQ(store_.find_layer(Digest::of("tar")), blob);
  fs::remove(store_.blob_path(blob.digest));
  EXPECT_EQ(store_.find_layer(Digest::of("tar")), std::nullopt);
}

TEST_F(ImageStoreTest, FindsAnImageByItsConfigurationEvenWithoutItsBlobs) {
  const auto config = *store_.add_blob("{}", media_type::image_config);
  StoredImage image{.manifest = manifest_bytes(
                        {.media_type = std::string(media_type::image_manifest), .config = config, .layers = {}}),
                    .media_type = std::string(media_type::image_manifest),
                    .digest = {},
                    .config = config,
                    .layers = {},
                    .platform = {.os = "linux", .architecture = "amd64", .variant = {}},
                    .blobs = store_.blobs()};
  image.digest = Digest::of(image.manifest);
  ASSERT_TRUE(store_.remember_image(image));
  const auto found = store_.find_image(config.digest);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest, image.digest);
  EXPECT_EQ(found->platform, image.platform);
  EXPECT_TRUE(store_.has_all_blobs(*found));
  fs::remove(store_.blob_path(config.digest));
  EXPECT_FALSE(store_.has_all_blobs(*store_.find_image(config.digest)));
  EXPECT_EQ(store_.find_image(Digest::of("other")), std::nullopt);
}

TEST_F(ImageStoreTest, IgnoresDamagedRecordsAndUnsafeNames) {
  fs::create_directories(directory_ / "layers");
  std::ofstream(directory_ / "layers" / (std::string(Digest::of("tar").encoded()) + ".json")) << "{\"digest\":";
  EXPECT_EQ(store_.find_layer(Digest::of("tar")), std::nullopt);
  ASSERT_TRUE(store_.remember_hint("../../escape", Digest::of("x")));
  EXPECT_FALSE(fs::exists(directory_.parent_path() / "escape"));
  EXPECT_EQ(store_.find_hint("../../escape"), std::nullopt);
  ASSERT_TRUE(store_.remember_hint("abc123", Digest::of("x")));
  EXPECT_EQ(store_.find_hint("abc123"), Digest::of("x"));
}

TEST_F(ImageStoreTest, TrimsWhatWasNotUsedForLongest) {
  const auto old = *store_.add_blob(std::string(1000, 'a'), "x");
  const auto fresh = *store_.add_blob(std::string(1000, 'b'), "x");
  make_old(old);
  ASSERT_TRUE(store_.trim(5000));
  EXPECT_EQ(files(), 2u);
  ASSERT_TRUE(store_.trim(1500));
  EXPECT_FALSE(store_.has_blob(old));
  EXPECT_TRUE(store_.has_blob(fresh));
  ASSERT_TRUE(store_.trim(0));
  EXPECT_TRUE(store_.has_blob(fresh)) << "used within the last hour";
}

TEST_F(ImageStoreTest, FoldersAreRememberedForAMonth) {
  FolderMemory memory;
  memory.root().folder = &memory.add();
  ASSERT_TRUE(store_.remember_folders("/src", memory));
  EXPECT_NE(store_.find_folders("/src").root().folder, nullptr);
  EXPECT_EQ(store_.find_folders("/other").root().folder, nullptr);
  for (const auto& record : fs::directory_iterator(directory_ / "folders")) {
    fs::last_write_time(record, fs::file_time_type::clock::now() - std::chrono::hours(24 * 31));
  }
  ASSERT_TRUE(store_.trim(5000));
  EXPECT_EQ(store_.find_folders("/src").root().folder, nullptr);
}

}  // namespace
}  // namespace deployctl::oci
