#include "core/generate/dockerfile.hpp"

#include "core/base/text.hpp"
#include "tests/unit/generate/sample.hpp"

#include <gmock/gmock.h>

namespace deployctl::generate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tests::at;

std::string dockerfile_of(const project::Service& service, const SourceFacts& facts = {},
                          CacheMounts mounts = CacheMounts::no) {
  Inputs inputs;
  inputs.sources[*service.name] = facts;
  const auto text = dockerfile(tests::mini(), service, inputs, {}, {.cache_mounts = mounts});
  return text ? *text : "error: " + base::to_string(text.error());
}

// The lines that begin with an instruction.
std::vector<std::string> lines_starting(const std::string& text, const std::string& word) {
  std::vector<std::string> lines;
  for (const auto line : base::split(text, '\n')) {
    if (line.starts_with(word + " ")) {
      lines.emplace_back(line);
    }
  }
  return lines;
}

TEST(Dockerfile, StagesHaveNamesAndPinnedBases) {
  EXPECT_THAT(lines_starting(
                  dockerfile_of(tests::go_service("api"), {.go_version = "1.19", .main_package = {}, .executable = {}}),
                  "FROM"),
              ElementsAre("FROM golang:1.19-bookworm AS deps", "FROM deps AS builder",
                          "FROM gcr.io/distroless/static-debian12:nonroot AS runtime"));
  auto service = tests::cpp_service("api");
  EXPECT_THAT(lines_starting(dockerfile_of(service), "FROM"),
              ElementsAre("FROM debian:bookworm-slim AS deps", "FROM deps AS builder",
                          "FROM gcr.io/distroless/cc-debian12:nonroot AS runtime"));
  service.build->base = at(std::string("registry.example.com:5000/base@sha256:0123"));
  service.build->runtime = at(std::string("scratch"));
  EXPECT_THAT(lines_starting(dockerfile_of(service), "FROM"),
              ElementsAre("FROM registry.example.com:5000/base@sha256:0123 AS deps", "FROM deps AS builder",
                          "FROM scratch AS runtime"));
}

TEST(Dockerfile, ModulesComeBeforeSource) {
  const auto text = dockerfile_of(tests::go_service("api"));
  EXPECT_LT(text.find("COPY go.mod go.su[m] ./"), text.find("COPY . ."));
  EXPECT_THAT(text, HasSubstr("go mod download"));
  EXPECT_THAT(dockerfile_of(tests::go_service("api"),
                            {.has_vendor = true, .go_version = {}, .main_package = {}, .executable = {}}),
              Not(HasSubstr("go mod download")));
  EXPECT_THAT(dockerfile_of(tests::go_service("api"),
                            {.has_local_modules = true, .go_version = {}, .main_package = {}, .executable = {}}),
              Not(HasSubstr("go mod download")));
}

TEST(Dockerfile, TheProgramIsThePackageThatIsNamedOrFound) {
  auto service = tests::go_service("api");
  EXPECT_THAT(dockerfile_of(service), HasSubstr("-o /app .\n"));
  EXPECT_THAT(dockerfile_of(service, {.go_version = {}, .main_package = "./cmd/api", .executable = {}}),
              HasSubstr("-o /app ./cmd/api\n"));
  const std::pair<std::string, std::string> rows[] = {{"cmd/api", "./cmd/api"},
                                                      {"./cmd/api", "./cmd/api"},
                                                      {"example.com/shop/cmd/api", "example.com/shop/cmd/api"},
                                                      {"-toolexec=x", "./-toolexec=x"},
                                                      {"./a b", "'./a b'"}};
  for (const auto& [package, word] : rows) {
    service.build->package = at(package);
    EXPECT_THAT(dockerfile_of(service), HasSubstr("-o /app " + word + "\n"));
  }
}

TEST(Dockerfile, CommandsAreExecForms) {
  auto service = tests::go_service("api");
  EXPECT_THAT(lines_starting(dockerfile_of(service), "ENTRYPOINT"), ElementsAre("ENTRYPOINT [\"/app\"]"));
  service.command = {"/usr/local/bin/shop", "serve", "a\nb"};
  EXPECT_THAT(lines_starting(dockerfile_of(service), "ENTRYPOINT"),
              ElementsAre(R"(ENTRYPOINT ["/usr/local/bin/shop", "serve", "a\nb"])"));
  EXPECT_THAT(dockerfile_of(service), HasSubstr("COPY --from=builder /app /usr/local/bin/shop\n"));
  service.command = {"serve"};
  EXPECT_THAT(lines_starting(dockerfile_of(service), "ENTRYPOINT"), ElementsAre(R"(ENTRYPOINT ["/app", "serve"])"));
}

