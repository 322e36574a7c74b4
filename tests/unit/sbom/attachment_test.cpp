#include "core/sbom/attachment.hpp"

#include "core/sbom/image_sbom.hpp"
#include "core/sbom/spdx.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <unistd.h>

namespace deployctl::sbom {
namespace {

using testing::HasSubstr;

class Attachments : public testing::Test {
 protected:
  Attachments() : directory_(testing::TempDir() + "/attachments-" + std::to_string(::getpid())), store_(directory_) {
    std::filesystem::remove_all(directory_);
  }
  ~Attachments() override { std::filesystem::remove_all(directory_); }

  oci::Descriptor subject_{
      .media_type = std::string(oci::media_type::image_manifest), .digest = oci::Digest::of("image"), .size = 5};
  Attachment sbom_{.media_type = std::string(spdx_media_type),
                   .document = "{}",
                   .annotations = {{std::string(version_annotation), "0.1.0"}}};
  std::string directory_;
  oci::ImageStore store_;
};

TEST_F(Attachments, NameTheirSubjectAndHaveAllTheirBlobs) {
  auto platform_too = subject_;
  platform_too.platform = oci::Platform{.os = "linux", .architecture = "arm64", .variant = ""};
  const auto artifact = make_artifact(sbom_, platform_too, store_);
  ASSERT_TRUE(artifact);
  EXPECT_TRUE(store_.has_all_blobs(*artifact));
  EXPECT_EQ(artifact->digest, oci::Digest::of(artifact->manifest));
  const auto document = oci::parse_document(artifact->manifest);
  ASSERT_TRUE(document);
  const auto& manifest = std::get<oci::ImageManifest>(*document);
  EXPECT_EQ(manifest.artifact_type, spdx_media_type);
  EXPECT_EQ(manifest.subject, subject_);
  EXPECT_EQ(manifest.config.digest.text(), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(manifest.annotations, sbom_.annotations);
  EXPECT_EQ(manifest.layers.at(0).media_type, spdx_media_type);
}

TEST_F(Attachments, AreTheSameForTheSameDocument) {
  EXPECT_EQ(make_artifact(sbom_, subject_, store_)->digest, make_artifact(sbom_, subject_, store_)->digest);
  auto other = sbom_;
  other.document = "{ }";
  EXPECT_NE(make_artifact(sbom_, subject_, store_)->digest, make_artifact(other, subject_, store_)->digest);
}

TEST(HasSbom, LooksForOneOfThisVersion) {
  const oci::Descriptor ours{.annotations = {{std::string(version_annotation), "0.1.0"}},
                             .artifact_type = std::string(spdx_media_type)};
  const oci::Descriptor anybodys{.artifact_type = std::string(spdx_media_type)};
  const oci::Descriptor statement{.annotations = ours.annotations, .artifact_type = "application/vnd.in-toto+json"};
  EXPECT_TRUE(has_sbom({anybodys, ours}, "0.1.0"));
  EXPECT_FALSE(has_sbom({ours}, "0.2.0"));
  EXPECT_FALSE(has_sbom({anybodys, statement}, "0.1.0"));
  EXPECT_FALSE(has_sbom({}, "0.1.0"));
}

// An image without layers whose configuration is `config`.
base::Result<ImageSbom> sbom_of(const std::string& config, const std::string& fallback_time) {
  return image_sbom({.repository = *oci::Reference::parse("r.example/shop/api"),
                     .manifest = {.digest = oci::Digest::of("manifest")},
                     .tool = "deployctl-0.1.0",
                     .fallback_time = fallback_time},
                    [&](const oci::Descriptor&, const oci::PieceSink& sink) { return sink(config); });
}

TEST(ImageSbom, TakesItsTimeFromTheImage) {
  const std::string rest = R"("architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
  EXPECT_EQ(sbom_of(R"({"created":"2024-05-01T12:00:00.5+02:00",)" + rest, "2020-01-01T00:00:00Z")->created,
            "2024-05-01T10:00:00Z");
  EXPECT_EQ(sbom_of("{" + rest, "2020-01-01T00:00:00Z")->created, "2020-01-01T00:00:00Z");
  EXPECT_EQ(sbom_of("{" + rest, "")->created, "1970-01-01T00:00:00Z");
  EXPECT_THAT(sbom_of("{" + rest, "")->document, HasSubstr(R"("created":"1970-01-01T00:00:00Z")"));
}

TEST(ImageSbom, FailsWhereTheImageCannotBeRead) {
  EXPECT_FALSE(sbom_of("no configuration", ""));
  EXPECT_FALSE(sbom_of(std::string(5u << 20u, ' '), ""));
}

}  // namespace
}  // namespace deployctl::sbom
