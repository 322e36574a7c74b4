#include "core/oci/same_image.hpp"

#include "core/json/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::oci {
namespace {

using ::testing::ElementsAre;

const std::string prefix = "org.opencontainers.image.";

json::Value labels(const std::string& commit) {
  return {{prefix + "title", "shop/web"},
          {prefix + "revision", commit},
          {prefix + "created", "at " + commit},
          {prefix + "version", "v-" + commit}};
}

// As builders write it, of a commit.
json::Value config(const std::string& commit) {
  return {{"architecture", "amd64"},
          {"os", "linux"},
          {"created", "at " + commit},
          {"history", json::Value::array({{{"created", "at " + commit}, {"created_by", "COPY . ."}}})},
          {"rootfs", {{"type", "layers"}, {"diff_ids", {Digest::of("one").text()}}}},
          {"config", {{"User", "65532"}, {"Env", {"PATH=/bin"}}, {"Cmd", {"/app"}}, {"Labels", labels(commit)}}}};
}

json::Value with(json::Value value, const std::string& pointer, json::Value member) {
  value[json::Value::json_pointer(pointer)] = std::move(member);
  return value;
}

json::Value without_labels(json::Value value) {
  value["config"].erase("Labels");
  return value;
}

struct Row {
  const char* what;
  json::Value other;
  bool is_same;
};

TEST(SameSettings, AreThoseThatDifferInNothingButHowTheyCameToBe) {
  const auto classic = with(with(config("two"), "/container", "4f1"), "/container_config", {{"Hostname", "4f1"}});
  const Row rows[] = {
      {"the same commit", config("one"), true},
      {"another commit", config("two"), true},
      {"what the classic builder notes", with(classic, "/config/Image", "sha256:4f1"), true},
      {"what BuildKit notes", with(config("two"), "/moby.buildkit.buildinfo.v1", "e30="), true},
      {"another title", with(config("two"), "/config/Labels/" + prefix + "title", "shop/api"), false},
      {"a label more", with(config("two"), "/config/Labels/team", "web"), false},
      {"no labels at all", without_labels(config("two")), false},
      {"another variable", with(config("two"), "/config/Env/0", "PATH=/usr/bin"), false},
      {"another command", with(config("two"), "/config/Cmd", {"/app", "serve"}), false},
      {"another user", with(config("two"), "/config/User", "0"), false},
      {"another file in a layer", with(config("two"), "/rootfs/diff_ids/0", Digest::of("two").text()), false},
      {"another architecture", with(config("two"), "/architecture", "arm64"), false},
      {"something nobody knows", with(config("two"), "/com.example.trusted", true), false},
  };
  for (const auto& row : rows) {
    const auto one = json::to_compact_text(config("one"));
    const auto other = json::to_compact_text(row.other);
    EXPECT_EQ(have_same_settings(one, other), row.is_same) << row.what;
    EXPECT_EQ(have_same_settings(other, one), row.is_same) << row.what;
  }
}

TEST(SameSettings, DoNotDependOnTheOrderOfMembersNorOnLabelsThatOneImageOnlyHas) {
  auto bare = config("one");
  bare["config"]["Labels"] = {{prefix + "revision", "one"}};
  EXPECT_TRUE(have_same_settings(json::to_compact_text(bare), json::to_canonical_text(without_labels(config("two")))));
  EXPECT_TRUE(
      have_same_settings(json::to_compact_text(with(bare, "/config/Labels", nullptr)), json::to_compact_text(bare)));
}

TEST(SameSettings, AreNotThoseThatCannotBeRead) {
  for (const auto* const text : {"", "[]", "{", "null"}) {
    EXPECT_FALSE(have_same_settings(text, text)) << text;
  }
}

Descriptor blob(std::string_view type, const std::string& content) {
  return {.media_type = std::string(type), .digest = Digest::of(content), .size = content.size()};
}

ImageManifest image(const std::vector<std::string>& layers, std::string_view config_type = media_type::image_config) {
  ImageManifest manifest{.media_type = std::string(media_type::image_manifest), .config = blob(config_type, "{}")};
  for (const auto& layer : layers) {
    manifest.layers.push_back(blob(media_type::layer_gzip, layer));
  }
  return manifest;
}

TEST(SameLayers, AreTheSameBlobsInTheSameOrder) {
  EXPECT_TRUE(have_same_layers(image({"a", "b"}), image({"a", "b"}, media_type::docker_config)));
  EXPECT_FALSE(have_same_layers(image({"a", "b"}), image({"b", "a"})));
  EXPECT_FALSE(have_same_layers(image({"a", "b"}), image({"a"})));
  EXPECT_FALSE(have_same_layers(image({"a"}), image({"a", "b"})));
}

TEST(SameLayers, AreNotThoseOfWhatIsNoImage) {
  const auto chart = image({"a"}, "application/vnd.cncf.helm.config.v1+json");
  EXPECT_FALSE(have_same_layers(chart, chart));
  auto artifact = image({"a"});
  artifact.artifact_type = "application/spdx+json";
  EXPECT_FALSE(have_same_layers(artifact, artifact));
}

Descriptor entry(const std::string& content, const Platform& platform) {
  auto descriptor = blob(media_type::image_manifest, content);
  descriptor.platform = platform;
  return descriptor;
}

ImageIndex index(std::vector<Descriptor> entries) {
  return {.media_type = std::string(media_type::image_index), .manifests = std::move(entries)};
}

const Platform amd64{"linux", "amd64", ""};
const Platform arm64{"linux", "arm64", ""};
const Platform nobody{"unknown", "unknown", ""};

TEST(ImagesOfIndexes, ArePairedByPlatformWithoutAttestations) {
  const auto pairs = paired_by_platform(index({entry("a", amd64), entry("b", arm64), entry("sbom", nobody)}),
                                        index({entry("d", arm64), entry("c", amd64)}));
  ASSERT_TRUE(pairs);
  EXPECT_THAT(*pairs, ElementsAre(std::pair(entry("a", amd64), entry("c", amd64)),
                                  std::pair(entry("b", arm64), entry("d", arm64))));
}

TEST(ImagesOfIndexes, AreNotPairedWhereAPlatformIsMissingOrThereTwice) {
  const auto both = index({entry("a", amd64), entry("b", arm64)});
  EXPECT_FALSE(paired_by_platform(both, index({entry("a", amd64)})));
  EXPECT_FALSE(paired_by_platform(index({entry("a", amd64)}), both));
  EXPECT_FALSE(paired_by_platform(both, index({entry("a", amd64), entry("b", {"linux", "arm64", "v8"})})));
  const auto twice = index({entry("a", amd64), entry("b", amd64)});
  EXPECT_FALSE(paired_by_platform(twice, twice));
  const auto records_only = index({entry("sbom", nobody)});
  EXPECT_FALSE(paired_by_platform(records_only, records_only));
}

}  // namespace
}  // namespace deployctl::oci