TEST(Dockerfile, RunsAsANumberedUserOnDeclaredPorts) {
  const auto text = dockerfile_of(tests::go_service("api"));
  EXPECT_THAT(lines_starting(text, "USER"), ElementsAre("USER 65532:65532"));
  EXPECT_THAT(lines_starting(text, "EXPOSE"), ElementsAre("EXPOSE 8080"));
}

TEST(Dockerfile, HasMountsOnlyWhereBuildKitReadsIt) {
  auto service = tests::go_service("api");
  EXPECT_THAT(dockerfile_of(service), Not(HasSubstr("--mount")));
  EXPECT_THAT(dockerfile_of(service), Not(HasSubstr("--platform")));
  EXPECT_THAT(dockerfile_of(service, {}, CacheMounts::yes),
              HasSubstr("RUN --mount=type=cache,target=/go/pkg/mod go mod download"));
  EXPECT_THAT(dockerfile_of(tests::cpp_service("api")), Not(HasSubstr("--mount")));
  EXPECT_THAT(dockerfile_of(tests::cpp_service("api"), {}, CacheMounts::yes),
              HasSubstr("--mount=type=cache,id=miniapp-api,target=/build"));
  service.build->secrets = {at(std::string("git_token"))};
  EXPECT_THAT(dockerfile_of(service), HasSubstr("RUN --mount=type=secret,id=git_token go mod download"));
}

TEST(Dockerfile, TheExecutableIsTheTargetThatIsNamedOrFound) {
  auto service = tests::cpp_service("api");
  EXPECT_THAT(dockerfile_of(service), HasSubstr("/installed/bin/api /app\n"));
  EXPECT_THAT(dockerfile_of(service, {.go_version = {}, .main_package = {}, .executable = "server"}),
              HasSubstr("/installed/bin/server /app\n"));
  service.build->package = at(std::string("api-server"));
  EXPECT_THAT(dockerfile_of(service, {.go_version = {}, .main_package = {}, .executable = "server"}),
              HasSubstr("/installed/bin/api-server /app\n"));
}

TEST(Dockerfile, PackagesOfTheBuilderCanBeAdded) {
  auto service = tests::cpp_service("api");
  EXPECT_THAT(dockerfile_of(service), HasSubstr("ARG PACKAGES=\"\"\n"));
  service.build->args = {{"PACKAGES", at(std::string("libsqlite3-dev libboost-dev"))}};
  EXPECT_THAT(dockerfile_of(service), HasSubstr("ARG PACKAGES=\"libsqlite3-dev libboost-dev\"\n"));
  EXPECT_THAT(dockerfile_of(service), Not(HasSubstr("ARG PACKAGES=\"\"\n")));
  service.build->base = at(std::string("my/builder:1"));
  EXPECT_THAT(dockerfile_of(service), Not(HasSubstr("apt-get")));
}

TEST(Dockerfile, VolumesBelongToTheUser) {
  auto service = tests::go_service("api");
  service.volumes = {{.name = "data", .mount = "/var/lib/app", .size = {}, .storage_class = {}, .span = {}}};
  EXPECT_THAT(dockerfile_of(service), HasSubstr("COPY --from=deps --chown=65532:65532 /empty/ /var/lib/app/\n"));
  service.volumes[0].mount = "/a b";
  EXPECT_EQ(dockerfile_of(service),
            "error: generating the Dockerfile of 'api': '/a b' is not a path for a volume in an image");
}

TEST(Dockerfile, IsNotMadeForOthersDockerfiles) {
  auto service = tests::go_service("api");
  service.build->dockerfile = at(std::string("Dockerfile"));
  EXPECT_EQ(dockerfile_of(service), "error: there is no Dockerfile to generate for service 'api'");
  EXPECT_FALSE(has_generated_dockerfile(tests::image_service("db", "mysql:8.0")));
}

TEST(Dockerignore, NamesTheDeliverysOwnFilesOnlyAtTheProjectsRoot) {
  auto service = tests::go_service("api");
  EXPECT_THAT(*dockerignore(tests::mini(), service, {}), HasSubstr("\ndeploy/kubernetes\n"));
  service.build->source = at(std::string("services/api"));
  EXPECT_THAT(*dockerignore(tests::mini(), service, {}), Not(HasSubstr("deploy/kubernetes")));
  EXPECT_EQ(dockerignore_path(service), "services/api/.dockerignore");
}

}  // namespace
}  // namespace deployctl::generate
