#include "core/oci/image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::oci {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Descriptor descriptor(std::string_view type, std::string_view bytes) {
  return {.media_type = std::string(type),
          .digest = Digest::of(bytes),
          .size = bytes.size(),
          .platform = {},
          .annotations = {}};
}

ImageManifest sample() {
  return {.media_type = std::string(media_type::image_manifest),
          .config = descriptor(media_type::image_config, "{}"),
          .layers = {descriptor(media_type::layer_gzip, "one"), descriptor(media_type::layer_gzip, "two")}};
}

TEST(ImageManifest, IsReadAsItWasWritten) {
  const auto document = parse_document(manifest_bytes(sample()), media_type::image_manifest);
  ASSERT_TRUE(document) << to_string(document.error());
  const auto& manifest = std::get<ImageManifest>(*document);
  EXPECT_EQ(manifest.config, sample().config);
  EXPECT_EQ(manifest.layers, sample().layers);
}

TEST(ImageManifest, HasTheSameBytesEveryTime) {
  EXPECT_EQ(
      manifest_bytes(sample()).substr(0, 110),
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application)");
}

TEST(ImageIndex, KeepsPlatformsAndAnnotations) {
  const auto text = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
    {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,"digest":")" +
                    Digest::of("x").text() + R"(","platform":{"os":"linux","architecture":"arm","variant":"v7"},
     "annotations":{"a":"b"},"unknown":[1]}]})";
  const auto document = parse_document(text);
  ASSERT_TRUE(document);
  const auto& child = std::get<ImageIndex>(*document).manifests.at(0);
  EXPECT_EQ(child.platform, (Platform{"linux", "arm", "v7"}));
  EXPECT_EQ(child.annotations.at("a"), "b");
}

ImageManifest artifact() {
  auto manifest = sample();
  manifest.artifact_type = "application/spdx+json";
  manifest.subject = descriptor(media_type::image_manifest, "image");
  manifest.annotations = {{"org.opencontainers.image.created", "1970-01-01T00:00:00Z"}};
  return manifest;
}

TEST(ImageManifest, KeepsWhatAnArtifactSaysOfItsSubject) {
  const auto document = parse_document(manifest_bytes(artifact()));
  ASSERT_TRUE(document) << to_string(document.error());
  const auto& manifest = std::get<ImageManifest>(*document);
  EXPECT_EQ(manifest.artifact_type, artifact().artifact_type);
  EXPECT_EQ(manifest.subject, artifact().subject);
  EXPECT_EQ(manifest.annotations, artifact().annotations);
}

TEST(ImageIndex, IsReadAsItWasWritten) {
  auto arm = descriptor(media_type::image_manifest, "arm");
  arm.platform = Platform{"linux", "arm", "v7"};
  auto sbom = descriptor(media_type::image_manifest, "sbom");
  sbom.artifact_type = "application/spdx+json";
  sbom.annotations = {{"a", "b"}};
  const ImageIndex index{.media_type = std::string(media_type::image_index),
                         .manifests = {arm, sbom},
                         .subject = descriptor(media_type::image_index, "other")};
  const auto document = parse_document(index_bytes(index));
  ASSERT_TRUE(document) << to_string(document.error());
  const auto& read = std::get<ImageIndex>(*document);
  EXPECT_EQ(read.manifests, index.manifests);
  EXPECT_EQ(read.subject, index.subject);
}

TEST(ImageIndex, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(index_bytes({.media_type = std::string(media_type::image_index), .manifests = {}}),
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})");
}

struct RefusedRow {
  std::string text;
  std::string content_type;
  std::string reason;
};

TEST(ParseDocument, RefusesWhatCouldMeanTwoThings) {
  const RefusedRow rows[] = {
      {R"({"manifests":[],"layers":[]})", "", "the image manifest is both an index and a single image"},
      {R"({"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})",
       "application/vnd.oci.image.manifest.v1+json", "but was served as application/vnd.oci.image.manifest.v1+json"},
      {R"({"mediaType":"text/html"})", "", "'text/html' is no type of image manifest that deployctl knows"},
      {R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]})", "", "config.mediaType"},
      {R"({"config":{"mediaType":"x","digest":"sha256:1","size":1}})", "", "is not a digest"},
      {R"([1,2])", "", "the image manifest is no JSON object"},
      {"<html>", "", "the image manifest"},
  };
  for (const auto& row : rows) {
    const auto document = parse_document(row.text, row.content_type);
    ASSERT_FALSE(document) << row.text;
    EXPECT_THAT(to_string(document.error()), HasSubstr(row.reason));
  }
}

TEST(ParseConfig, GivesPlatformAndDiffIds) {
  const auto config = parse_config(R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[")" +
                                   Digest::of("a").text() + R"("]}})");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->platform, (Platform{"linux", "amd64", ""}));
  EXPECT_THAT(config->diff_ids, ElementsAre(Digest::of("a")));
  EXPECT_FALSE(parse_config(R"({"rootfs":{"diff_ids":[5]}})"));
}

}  // namespace
}  // namespace deployctl::oci
