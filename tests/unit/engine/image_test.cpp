#include "core/engine/image.hpp"

#include "tests/unit/engine/recordings.hpp"

#include <gmock/gmock.h>

namespace deployctl::engine {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;

TEST(ImageInspection, ReadsWhatDockerSays) {
  const auto image = parse_image_inspection(recorded("docker20-inspect.out"));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->id, "sha256:c922a9b37a0343b360dad266c65431b9795326c60306884d54cb74958ea8eda0");
  EXPECT_EQ(image->created, "2026-11-21T09:54:57.741702408Z");
  EXPECT_EQ(image->platform(), "linux/amd64");
  EXPECT_EQ(image->user, "65532:65532");
  EXPECT_GT(image->size, 1'000'000u);
  EXPECT_THAT(image->tags, ElementsAre("engine-tests/inspect:1"));
  EXPECT_THAT(image->repo_digests, SizeIs(0));
  EXPECT_THAT(image->diff_ids, SizeIs(2));
  EXPECT_THAT(image->diff_ids.front(), StartsWith("sha256:"));
  EXPECT_THAT(image->exposed_ports, ElementsAre("8080/tcp"));
  EXPECT_THAT(image->command, ElementsAre("cat", "/out.txt"));
  EXPECT_THAT(image->entrypoint, SizeIs(0));
  EXPECT_THAT(image->labels, testing::Contains(Pair("team", "shop")));
}

TEST(ImageInspection, AddsTheAlgorithmThatPodmanLeavesOut) {
  const auto image =
      parse_image_inspection(R"([{"Id": "98a1", "Os": "linux", "Architecture": "arm64", "Variant": "v8"}])");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->id, "sha256:98a1");
  EXPECT_EQ(image->platform(), "linux/arm64/v8");
}

TEST(ImageInspection, ReadsTheConfigurationThatBuildahShows) {
  const auto image = parse_image_inspection(R"({
    "FromImageID": "98a1",
    "OCIv1": {
      "created": "2026-11-21T09:50:18Z", "os": "linux", "architecture": "amd64",
      "config": {"User": "1000", "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}, "Cmd": ["sh"]},
      "rootfs": {"type": "layers", "diff_ids": ["sha256:1d"]}}})");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->id, "sha256:98a1");
  EXPECT_EQ(image->user, "1000");
  EXPECT_THAT(image->diff_ids, ElementsAre("sha256:1d"));
  EXPECT_THAT(image->exposed_ports, ElementsAre("80/tcp"));
}

TEST(ImageInspection, RefusesWhatIsNoImage) {
  for (const auto* text : {"", "[]", "{}", "[{}]", "null", "[1", R"([{"Id": "x"}])", R"([{"Id": 1, "Os": true}])"}) {
    EXPECT_FALSE(parse_image_inspection(text)) << text;
  }
}

}  // namespace
}  // namespace deployctl::engine
