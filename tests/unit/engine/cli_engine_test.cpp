#include "core/engine/cli_engine.hpp"

#include "tests/support/memory_file_system.hpp"
#include "tests/unit/engine/recordings.hpp"
#include "tests/unit/engine/scripted_processes.hpp"

#include <gmock/gmock.h>

namespace deployctl::engine {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Answer = ScriptedProcesses::Answer;

class CliEngineTest : public testing::Test {
 protected:
  CliEngine engine_with(std::vector<Answer> answers) {
    processes_ = ScriptedProcesses(std::move(answers));
    return {{.kind = ClientKind::docker,
             .program = "/usr/bin/docker",
             .client_version = "20.10.24",
             .endpoint = "unix:///var/run/docker.sock",
             .builder = Builder::buildkit},
            processes_,
            files_};
  }

  // What the client does: writes the image's id where it was told to.
  Answer building() {
    return {.words = {"build"},
            .err = recorded("docker20-buildkit-cached.err"),
            .effect = [this](const io::Command& command) {
              const auto option = std::ranges::find(command.argv, "--iidfile");
              files_.put(*std::next(option), "sha256:c922");
            }};
  }

  tests::MemoryFileSystem files_;
  ScriptedProcesses processes_{{}};
  const BuildRequest request_{.context = "/p", .dockerfile = "/p/Dockerfile", .tags = {"shop/api:1"}};
};

const Answer inspecting{.words = {"inspect"}, .out = recorded("docker20-inspect.out")};

TEST_F(CliEngineTest, PutsTheIgnoreFileBesideTheDockerfileAndRemovesBoth) {
  auto looking = building();
  std::string ignored;
  std::string dockerfile;
  looking.effect = [&, built = looking.effect](const io::Command& command) {
    built(command);
    dockerfile = *std::next(std::ranges::find(command.argv, "--file"));
    ignored = files_.content(dockerfile + ".dockerignore");
    EXPECT_EQ(files_.content(dockerfile), "FROM scratch\n");
  };
  auto engine = engine_with({looking, inspecting});
  const auto outcome = engine.build({.context = "/p", .dockerfile_text = "FROM scratch\n", .ignore_text = "**/.git\n"},
                                    [](const BuildProgress&) {}, {});
  EXPECT_TRUE(std::holds_alternative<BuiltImage>(outcome));
  EXPECT_EQ(ignored, "**/.git\n");
  EXPECT_FALSE(files_.has(dockerfile));
  EXPECT_FALSE(files_.has(dockerfile + ".dockerignore"));
}

TEST_F(CliEngineTest, TellsWhatWasBuilt) {
  auto engine = engine_with({building(), inspecting});
  int events = 0;
  const auto outcome = engine.build(request_, [&](const BuildProgress&) { ++events; }, {});
  const auto* built = std::get_if<BuiltImage>(&outcome);
  ASSERT_NE(built, nullptr);
  EXPECT_EQ(built->image.id, "sha256:c922a9b37a0343b360dad266c65431b9795326c60306884d54cb74958ea8eda0");
  EXPECT_EQ(built->steps, 4);
  EXPECT_EQ(built->cached_steps, 4);
  EXPECT_GT(events, 10);
  EXPECT_THAT(processes_.commands.back().argv, ElementsAre("/usr/bin/docker", "image", "inspect", "sha256:c922"));
}

TEST_F(CliEngineTest, LeavesNoPrivateFilesBehind) {
  std::string secret_path;
  auto answer = building();
  answer.effect = [&, effect = answer.effect](const io::Command& command) {
    effect(command);
    const auto secret = *std::next(std::ranges::find(command.argv, "--secret"));
    secret_path = secret.substr(secret.find("src=") + 4);
    EXPECT_EQ(files_.content(secret_path), "s3cret");
    EXPECT_EQ(files_.stat(secret_path).mode, 0600u);
  };
  auto engine = engine_with({answer, inspecting});
  auto request = request_;
  request.secrets["token"] = base::Secret("s3cret");
  const auto outcome = engine.build(request, [](const BuildProgress&) {}, {});
  EXPECT_TRUE(std::holds_alternative<BuiltImage>(outcome));
  EXPECT_FALSE(secret_path.empty());
  EXPECT_FALSE(files_.has(secret_path));
}

TEST_F(CliEngineTest, TellsWhyABuildFailed) {
  auto engine = engine_with({{.words = {"build"}, .err = recorded("docker20-buildkit-run.err"), .code = 1}});
  const auto outcome = engine.build(request_, [](const BuildProgress&) {}, {});
  const auto* failure = std::get_if<BuildFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->cause, BuildFailureCause::run_failed);
  EXPECT_EQ(failure->exit_code, 3);
}

TEST_F(CliEngineTest, TellsThatABuildWasInterrupted) {
  auto engine = engine_with({building(), inspecting});
  std::stop_source source;
  const auto outcome = engine.build(
      request_, [&](const BuildProgress&) { source.request_stop(); }, source.get_token());
  const auto* failure = std::get_if<BuildFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->cause, BuildFailureCause::interrupted);
  EXPECT_EQ(failure->error.code, ErrorCode::interrupted);
}

TEST_F(CliEngineTest, SaysThatThereIsNoSuchImage) {
  for (const std::string client : {"docker20", "docker28"}) {
    auto engine =
        engine_with({{.words = {"inspect"}, .out = "[]\n", .err = recorded(client + "-no_image.err"), .code = 1},
                     {.words = {"tag"}, .err = recorded(client + "-tag_no_image.err"), .code = 1},
                     {.words = {"rmi"}, .err = recorded(client + "-remove_no_image.err"), .code = 1},
                     {.words = {"save"}, .err = recorded(client + "-save_no_image.err"), .code = 1}});
    const auto inspected = engine.inspect("nope:1", {});
    ASSERT_FALSE(inspected) << client;
    EXPECT_EQ(inspected.error().code, ErrorCode::not_found) << client;
    EXPECT_EQ(inspected.error().message, "the engine has no image 'nope:1'") << client;
    EXPECT_EQ(engine.tag("nope:1", "b:1", {}).error().code, ErrorCode::not_found) << client;
    EXPECT_EQ(engine.save("nope:1", [](std::string_view) { return base::Status(); }, {}).error().code,
              ErrorCode::not_found)
        << client;
    EXPECT_TRUE(engine.remove_tag("nope:1", {})) << client;
  }
}

TEST_F(CliEngineTest, SaysThatTheEngineWentAway) {
  auto engine = engine_with({{.words = {"tag"}, .err = recorded("docker20-unreachable.err"), .code = 1}});
  EXPECT_EQ(engine.tag("a:1", "b:1", {}).error().code, ErrorCode::unreachable);
}

TEST_F(CliEngineTest, SavesAnImageInPieces) {
  const std::string archive("tar\0bytes", 9);
  auto engine = engine_with({{.words = {"save", "shop/api:1"}, .out = archive}});
  std::string received;
  EXPECT_TRUE(engine.save("shop/api:1",
                          [&](std::string_view piece) {
                            received += piece;
                            return base::Status();
                          },
                          {}));
  EXPECT_EQ(received, archive);
}

TEST_F(CliEngineTest, StopsSavingWhenTheReceiverCannotGoOn) {
  auto engine = engine_with({{.words = {"save"}, .out = "bytes"}});
  const auto saved =
      engine.save("a:1", [](std::string_view) { return base::Status(base::Error::failed("disk full")); }, {});
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().message, "disk full");
}

}  // namespace
}  // namespace deployctl::engine
