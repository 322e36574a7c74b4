// Which image each service gets: of the cluster and the registry, only their answers are played.
#include "core/execute/observe.hpp"

#include "tests/unit/execute/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::execute {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const std::string manifest_request = "GET /v2/team/cache/manifests/7.2";
const std::string list_request = "GET /apis/apps/v1/namespaces/shop/deployments";
const std::string image_manifest = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json"})";
const std::string image = "registry.example.com/team/cache:7.2";
const std::string another_digest = "sha256:" + std::string(64, 'b');

std::string deployments(const std::string& running) {
  const json::Value container = {{"name", "cache"}, {"image", running}};
  const json::Value spec = {{"template", {{"spec", {{"containers", json::Value::array({container})}}}}}};
  const json::Value item = {{"metadata", {{"name", "cache"}}}, {"spec", spec}};
  return json::to_compact_text({{"kind", "DeploymentList"},
                                {"apiVersion", "apps/v1"},
                                {"metadata", {{"resourceVersion", "7"}}},
                                {"items", json::Value::array({item})}});
}

// A project of one ready image, a cluster in which `running` runs (nothing when empty), and a registry that has it.
class ReadyImages : public ::testing::Test {
 protected:
  ReadyImages() {
    service_.name = {"cache", {}};
    service_.image = {image, {}};
    (void)world_.client();  // writes the kubeconfig
    runs("");
    world_.transport.on("GET /api/v1/namespaces/shop", {{.body = R"({"metadata":{"name":"shop"}})"}});
    world_.transport.on(manifest_request, {{.body = image_manifest,
                                            .headers = {{"Content-Type", "application/vnd.oci.image.index.v1+json"}}}});
  }

  void runs(const std::string& running) {
    world_.transport.on(list_request,
                        {{.body = running.empty() ? R"({"metadata":{},"items":[]})" : deployments(running)}});
  }

  base::Result<Seen> look(const ObserveOptions& options = {}) { return look_for({.rollout = true}, options); }

  base::Result<Seen> look_for(const plan::Wish& wish, const ObserveOptions& options = {}) {
    project::Target target{.directory = "/project", .project = {"shop", {}}, .name_space = "shop"};
    target.services = {service_};
    return observe(target, wish, options, world_.run_ports());
  }

  // The image the service gets; empty when the cluster is to find it.
  std::string image_of(const base::Result<Seen>& seen) {
    EXPECT_TRUE(seen) << base::to_string(seen.error());
    const auto& images = seen->observation.images;
    return images.contains("cache") ? images.at("cache") : "";
  }

  PlayedWorld world_;
  project::Service service_;
};

TEST_F(ReadyImages, ArePinnedToTheDigestTheRegistryHas) {
  EXPECT_EQ(image_of(look()), image + "@" + oci::Digest::of(image_manifest).text());
}

TEST_F(ReadyImages, AreKeptAsTheyRunWithoutAskingTheRegistry) {
  runs(image + "@" + another_digest);
  EXPECT_EQ(image_of(look()), image + "@" + another_digest);
  EXPECT_THAT(world_.transport.requests(), Not(Contains(manifest_request)));
}

TEST_F(ReadyImages, AreLookedUpAgainWhenThatIsWanted) {
  runs(image + "@" + another_digest);
  EXPECT_THAT(image_of(look({.tag = {}, .images = {}, .ready_images = execute::ReadyImages::look_up})),
              HasSubstr(oci::Digest::of(image_manifest).text()));
}

TEST_F(ReadyImages, AreLookedUpWhenTheProjectManifestNamesAnotherTag) {
  runs("registry.example.com/team/cache:7.0@" + another_digest);
  EXPECT_THAT(image_of(look()), HasSubstr(":7.2@" + oci::Digest::of(image_manifest).text()));
}

TEST_F(ReadyImages, AreLookedUpWhenTheyRunUnpinned) {
  runs(image);
  EXPECT_THAT(image_of(look()), HasSubstr("@sha256:"));
}

TEST_F(ReadyImages, WithADigestOfTheirOwnAreTakenAsTheyAre) {
  service_.image = {image + "@" + another_digest, {}};
  EXPECT_EQ(image_of(look()), "");
  EXPECT_THAT(world_.transport.requests(), Not(Contains(StartsWith("GET /v2/"))));
}

