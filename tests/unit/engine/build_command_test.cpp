#include "core/engine/build_command.hpp"

#include "core/base/text.hpp"

#include <gmock/gmock.h>

namespace deployctl::engine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

EngineFacts docker(Builder builder) {
  return {.kind = ClientKind::docker, .program = "/usr/bin/docker", .client_version = "20.10.24", .builder = builder};
}

const BuildFiles files{.image_id = "/private/image-id", .secret_files = {{"token", "/private/secret-1"}}};

std::string line(const base::Result<io::Command>& command) {
  return command ? base::join(command->argv, " ") : "error: " + command.error().message;
}

TEST(BuildCommand, NamesEverythingThatWasAskedFor) {
  const auto command = build_command(docker(Builder::buildkit),
                                     {.context = "/project/api",
                                      .dockerfile = "/project/api/Dockerfile",
                                      .tags = {"shop/api:1", "shop/api:latest"},
                                      .labels = {{"team", "shop"}},
                                      .args = {{"GOPROXY", "https://goproxy.cn,direct"}},
                                      .target = "runtime",
                                      .platform = "linux/arm64",
                                      .network = "host",
                                      .pull = Pull::always,
                                      .cache = Cache::ignore},
                                     files);
  EXPECT_EQ(line(command),
            "/usr/bin/docker build --progress plain --file /project/api/Dockerfile --iidfile /private/image-id "
            "--tag shop/api:1 --tag shop/api:latest --label team=shop --build-arg GOPROXY=https://goproxy.cn,direct "
            "--target runtime --platform linux/arm64 --network host --pull --no-cache /project/api");
  EXPECT_THAT(command->environment, ElementsAre(Pair("DOCKER_BUILDKIT", "1")));
  EXPECT_EQ(command->input, "");
}

TEST(BuildCommand, FollowsWhatTheBuilderUnderstands) {
  const BuildRequest request{.context = "/p", .dockerfile = "/p/Dockerfile"};
  EXPECT_EQ(line(build_command(docker(Builder::classic), request, files)),
            "/usr/bin/docker build --force-rm --file /p/Dockerfile --iidfile /private/image-id /p");
  EXPECT_THAT(build_command(docker(Builder::classic), request, files)->environment,
              ElementsAre(Pair("DOCKER_BUILDKIT", "0")));
  EXPECT_THAT(line(build_command(docker(Builder::buildx), request, files)),
              HasSubstr("build --load --progress plain "));
  EXPECT_EQ(line(build_command({.kind = ClientKind::podman, .program = "/usr/bin/podman", .builder = Builder::buildah},
                               request, files)),
            "/usr/bin/podman build --format docker --file /p/Dockerfile --iidfile /private/image-id /p");
}

TEST(BuildCommand, GivesTheTextOfADockerfileOnStdin) {
  const auto command =
      build_command(docker(Builder::buildkit), {.context = "/p", .dockerfile_text = "FROM scratch\n"}, files);
  EXPECT_THAT(line(command), HasSubstr("--file - "));
  EXPECT_EQ(command->input, "FROM scratch\n");
}

TEST(BuildCommand, NamesADockerfileThatHasItsIgnoreFileBesideIt) {
  const BuildRequest request{.context = "/p", .dockerfile_text = "FROM scratch\n", .ignore_text = "**/.git\n"};
  const BuildFiles written{.image_id = "/private/image-id",
                           .dockerfile = "/private/Dockerfile",
                           .ignore_file = "/private/Dockerfile.dockerignore"};
  const auto command = build_command(docker(Builder::buildkit), request, written);
  EXPECT_THAT(line(command), HasSubstr("--file /private/Dockerfile --iidfile"));
  EXPECT_EQ(command->input, "");
  EXPECT_THAT(line(build_command({.kind = ClientKind::podman, .program = "podman", .builder = Builder::buildah},
                                 request, written)),
              HasSubstr("--file /private/Dockerfile --ignorefile /private/Dockerfile.dockerignore --iidfile"));
}

TEST(BuildCommand, KeepsAPathThatBeginsWithADashFromBeingAnOption) {
  const auto command =
      build_command(docker(Builder::buildkit), {.context = "-", .dockerfile = "-weird/Dockerfile"}, files);
  EXPECT_THAT(line(command), HasSubstr("--file ./-weird/Dockerfile "));
  EXPECT_EQ(command->argv.back(), "./-");
}

TEST(BuildCommand, NamesSecretsWithoutTheirValues) {
  const auto command = build_command(docker(Builder::buildkit),
                                     {.context = "/p",
                                      .dockerfile = "/p/Dockerfile",
                                      .secrets = {{"key", SecretFile{"/home/dev/key"}},
                                                  {"npm", SecretVariable{"NPM_TOKEN"}},
                                                  {"token", base::Secret("s3cret")}}},
                                     files);
  EXPECT_THAT(line(command), HasSubstr("--secret id=key,src=/home/dev/key --secret id=npm,env=NPM_TOKEN "
                                       "--secret id=token,src=/private/secret-1 "));
  EXPECT_THAT(line(command), Not(HasSubstr("s3cret")));
  EXPECT_THAT(command->only_environment, Contains("NPM_TOKEN"));
}

TEST(BuildCommand, RefusesSecretsWithoutBuildKit) {
  const auto command =
      build_command(docker(Builder::classic),
                    {.context = "/p", .dockerfile = "/p/D", .secrets = {{"npm", SecretVariable{"NPM_TOKEN"}}}}, files);
  EXPECT_EQ(line(command), "error: docker 20.10.24 has no BuildKit, which build secrets need");
}

TEST(BuildCommand, ShowsTheClientOnlyTheVariablesItNeeds) {
  const auto command = build_command(docker(Builder::buildkit), {.context = "/p", .dockerfile = "/p/D"}, files);
  EXPECT_THAT(command->only_environment, Contains("DOCKER_*"));
  EXPECT_THAT(command->only_environment, Contains("HTTPS_PROXY"));
  EXPECT_THAT(command->only_environment, Not(Contains("*")));
  EXPECT_THAT(command->only_environment, Not(Contains("GITHUB_*")));
}

}  // namespace
}  // namespace deployctl::engine
