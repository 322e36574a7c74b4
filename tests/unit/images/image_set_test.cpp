#include "core/images/image_set.hpp"

#include "core/oci/platform.hpp"
#include "tests/unit/images/memory_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::images {
namespace {

using ::testing::HasSubstr;

oci::ImageConfig config_for(const char* platform) {
  return {.platform = *oci::parse_platform(platform)};
}

oci::Descriptor attestation(MemorySource& source, const oci::Digest& of) {
  auto record = source.add_image({});
  record.platform = oci::Platform{.os = "unknown", .architecture = "unknown"};
  record.annotations["vnd.docker.reference.digest"] = of.text();
  return record;
}

TEST(ImageSet, OfASingleImageIsThatImage) {
  MemorySource source;
  const auto image = source.add_image({});
  const auto set = read_images(source);
  ASSERT_TRUE(set);
  EXPECT_FALSE(set->index);
  ASSERT_EQ(set->images.size(), 1u);
  EXPECT_EQ((*choose_image(*set, {}))->document.descriptor.digest, image.digest);
}

TEST(ImageSet, LeavesOutWhatBuildersPutBesideTheImages) {
  MemorySource source;
  const auto image = source.add_image({}, config_for("linux/amd64"));
  source.add_index({image, attestation(source, image.digest)});
  EXPECT_EQ(read_images(source)->images.size(), 1u);
  EXPECT_TRUE(read_images(source)->attestations.empty());
  EXPECT_EQ(read_images(source, Attestations::read)->attestations.size(), 1u);
}

TEST(ImageSet, HasTheImageForAPlatform) {
  MemorySource source;
  const auto amd = source.add_image({}, config_for("linux/amd64"));
  const auto arm = source.add_image({}, config_for("linux/arm64"));
  source.add_index({amd, arm});
  const auto set = read_images(source);
  ASSERT_TRUE(set);
  EXPECT_EQ((*choose_image(*set, oci::parse_platform("linux/arm64/v8").operator*()))->document.descriptor.digest,
            arm.digest);
  EXPECT_EQ(choose_image(*set, *oci::parse_platform("linux/s390x")).error().message,
            "there is no image for linux/s390x: the index lists linux/amd64, linux/arm64");
}

TEST(ImageSet, FollowsIndexesInIndexesOnlySoFar) {
  MemorySource source;
  auto inner = source.add_index({source.add_image({})});
  inner = source.add_index({inner});
  EXPECT_EQ(read_images(source)->images.size(), 1u);
  EXPECT_EQ(read_images(source)->indexes.size(), 1u);
  for (int i = 0; i < 3; ++i) {
    inner = source.add_index({inner});
  }
  EXPECT_THAT(read_images(source).error().message, HasSubstr("deep in one another"));
}

TEST(ImageSet, IsNotReadWhenAManifestIsMissing) {
  MemorySource source;
  source.add_index({{.media_type = std::string(oci::media_type::image_manifest), .digest = oci::Digest::of("gone")}});
  EXPECT_EQ(read_images(source).error().code, base::ErrorCode::not_found);
}

}  // namespace
}  // namespace deployctl::images
