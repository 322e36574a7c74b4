#include "core/oci/image_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::oci {
namespace {

ImageConfig full_config() {
  return {.platform = {.os = "linux", .architecture = "arm64", .variant = "v8"},
          .diff_ids = {Digest::of("lower"), Digest::of("upper")},
          .created = "2026-11-27T10:00:00Z",
          .settings = {.user = "65532:65532",
                       .env = {{"PATH", "/bin"}, {"EMPTY", ""}, {"WITH", "a=b"}},
                       .entrypoint = {"/app"},
                       .command = {"serve"},
                       .working_directory = "/srv",
                       .exposed_ports = {"8080/tcp", "53/udp"},
                       .volumes = {"/data"},
                       .labels = {{"org.opencontainers.image.title", "shop/api"}},
                       .stop_signal = "SIGINT"},
          .history = {{.created = "2026-11-27T10:00:00Z", .created_by = "deployctl: certificates"},
                      {.created_by = "deployctl: settings", .is_empty_layer = true}}};
}

TEST(ImageConfig, ComesBackAsItWasWritten) {
  const auto bytes = config_bytes(full_config());
  const auto back = parse_config(bytes);
  ASSERT_TRUE(back) << base::to_string(back.error());
  EXPECT_EQ(*back, full_config());
  EXPECT_EQ(config_bytes(*back), bytes);
}

TEST(ImageConfig, IsWrittenSortedWithoutWhatIsEmpty) {
  const ImageConfig config{.platform = {.os = "linux", .architecture = "amd64"}, .settings = {.entrypoint = {"/app"}}};
  EXPECT_EQ(config_bytes(config), R"({"architecture":"amd64","config":{"Entrypoint":["/app"]},"os":"linux",)"
                                  R"("rootfs":{"diff_ids":[],"type":"layers"}})");
}

TEST(ImageConfig, ReadsWhatDockerWrites) {
  const auto config = parse_config(
      R"({"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin","A"],"Cmd":["sh"],"Entrypoint":null,)"
      R"("ExposedPorts":{"80/tcp":{}},"Labels":null,"Healthcheck":{"Test":["NONE"]}},)"
      R"("rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"x","empty_layer":true}]})");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->settings.env, (std::vector<std::pair<std::string, std::string>>{{"PATH", "/bin"}, {"A", ""}}));
  EXPECT_THAT(config->settings.command, ::testing::ElementsAre("sh"));
  EXPECT_THAT(config->settings.entrypoint, ::testing::IsEmpty());
  EXPECT_THAT(config->settings.exposed_ports, ::testing::ElementsAre("80/tcp"));
  EXPECT_TRUE(config->history.at(0).is_empty_layer);
}

}  // namespace
}  // namespace deployctl::oci
