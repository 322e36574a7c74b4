// Which live images a rollout keeps: of the registry, only its answers are played.
#include "core/execute/kept_images.hpp"

#include "core/execute/world.hpp"
#include "tests/unit/execute/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::execute {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

namespace media_type = oci::media_type;

const std::string repository = "r.example/shop/web";
const std::string path = "GET /v2/shop/web/";

std::string config_of(const std::string& commit, const std::string& command = "/app") {
  return R"({"created":"at )" + commit + R"(","config":{"Cmd":[")" + command +
         R"("],"Labels":{"org.opencontainers.image.revision":")" + commit + R"("}}})";
}

// A registry with what is put into it; each thing once.
class KeptImages : public ::testing::Test {
 protected:
  oci::Descriptor put_document(const std::string& bytes, std::string_view type) {
    const auto digest = oci::Digest::of(bytes);
    world_.transport.on(path + "manifests/" + digest.text(),
                        {{.body = bytes, .headers = {{"Content-Type", std::string(type)}}}});
    return {.media_type = std::string(type), .digest = digest, .size = bytes.size()};
  }

  oci::Descriptor put_config(const std::string& text) {
    const auto bytes = text + "\n";
    const auto digest = oci::Digest::of(bytes);
    world_.transport.on(path + "blobs/" + digest.text(), {{.lines = {text}}});
    return {.media_type = std::string(media_type::image_config), .digest = digest, .size = bytes.size()};
  }

  oci::Descriptor put_image(const std::string& config, const std::vector<std::string>& layers = {"a"}) {
    oci::ImageManifest manifest{.media_type = std::string(media_type::image_manifest), .config = put_config(config)};
    for (const auto& layer : layers) {
      manifest.layers.push_back({.media_type = std::string(media_type::layer_gzip), .digest = oci::Digest::of(layer)});
    }
    return put_document(oci::manifest_bytes(manifest), media_type::image_manifest);
  }

  // An image for amd64 and one for another platform, and a record of the build.
  oci::Descriptor put_index(const std::string& commit, const std::string& other, const std::string& command = "/app") {
    auto one = put_image(config_of(commit));
    auto two = put_image(config_of(commit, command), {"b"});
    auto record = put_image(config_of(commit), {"record of " + commit});
    one.platform = oci::Platform{"linux", "amd64", ""};
    two.platform = oci::Platform{"linux", other, ""};
    record.platform = oci::Platform{"unknown", "unknown", ""};
    return put_document(
        oci::index_bytes({.media_type = std::string(media_type::image_index), .manifests = {one, two, record}}),
        media_type::image_index);
  }

  static std::string reference(const std::string& tag, const oci::Descriptor& image) {
    return repository + ":" + tag + "@" + image.digest.text();
  }

  ServiceImages keep(const NewImage& image, const std::string& live) {
    return images_to_keep({{"web", image}}, {{"web", live}}, registry_->client, {});
  }

  bool is_kept(const oci::Descriptor& image, const oci::Descriptor& live) {
    return !keep({.reference = reference("two", image)}, reference("one", live)).empty();
  }

  // Of the repository, without what the client asks to get in.
  std::vector<std::string> requests() {
    std::vector<std::string> requests;
    for (const auto& each : world_.transport.requests()) {
      if (each.starts_with(path)) {
        requests.push_back(each.substr(path.size()));
      }
    }
    return requests;
  }

  PlayedWorld world_;
  std::unique_ptr<RegistryAccess> registry_ = open_registry(world_.run_ports());
};

TEST_F(KeptImages, AreThoseThatDifferInNothingButTheLabelsOfCommitAndTime) {
  const auto live = reference("one", put_image(config_of("one")));
  EXPECT_THAT(keep({.reference = reference("two", put_image(config_of("two")))}, live), ElementsAre(Pair("web", live)));
  EXPECT_THAT(requests(), ElementsAre(StartsWith("manifests/"), StartsWith("manifests/"), StartsWith("blobs/"),
                                      StartsWith("blobs/")));
}

TEST_F(KeptImages, AreToldApartByOneManifestWhereTheLayersDiffer) {
  const auto live = put_image(config_of("one"), {"a", "b"});
  const auto image = put_image(config_of("two"), {"a", "c"});
  const auto document = registry_->client.manifest(*oci::Reference::parse(reference("two", image)));
  ASSERT_TRUE(document);
  EXPECT_THAT(keep({.reference = reference("two", image), .document = *document}, reference("one", live)), IsEmpty());
  EXPECT_THAT(requests(), ElementsAre("manifests/" + image.digest.text(), "manifests/" + live.digest.text()));
}

TEST_F(KeptImages, AreNotThoseThatAreRunOtherwise) {
  EXPECT_FALSE(is_kept(put_image(config_of("two", "/app2")), put_image(config_of("one"))));
}

TEST_F(KeptImages, AreThoseOfTheSameDigestUnderAnotherTagWithoutAnyQuestion) {
  EXPECT_TRUE(is_kept(put_image(config_of("one")), put_image(config_of("one"))));
  EXPECT_THAT(requests(), IsEmpty());
}

TEST_F(KeptImages, AreNotAskedForInAnotherRepositoryOrWithoutADigest) {
  const NewImage image{.reference = reference("two", put_image(config_of("two")))};
  const auto digest = put_image(config_of("one")).digest.text();
  for (const auto& live : {"r.example/shop/api:one@" + digest, repository + ":one", std::string("?"), std::string()}) {
    EXPECT_THAT(keep(image, live), IsEmpty()) << live;
  }
  EXPECT_THAT(requests(), IsEmpty());
}

TEST_F(KeptImages, AreNotThoseThatTheRegistryDoesNotHaveOrThatNobodyKnows) {
  const auto image = put_image(config_of("two"));
  const oci::Descriptor gone{.media_type = {}, .digest = oci::Digest::of("gone")};
  EXPECT_FALSE(is_kept(image, gone));
  const auto unknown = put_document(R"({"schemaVersion":1,"fsLayers":[]})", "application/vnd.example.image");
  EXPECT_FALSE(is_kept(image, unknown));
  EXPECT_FALSE(is_kept(unknown, image));
  const auto live = put_image(config_of("one"));
  world_.transport.on(path + "blobs/" + oci::Digest::of(config_of("one") + "\n").text(), {{.status = 403}});
  EXPECT_FALSE(is_kept(image, live));
}

TEST_F(KeptImages, OfSeveralPlatformsAreTheSameOnEach) {
  const auto live = put_index("one", "arm64");
  EXPECT_TRUE(is_kept(put_index("two", "arm64"), live));
  EXPECT_FALSE(is_kept(put_index("two", "riscv64"), live));
  EXPECT_FALSE(is_kept(put_index("two", "arm64", "/app2"), live));
  EXPECT_FALSE(is_kept(put_image(config_of("two")), live));
}

TEST_F(KeptImages, AreToldInOneLine) {
  const auto ports = world_.run_ports();
  tell_kept_images({}, ports);
  tell_kept_images({{"web", "w"}}, ports);
  tell_kept_images({{"api", "a"}, {"web", "w"}}, ports);
  std::vector<std::string> lines;
  for (const auto& event : world_.events.events) {
    lines.push_back(std::get<events::Note>(event).text);
  }
  EXPECT_THAT(lines,
              ElementsAre("the image of web is the live one but for its labels of commit and time; its pods keep it",
                          "the images of api, web are the live ones but for their labels of commit and time; their "
                          "pods keep them"));
}

}  // namespace
}  // namespace deployctl::execute
