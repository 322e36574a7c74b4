#include "core/oci/layout.hpp"

#include "core/oci/image_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string config_text(const std::string& architecture) {
  return R"({"architecture":")" + architecture + R"(","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
}

class LayoutTest : public ::testing::Test {
 protected:
  ~LayoutTest() override { fs::remove_all(directory_); }

  // An image without layers, its blobs in the layout.
  Descriptor add_image(const std::string& architecture) {
    ImageStore store(directory_);
    ImageManifest manifest{.media_type = std::string(media_type::image_manifest)};
    manifest.config = *store.add_blob(config_text(architecture), media_type::image_config);
    auto added = *store.add_blob(manifest_bytes(manifest), media_type::image_manifest);
    added.platform = Platform{.os = "linux", .architecture = architecture};
    return added;
  }

  Descriptor add_index(const std::vector<Descriptor>& images) {
    ImageIndex index{.media_type = std::string(media_type::image_index), .manifests = images};
    return *ImageStore(directory_).add_blob(index_bytes(index), media_type::image_index);
  }

  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ + "/" + name) << text; }

  const std::string directory_ = ::testing::TempDir() + "/deployctl-layout-test";
};

TEST_F(LayoutTest, IsMadeAndFoundAgain) {
  auto made = Layout::open_or_make(directory_);
  ASSERT_TRUE(made) << base::to_string(made.error());
  const auto image = add_image("amd64");
  ASSERT_TRUE(made->put(image, "v1"));
  ASSERT_TRUE(made->put(image, "v2"));

  const auto opened = Layout::open(directory_);
  ASSERT_TRUE(opened) << base::to_string(opened.error());
  EXPECT_EQ(opened->index().manifests.size(), 2u);
  const auto found = find_in_index(opened->index(), "v2");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest, image.digest);
  EXPECT_EQ(found->platform->architecture, "amd64");
  EXPECT_EQ(find_in_index(opened->index(), "@" + image.digest.text())->digest, image.digest);
}

TEST_F(LayoutTest, GivesANameToOneImageOnly) {
  auto layout = Layout::open_or_make(directory_);
  const auto first = add_image("amd64");
  const auto second = add_image("arm64");
  ASSERT_TRUE(layout->put(first, "v1") && layout->put(second, "v1"));
  ASSERT_EQ(layout->index().manifests.size(), 1u);
  EXPECT_EQ(layout->index().manifests.front().digest, second.digest);
  ASSERT_TRUE(layout->put(first, "") && layout->put(first, ""));
  EXPECT_EQ(layout->index().manifests.size(), 2u);
}

TEST_F(LayoutTest, SaysWhichImagesThereAre) {
  auto layout = Layout::open_or_make(directory_);
  EXPECT_EQ(find_in_index(layout->index(), "").error().message, "which image is meant is not said: it holds none");
  const auto first = add_image("amd64");
  ASSERT_TRUE(layout->put(first, "v1"));
  EXPECT_EQ(find_in_index(layout->index(), "")->digest, first.digest);
  ASSERT_TRUE(layout->put(add_image("arm64"), "v2"));
  EXPECT_EQ(find_in_index(layout->index(), "").error().message, "which image is meant is not said: it holds v1, v2");
  EXPECT_EQ(find_in_index(layout->index(), "v3").error().message, "there is no image 'v3': it holds v1, v2");
}

TEST_F(LayoutTest, IsRefusedWhenItIsNone) {
  EXPECT_EQ(Layout::open(directory_).error().code, base::ErrorCode::not_found);
  fs::create_directories(directory_);
  EXPECT_THAT(Layout::open(directory_).error().message,
              HasSubstr("is no OCI image layout: it has no file 'oci-layout'"));
  write("something", "else");
  EXPECT_FALSE(Layout::open_or_make(directory_));
  write("oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  EXPECT_THAT(Layout::open(directory_).error().message, HasSubstr("of version '2.0.0'"));
  write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  write("index.json", "[]");
  EXPECT_FALSE(Layout::open(directory_));
}

TEST_F(LayoutTest, GivesAnImageReadyToBePushed) {
  const auto layout = Layout::open_or_make(directory_);
  const auto image = add_image("arm64");
  const auto one = stored(layout->blobs(), image);
  ASSERT_TRUE(one) << base::to_string(one.error());
  const auto& stored_image = std::get<StoredImage>(*one);
  EXPECT_EQ(stored_image.digest, image.digest);
  EXPECT_EQ(stored_image.platform.architecture, "arm64");
  EXPECT_EQ(stored_image.blobs, directory_ + "/blobs");
}

TEST_F(LayoutTest, GivesAnIndexWithItsImages) {
  const auto layout = Layout::open_or_make(directory_);
  const auto index = add_index({add_image("amd64"), add_image("arm64")});
  const auto set = stored(layout->blobs(), index);
  ASSERT_TRUE(set) << base::to_string(set.error());
  EXPECT_EQ(std::get<StoredIndex>(*set).images.size(), 2u);
  EXPECT_THAT(stored(layout->blobs(), add_index({index})).error().message, HasSubstr("lists another index"));
}

TEST_F(LayoutTest, FindsADamagedDocument) {
  const auto layout = Layout::open_or_make(directory_);
  const auto image = add_image("amd64");
  const auto path = ImageStore(directory_).blob_path(image.digest);
  fs::permissions(path, fs::perms::owner_all);
  auto text = std::string(image.size, ' ');
  std::ofstream(path) << text;
  EXPECT_THAT(stored(layout->blobs(), image).error().message, HasSubstr("is damaged"));
}

}  // namespace
}  // namespace deployctl::oci
