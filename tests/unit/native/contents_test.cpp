#include "core/native/contents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace deployctl::native {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class ContentsTest : public ::testing::Test {
 protected:
  ContentsTest() : root_(fs::path(::testing::TempDir()) / ("contents-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~ContentsTest() override {
    fs::remove_all(root_);
    fs::remove_all(root_.string() + "-store");
  }

  void put(const std::string& name, const std::string& content = "x") const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << content;
  }
  [[nodiscard]] base::Result<oci::LayerTree> files(const Artifact& artifact, std::string_view ignored = {}) {
    return artifact_files(artifact, {.project = root_, .source = root_}, arm(), IgnoreRules::parse(ignored), store_);
  }
  [[nodiscard]] static oci::Platform arm() { return {.os = "linux", .architecture = "arm64", .variant = {}}; }
  // What is said of a file in the image that begins like a private key.
  [[nodiscard]] static std::string said_of_key(const Artifact& artifact, std::string_view path,
                                               std::string_view ignored = {}) {
    const auto rules = IgnoreRules::parse(ignored);
    const auto status = key_check(artifact, arm(), rules)(path, "-----BEGIN PRIVATE KEY-----\nMIIE\n");
    return status ? "" : status.error().message;
  }

  fs::path root_;
  oci::ImageStore store_{root_.string() + "-store"};
};

std::vector<std::string> paths(const base::Result<oci::LayerTree>& tree) {
  std::vector<std::string> names;
  if (!tree) {
    return {base::to_string(tree.error())};
  }
  for (const auto& [path, item] : tree->items()) {
    names.push_back(path);
  }
  return names;
}

TEST_F(ContentsTest, AFileStandsWhereItIsToldAndAFolderLendsWhatIsBelowIt) {
  put("dist/server");
  put("dist/static/a.css");
  EXPECT_THAT(paths(files({"/app", "dist/server"})), ElementsAre("app"));
  EXPECT_THAT(paths(files({"/srv/web", "dist"})),
              ElementsAre("srv", "srv/web", "srv/web/server", "srv/web/static", "srv/web/static/a.css"));
  EXPECT_THAT(paths(files({"/", "dist/static"})), ElementsAre("a.css"));
}

TEST_F(ContentsTest, AnArtifactMayBeNamedByPlatform) {
  put("dist/server-linux-arm64");
  EXPECT_THAT(paths(files({"/app", "dist/server-{os}-{arch}"})), ElementsAre("app"));
}

TEST_F(ContentsTest, WhatDockerignoreLeavesOutStaysOutButNotWhatIsNamed) {
  put("dist/app.js");
  put("dist/app.map");
  put("dist/notes/x");
  EXPECT_THAT(paths(files({"/app", "dist"}, "dist\n**/*.map\ndist/notes")), ElementsAre("app", "app/app.js"));
}

TEST_F(ContentsTest, AMissingArtifactIsNamed) {
  EXPECT_EQ(files({"/app", "dist/server"}).error().message, "there is no 'dist/server' in " + root_.string());
}

TEST_F(ContentsTest, SecretsAreRefusedUnlessTheyAreLeftOutOrMeant) {
  put("dist/app.js");
  put("dist/.env", "TOKEN=x");
  EXPECT_EQ(files({"/app", "dist"}).error().message,
            "dist/.env would get into the image: environment variables, often with secrets");
  EXPECT_EQ(files({"/", "dist"}).error().message,
            "dist/.env would get into the image: environment variables, often with secrets");
  EXPECT_THAT(paths(files({"/app", "dist"}, "**/.env")), ElementsAre("app", "app/app.js"));
  EXPECT_THAT(paths(files({"/app", "dist"}, "!dist/.env")), ElementsAre("app", "app/.env", "app/app.js"));
}

TEST_F(ContentsTest, APrivateKeyIsRefusedWhenItIsReadUnlessItIsMeant) {
  EXPECT_EQ(said_of_key({"/app", "."}, "app/dist/tls/server"),
            "dist/tls/server would get into the image: a private key");
  EXPECT_EQ(said_of_key({"/app/config", "dist/tls/{arch}.key"}, "app/config"),
            "dist/tls/arm64.key would get into the image: a private key");
  EXPECT_EQ(said_of_key({"/app", "dist"}, "app/tls/server", "!dist/tls/server"), "");
}

