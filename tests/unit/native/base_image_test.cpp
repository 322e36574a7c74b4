#include "core/native/base_image.hpp"

#include "core/oci/image.hpp"
#include "tests/support/tar_bytes.hpp"
#include "tests/unit/registry/fake_registry.hpp"

#include <filesystem>
#include <unistd.h>

namespace deployctl::native {
namespace {

namespace fs = std::filesystem;

const oci::Platform arm{.os = "linux", .architecture = "arm64", .variant = {}};

class BaseImageTest : public ::testing::Test {
 protected:
  ~BaseImageTest() override { fs::remove_all(folder_); }

  oci::Descriptor blob(const std::string& bytes, std::string_view type) {
    registry_.blobs[oci::Digest::of(bytes).text()] = bytes;
    return {.media_type = std::string(type),
            .digest = oci::Digest::of(bytes),
            .size = bytes.size(),
            .platform = {},
            .annotations = {}};
  }
  oci::Descriptor document(const std::string& bytes, std::string_view type) {
    registry_.repositories["base/os"][oci::Digest::of(bytes).text()] = bytes;
    return {.media_type = std::string(type),
            .digest = oci::Digest::of(bytes),
            .size = bytes.size(),
            .platform = {},
            .annotations = {}};
  }
  // An image of one layer, whose configuration says nothing of how the layer came to be.
  oci::Descriptor image(const oci::Platform& platform, std::string_view layer_type = oci::media_type::layer_tar) {
    const auto tar = tar_bytes::file("lib/libc.so.6", "x") + tar_bytes::file("etc/ssl/certs/ca-certificates.crt", "x") +
                     std::string(1024, '\0');
    const oci::ImageConfig config{.platform = platform,
                                  .diff_ids = {oci::Digest::of(tar)},
                                  .settings = {.health_check = R"({"Test":["CMD","/check"]})"}};
    const oci::ImageManifest manifest{.media_type = std::string(oci::media_type::image_manifest),
                                      .config = blob(oci::config_bytes(config), oci::media_type::image_config),
                                      .layers = {blob(tar, layer_type)}};
    auto descriptor = document(oci::manifest_bytes(manifest), manifest.media_type);
    descriptor.platform = platform;
    return descriptor;
  }
  oci::Descriptor index(std::vector<oci::Descriptor> manifests) {
    const oci::ImageIndex index{.media_type = std::string(oci::media_type::image_index),
                                .manifests = std::move(manifests)};
    return document(oci::index_bytes(index), index.media_type);
  }
  base::Result<BaseImage> pull(const oci::Descriptor& what) {
    registry_.repositories["base/os"]["1"] = registry_.repositories["base/os"][what.digest.text()];
    registry::FixedCredentials nobody{std::nullopt};
    registry::Client client({registry_, clock_, nobody, {}});
    return pull_base("r.example/base/os:1", arm, client, store_, {});
  }
  std::string problem(const oci::Descriptor& what) {
    const auto pulled = pull(what);
    return pulled ? "" : pulled.error().message;
  }

  fs::path folder_ = fs::path(::testing::TempDir()) / ("base-image-" + std::to_string(::getpid()));
  oci::ImageStore store_{folder_.string()};
  registry::tests::FakeRegistry registry_;
  deployctl::tests::FakeClock clock_;
};

TEST_F(BaseImageTest, IsTheOneForThePlatform) {
  const auto ours = image(arm);
  const auto other = image({.os = "linux", .architecture = "amd64", .variant = {}});
  const auto attestation = image({.os = "unknown", .architecture = "unknown", .variant = {}});
  const auto all = index({attestation, other, ours});
  for (const auto& root : {ours, all, index({all}), index({index({all})})}) {
    const auto pulled = pull(root);
    ASSERT_TRUE(pulled) << base::to_string(pulled.error());
    EXPECT_EQ(pulled->config.platform, arm);
    EXPECT_EQ(pulled->digest, root.digest) << "what the reference points at";
  }
  EXPECT_EQ(problem(other), "the base image is for linux/amd64, and linux/arm64 is built");
  EXPECT_EQ(problem(index({attestation, other})), "the base image is not there for linux/arm64");
  EXPECT_EQ(problem(index({index({index({all})})})), "the base image lies in more than 3 indexes");
}

TEST_F(BaseImageTest, IsPassedOnWithItsSettings) {
  const auto pulled = pull(image(arm));
  ASSERT_TRUE(pulled) << base::to_string(pulled.error());
  EXPECT_TRUE(pulled->has_certificates);
  EXPECT_THAT(pulled->libraries, ::testing::ElementsAre("libc.so.6"));
  EXPECT_EQ(pulled->config.settings.health_check, R"({"Test":["CMD","/check"]})");
  ASSERT_EQ(pulled->config.history.size(), 1u) << "registries want an entry for every layer";
  EXPECT_EQ(pulled->config.history[0].created_by, "FROM r.example/base/os:1");
}

TEST_F(BaseImageTest, HasNoLayersThatHaveToBeFetchedFromElsewhere) {
  EXPECT_EQ(
      problem(image(arm, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")),
      "a layer of the base image is of the type application/vnd.oci.image.layer.nondistributable.v1.tar+gzip, which "
      "cannot be passed on");
}

}  // namespace
}  // namespace deployctl::native
