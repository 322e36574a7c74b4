#include "core/oci/image_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

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
                       .stop_signal = "SIGINT",
                       .health_check = R"({"Interval":5000000000,"Test":["CMD","/check"]})"},
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
  EXPECT_EQ(config->settings.health_check, R"({"Test":["NONE"]})");
  EXPECT_TRUE(config->history.at(0).is_empty_layer);
}

struct HistoryRow {
  std::vector<HistoryEntry> before;
  std::vector<std::string> after;  // created_by
};

TEST(CompleteHistory, TellsOfEveryLayer) {
  const HistoryRow rows[] = {
      {{}, {"FROM base", "FROM base"}},
      {{{.created_by = "rootfs"}}, {"rootfs", "FROM base"}},
      {{{.created_by = "rootfs"}, {.created_by = "CMD", .is_empty_layer = true}}, {"rootfs", "CMD", "FROM base"}},
      {{{.created_by = "one"}, {.created_by = "two"}}, {"one", "two"}},
  };
  for (const auto& row : rows) {
    ImageConfig config{.platform = {}, .diff_ids = {Digest::of("1"), Digest::of("2")}, .history = row.before};
    complete_history(config, "FROM base");
    std::vector<std::string> told;
    std::ranges::transform(config.history, std::back_inserter(told), &HistoryEntry::created_by);
    EXPECT_EQ(told, row.after);
  }
}

}  // namespace
}  // namespace deployctl::oci