TEST_F(ReadyImages, AreLeftToTheClusterWhenTheProjectManifestSaysSo) {
  service_.pin = project::Pin::tag;
  EXPECT_EQ(image_of(look()), "");
  EXPECT_THAT(world_.transport.requests(), Not(Contains(StartsWith("GET /v2/"))));
}

TEST_F(ReadyImages, ThatAreNotThereFailTheRolloutBeforeItBegins) {
  world_.transport.on(manifest_request, {{.status = 404}});
  const auto seen = look();
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, base::ErrorCode::rollout_failed);
  EXPECT_THAT(base::to_string(seen.error()), HasSubstr("looking for the image of cache"));
}

TEST_F(ReadyImages, OfARegistryThatIsAwayNameTheWaysOut) {
  world_.transport.on(manifest_request, {cluster::unreachable_answer()});
  const auto seen = look();
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, base::ErrorCode::unreachable);
  EXPECT_THAT(seen.error().hint, HasSubstr("write 'pin: tag' at cache, or the digest itself: " + image + "@sha256:"));
}

// A service that is built, pushed as 7.2 and live as 7.1, both of the same content.
class BuiltImages : public ReadyImages {
 protected:
  BuiltImages() {
    service_.image = {"registry.example.com/team/cache", {}};
    service_.build = project::Build{};
    serve("7.2", of_commit("two"));
    serve(oci::Digest::of(of_commit("one")).text(), of_commit("one"));
    serve(oci::Digest::of(of_commit("two")).text(), of_commit("two"));
    runs(live);
  }

  static std::string of_commit(const std::string& commit) {
    return oci::manifest_bytes({.media_type = std::string(oci::media_type::image_manifest),
                                .config = {.media_type = std::string(oci::media_type::image_config),
                                           .digest = oci::Digest::of("settings"),
                                           .size = 8},
                                .layers = {},
                                .annotations = {{"org.opencontainers.image.revision", commit}}});
  }

  void serve(const std::string& identifier, const std::string& manifest) {
    world_.transport.on(
        "GET /v2/team/cache/manifests/" + identifier,
        {{.body = manifest, .headers = {{"Content-Type", std::string(oci::media_type::image_manifest)}}}});
  }

  std::string image_for(const std::map<std::string, std::string>& given) {
    return image_of(look({.tag = "7.2", .images = given}));
  }

  const std::string live = "registry.example.com/team/cache:7.1@" + oci::Digest::of(of_commit("one")).text();
  const std::string pushed = image + "@" + oci::Digest::of(of_commit("two")).text();
};

TEST_F(BuiltImages, ThatAreTheLiveOnesStayAsTheyRun) {
  EXPECT_EQ(image_for({}), live);
  EXPECT_EQ(image_for({{"cache", image}}), live);
}

TEST_F(BuiltImages, ThatAreOthersAreTakenAsTheyArePushed) {
  runs("registry.example.com/team/cache:7.1@" + another_digest);
  EXPECT_EQ(image_for({}), pushed);
  runs("");
  EXPECT_EQ(image_for({}), pushed);
}

TEST_F(BuiltImages, ThatAreNamedByTheirDigestAreTakenByTheirWord) {
  EXPECT_EQ(image_for({{"cache", pushed}}), pushed);
  EXPECT_THAT(world_.transport.requests(), Not(Contains(HasSubstr(oci::Digest::of(of_commit("one")).text()))));
}

// A project of one service that the native builder makes: neither an engine nor a cluster is needed.
class PushesTo : public ReadyImages {
 protected:
  PushesTo() {
    service_.image = {"registry.example.com/team/cache", {}};
    service_.build = project::Build{.builder = project::Builder::native};
  }

  base::Status look_before(const plan::Wish& wish) {
    const auto seen = look_for(wish);
    return seen ? base::Status() : seen.error();
  }
};

TEST_F(PushesTo, ARegistryAskItNothingBeforehand) {
  EXPECT_TRUE(look_before({.push = true}));
  EXPECT_THAT(world_.transport.requests(), IsEmpty());
}

TEST_F(PushesTo, ARegistryAfterABuildAskFirstWhetherItIsThere) {
  world_.transport.on("GET /v2/", {cluster::unreachable_answer()});
  const auto status = look_before({.build = true, .push = true});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::unreachable);
  EXPECT_THAT(base::to_string(status.error()), HasSubstr("asking the registry"));
}

}  // namespace
}  // namespace deployctl::execute
