#include "core/images/description.hpp"

#include "core/oci/platform.hpp"
#include "tests/unit/images/memory_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::images {
namespace {

TEST(Description, NamesTheStepBehindEveryLayer) {
  MemorySource source;
  oci::ImageConfig config{.settings = {.user = "65532"}};
  config.history = {
      {.created_by = "ADD base"}, {.created_by = "ENV A=b", .is_empty_layer = true}, {.created_by = "COPY app"}};
  source.add_image({tar_bytes::file("a", "1"), tar_bytes::file("b", "2")}, config);

  const auto description = describe(source, {});
  ASSERT_TRUE(description) << base::to_string(description.error());
  EXPECT_FALSE(description->is_index);
  ASSERT_EQ(description->images.size(), 1u);
  const auto& image = description->images.front();
  ASSERT_EQ(image.layers.size(), 2u);
  EXPECT_EQ(image.layers[0].created_by, "ADD base");
  EXPECT_EQ(image.layers[1].created_by, "COPY app");
  EXPECT_EQ(image.config->settings.user, "65532");
  EXPECT_EQ(to_string(*image.manifest.platform), "linux/amd64");
  EXPECT_EQ(image.total_size(), image.manifest.size + image.config_blob.size + 2048);
}

TEST(Description, OfAnIndexHasEveryImageOrTheOneAskedFor) {
  MemorySource source;
  const auto amd = source.add_image({}, {.platform = *oci::parse_platform("linux/amd64")});
  const auto arm = source.add_image({}, {.platform = *oci::parse_platform("linux/arm/v7")});
  source.add_index({amd, arm});
  EXPECT_EQ(describe(source, {})->images.size(), 2u);
  const auto one = describe(source, *oci::parse_platform("linux/arm/v7"));
  ASSERT_TRUE(one);
  ASSERT_EQ(one->images.size(), 1u);
  EXPECT_EQ(one->images.front().manifest.digest, arm.digest);
}

TEST(Description, OfAnIndexWithoutSomeOfItsImagesTellsWhichAndShowsTheOthers) {
  MemorySource source;
  const auto amd = source.add_image({}, {.platform = *oci::parse_platform("linux/amd64")});
  const auto arm = source.add_image({}, {.platform = *oci::parse_platform("linux/arm64")});
  const auto ppc = source.add_image({}, {.platform = *oci::parse_platform("linux/ppc64le")});
  source.add_index({amd, arm, ppc});
  source.lose(arm.digest);
  source.lose(describe(source, *oci::parse_platform("linux/ppc64le"))->images.front().config_blob.digest);
  const auto description = describe(source, {});
  ASSERT_TRUE(description) << base::to_string(description.error());
  ASSERT_EQ(description->images.size(), 1u);
  EXPECT_EQ(description->images.front().manifest.digest, amd.digest);
  ASSERT_EQ(description->missing.size(), 2u);
  EXPECT_EQ(description->missing[0].manifest.digest, arm.digest);
  EXPECT_EQ(description->missing[1].manifest.digest, ppc.digest);
  EXPECT_EQ(base::to_string(describe(source, *oci::parse_platform("linux/arm64")).error()),
            "the image for linux/arm64: no manifest " + arm.digest.text());
  EXPECT_EQ(describe(source, *oci::parse_platform("linux/amd64"))->missing.size(), 0u);
}

TEST(Description, OfASingleImageIsNotGivenForAnotherPlatform) {
  MemorySource source;
  source.add_image({});
  EXPECT_TRUE(describe(source, *oci::parse_platform("linux/amd64")));
  EXPECT_EQ(describe(source, *oci::parse_platform("linux/arm64")).error().message,
            "there is no image for linux/arm64: this one is for linux/amd64");
}

TEST(Description, ListsWhatRefersToTheIndexAndToItsImages) {
  MemorySource source;
  const auto image = source.add_image({});
  const auto index = source.add_index({image});
  source.add_referrer(index.digest,
                      {.digest = oci::Digest::of("provenance"), .artifact_type = "application/vnd.in-toto+json"});
  source.add_referrer(image.digest, {.digest = oci::Digest::of("sbom"), .artifact_type = "application/spdx+json"});
  const auto description = describe(source, {});
  ASSERT_TRUE(description);
  ASSERT_EQ(description->referrers.size(), 2u);
  EXPECT_EQ(description->referrers[0].subject, index.digest);
  EXPECT_EQ(description->referrers[1].manifest.artifact_type, "application/spdx+json");
}

TEST(Description, SaysWhatAnArtifactIs) {
  MemorySource source;
  oci::ImageManifest manifest{.media_type = std::string(oci::media_type::image_manifest)};
  manifest.config = source.add_blob("{}", "application/vnd.oci.empty.v1+json");
  manifest.artifact_type = "application/spdx+json";
  source.add_document(oci::manifest_bytes(manifest), manifest.media_type);
  const auto description = describe(source, {});
  ASSERT_TRUE(description) << base::to_string(description.error());
  EXPECT_FALSE(description->images.front().config);
  EXPECT_EQ(description->images.front().artifact_type, "application/spdx+json");
}

}  // namespace
}  // namespace deployctl::images