TEST_F(ContentsTest, AnArtifactLeadsNowhereOutOfTheProject) {
  put("project/web/dist/a");
  put("elsewhere/secret");
  fs::create_directory_symlink("web/dist", root_ / "project/inside");
  fs::create_directory_symlink("../elsewhere", root_ / "project/outside");
  fs::create_symlink("../elsewhere/secret", root_ / "project/file");
  const BuildRequest request{.project = root_ / "project", .source = root_ / "project"};
  const auto taken = [&](const std::string& source) {
    return artifact_files({"/srv", source}, request, arm(), {}, store_);
  };
  EXPECT_THAT(paths(taken("inside")), ElementsAre("srv", "srv/a"));
  const auto elsewhere = fs::canonical(root_ / "elsewhere").string();
  EXPECT_EQ(taken("outside").error().message, "'outside' leads to " + elsewhere + ", out of the project");
  EXPECT_EQ(taken("outside/secret").error().message,
            "'outside/secret' leads to " + elsewhere + "/secret, out of the project");
  EXPECT_EQ(taken("file").error().message, "'file' leads to " + elsewhere + "/secret, out of the project");
}

TEST_F(ContentsTest, LinksThatLeadOutOfAnArtifactAreNamed) {
  put("dist/a/file");
  fs::create_symlink("../a/file", root_ / "dist/a/inside");
  fs::create_symlink("../../outside", root_ / "dist/a/up");
  fs::create_symlink("/srv/a/file", root_ / "dist/absolute");
  fs::create_symlink("/var/log", root_ / "dist/log");
  const Artifact artifact{"/srv", "dist"};
  EXPECT_THAT(links_leading_out(*files(artifact), artifact),
              ElementsAre("/srv/a/up leads to /outside, out of /srv", "/srv/log leads to /var/log, out of /srv"));
}

TEST_F(ContentsTest, AnImageFromScratchGetsWhatProgramsExpect) {
  put("ca.crt", "-----BEGIN CERTIFICATE-----");
  const BaseImage base;
  const auto tree = system_files({.base = base,
                                  .architecture = "amd64",
                                  .certificates = root_ / "ca.crt",
                                  .volumes = {"/var/lib/app"},
                                  .user = 65532});
  EXPECT_THAT(paths(tree), ElementsAre("etc", "etc/group", "etc/nsswitch.conf", "etc/passwd", "etc/ssl",
                                       "etc/ssl/certs", "etc/ssl/certs/ca-certificates.crt", "tmp", "usr", "usr/local",
                                       "usr/local/bin", "usr/local/bin/drain-sleep", "var", "var/lib", "var/lib/app"));
  EXPECT_EQ(tree->items().find("tmp")->second.mode, 01777u);
  EXPECT_EQ(tree->items().find("var/lib/app")->second.owner, 65532u);
  EXPECT_EQ(tree->items().find("var/lib")->second.owner, 0u);
}

TEST_F(ContentsTest, AnImageFromScratchGetsTheRulesOfItsTimeZone) {
  put("zones/Asia/Shanghai", "TZif2");
  fs::create_symlink("Asia/Shanghai", root_ / "zones/PRC");
  put("secret");
  const auto zones = (root_ / "zones").string();
  for (const std::string name : {"Asia/Shanghai", "PRC"}) {
    EXPECT_EQ(zone_file(zones, name), fs::canonical(root_ / "zones/Asia/Shanghai")) << name;
  }
  for (const std::string name : {"", "Asia", "Asia/Nowhere", "../secret", "/etc/passwd", ":PRC"}) {
    EXPECT_EQ(zone_file(zones, name), "") << name;
  }
  const BaseImage scratch;
  const auto tree = system_files(
      {.base = scratch, .architecture = "amd64", .zone_file = zone_file(zones, "PRC"), .time_zone = "PRC"});
  EXPECT_THAT(paths(tree), ::testing::Contains("usr/share/zoneinfo/PRC"));
  BaseImage debian{.name = "debian:bookworm", .digest = {}, .config = {}, .layers = {}, .libraries = {}};
  EXPECT_THAT(paths(system_files(
                  {.base = debian, .architecture = "amd64", .zone_file = zone_file(zones, "PRC"), .time_zone = "PRC"})),
              ::testing::Not(::testing::Contains("usr/share/zoneinfo/PRC")));
}

TEST_F(ContentsTest, ABaseKeepsWhatItHas) {
  put("ca.crt", "-----BEGIN CERTIFICATE-----");
  BaseImage base{.name = "debian:bookworm", .digest = {}, .config = {}, .layers = {}, .libraries = {}};
  base.has_certificates = true;
  EXPECT_THAT(paths(system_files({.base = base, .architecture = "amd64", .certificates = root_ / "ca.crt"})),
              ElementsAre("usr", "usr/local", "usr/local/bin", "usr/local/bin/drain-sleep"));
}

}  // namespace
}  // namespace deployctl::native
