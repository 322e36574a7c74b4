#include "core/engine/engine.hpp"
#include "core/engine/probe.hpp"
#include "tests/support/memory_file_system.hpp"
#include "tests/unit/engine/recordings.hpp"
#include "tests/unit/engine/scripted_processes.hpp"

#include <gmock/gmock.h>

namespace deployctl::engine {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using Answer = ScriptedProcesses::Answer;

class FakeEnvironment : public io::Environment {
 public:
  explicit FakeEnvironment(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {}
  std::optional<std::string> get(std::string_view name) const override {
    const auto found = variables_.find(std::string(name));
    return found == variables_.end() ? std::nullopt : std::optional(found->second);
  }
  std::string home_directory() const override { return "/home/dev"; }

 private:
  std::map<std::string, std::string> variables_;
};

class DetectTest : public testing::Test {
 protected:
  void install(const std::string& program) { files_.put(program, "#!", 0755); }

  base::Result<std::unique_ptr<Engine>> detect_with(std::vector<Answer> answers,
                                                    std::optional<ClientKind> wanted = {}) {
    processes_ = ScriptedProcesses(std::move(answers));
    return detect(processes_, FakeEnvironment(variables_), files_, {}, wanted);
  }

  tests::MemoryFileSystem files_;
  std::map<std::string, std::string> variables_{{"PATH", "/usr/local/bin:relative:/usr/bin"}};
  ScriptedProcesses processes_{{}};
};

const Answer docker20{.words = {"/usr/bin/docker", "version"}, .out = recorded("docker20-version.out")};
const Answer docker28{.words = {"/usr/local/bin/docker", "version"}, .out = recorded("docker28-version.out")};
const Answer no_buildx{.words = {"buildx"}, .err = "docker: unknown command: docker buildx\n", .code = 1};
const Answer buildx{.words = {"buildx"}, .out = "github.com/docker/buildx v0.24.0\n"};

TEST_F(DetectTest, FindsDockerWithItsBuiltInBuildKit) {
  install("/usr/bin/docker");
  const auto engine = detect_with({no_buildx, docker20});
  ASSERT_TRUE(engine);
  const auto& facts = (*engine)->facts();
  EXPECT_EQ(facts.kind, ClientKind::docker);
  EXPECT_EQ(facts.program, "/usr/bin/docker");
  EXPECT_EQ(facts.client_version, "20.10.24+dfsg1");
  EXPECT_EQ(facts.server_version, "20.10.24+dfsg1");
  EXPECT_EQ(facts.platform, "linux/amd64");
  EXPECT_EQ(facts.endpoint, "unix:///var/run/docker.sock");
  EXPECT_EQ(facts.builder, Builder::buildkit);
  EXPECT_TRUE(facts.has_mounts());
}

TEST_F(DetectTest, FallsBackToTheClassicBuilderWithoutThePlugin) {
  install("/usr/local/bin/docker");
  const auto engine = detect_with({no_buildx, docker28});
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->facts().builder, Builder::classic);
  EXPECT_FALSE((*engine)->facts().has_mounts());
}

TEST_F(DetectTest, UsesThePluginWhenItIsThere) {
  install("/usr/local/bin/docker");
  const auto engine = detect_with({buildx, docker28});
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->facts().builder, Builder::buildx);
}

TEST_F(DetectTest, PrefersTheDockerThatHasBuildKitToTheFirstOnPath) {
  install("/usr/local/bin/docker");
  install("/usr/bin/docker");
  const auto engine = detect_with({no_buildx, docker20, docker28});
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->facts().program, "/usr/bin/docker");
}

TEST_F(DetectTest, PassesOverWhatCannotBeRun) {
  files_.put("/usr/local/bin/docker", "notes", 0644);
  install("/usr/bin/docker");
  const auto engine = detect_with({docker20});
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->facts().program, "/usr/bin/docker");
}

TEST_F(DetectTest, FindsPodmanAndBuildahWhereThereIsNoDocker) {
  install("/usr/bin/podman");
  install("/usr/bin/buildah");
  const std::vector<Answer> answers{{.words = {"/usr/bin/podman"}, .out = recorded("podman4-version.out")},
                                    {.words = {"/usr/bin/buildah"}, .out = recorded("buildah1-version.out")}};
  const auto podman = detect_with(answers);
  ASSERT_TRUE(podman);
  EXPECT_EQ((*podman)->facts().kind, ClientKind::podman);
  EXPECT_EQ((*podman)->facts().client_version, "4.3.1");
  EXPECT_EQ((*podman)->facts().platform, "linux/amd64");
  EXPECT_EQ((*podman)->facts().builder, Builder::buildah);
  const auto buildah = detect_with(answers, ClientKind::buildah);
  ASSERT_TRUE(buildah);
  EXPECT_EQ((*buildah)->facts().client_version, "1.28.2");
  EXPECT_EQ((*buildah)->facts().platform, "linux/amd64");
}

TEST_F(DetectTest, SeesPodmanBehindDockersApi) {
  install("/usr/bin/docker");
  const auto engine = detect_with(
      {{.words = {"version"},
        .out = R"({"Client":{"Version":"20.10.24","Context":"default"},"Server":{"Version":"4.3.1","Os":"linux",
                              "Arch":"amd64","Components":[{"Name":"Podman Engine"}]}})"}});
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->facts().builder, Builder::classic);
}

TEST_F(DetectTest, SaysThatThereIsNoClient) {
  const auto none = detect_with({});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
  EXPECT_EQ(none.error().message, "there is no docker, podman or buildah on PATH");
  EXPECT_EQ(detect_with({}, ClientKind::podman).error().message, "there is no podman on PATH");
}

TEST_F(DetectTest, NamesTheAddressAtWhichNothingAnswers) {
  struct Row {
    std::string recording;
    std::string host;
    ErrorCode code;
    std::string message;
  };
  const Row rows[] = {
      {"docker20-unreachable", "", ErrorCode::unreachable,
       "nothing answers at the engine's address unix:///var/run/docker.sock"},
      {"docker28-unreachable", "", ErrorCode::unreachable,
       "nothing answers at the engine's address unix:///var/run/docker.sock"},
      {"docker20-unreachable_tcp", "tcp://127.0.0.1:1", ErrorCode::unreachable,
       "nothing answers at the engine's address tcp://127.0.0.1:1"},
      {"docker28-unreachable_ssh", "ssh://nobody@127.0.0.1", ErrorCode::unreachable,
       "the engine at ssh://nobody@127.0.0.1 cannot be reached: ssh: connect to host 127.0.0.1 port 22: Connection "
       "refused"},
      {"docker20-denied", "", ErrorCode::unauthorized,
       "the engine at unix:///var/run/docker.sock refuses us: permission denied"},
      {"docker28-denied", "", ErrorCode::unauthorized,
       "the engine at unix:///var/run/docker.sock refuses us: permission denied"},
      {"docker28-no_context", "", ErrorCode::failed,
       "docker's context cannot be used: Failed to initialize: unable to resolve docker endpoint: context \"nope\": "
       "context "
       "not found: open /home/dev/.docker/contexts/meta/"
       "ca3704aa0b06f5954c79ee837faa152d84d6b2d42838f0637a15eda8337dbdce/meta.json: no such file or directory"},
  };
  install("/usr/bin/docker");
  for (const auto& row : rows) {
    variables_["DOCKER_HOST"] = row.host;
    const auto engine = detect_with({{.words = {"version"},
                                      .out = recorded(row.recording + ".out"),
                                      .err = recorded(row.recording + ".err"),
                                      .code = 1}});
    ASSERT_FALSE(engine) << row.recording;
    EXPECT_EQ(to_string(engine.error().code), to_string(row.code)) << row.recording;
    EXPECT_EQ(engine.error().message, row.message) << row.recording;
    EXPECT_NE(engine.error().hint, "") << row.recording;
  }
}

TEST_F(DetectTest, SaysThatTheEngineDoesNotAnswerInTime) {
  install("/usr/bin/docker");
  variables_["DOCKER_HOST"] = "tcp://192.0.2.1:2375";
  const auto engine =
      detect_with({{.words = {"version"}, .error = base::Error::failed("'docker' did not end in time")}});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::unreachable);
  EXPECT_EQ(engine.error().message, "the engine at tcp://192.0.2.1:2375 does not answer: 'docker' did not end in time");
  EXPECT_LE(processes_.commands.front().timeout, std::chrono::seconds(15));
}

TEST_F(DetectTest, DoesNotTurnToPodmanWhenDockersEngineIsDown) {
  install("/usr/bin/docker");
  install("/usr/bin/podman");
  const auto engine =
      detect_with({{.words = {"/usr/bin/docker"}, .err = recorded("docker20-unreachable.err"), .code = 1},
                   {.words = {"/usr/bin/podman"}, .out = recorded("podman4-version.out")}});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::unreachable);
}

TEST_F(DetectTest, AsksForTheAddressOfAContext) {
  install("/usr/bin/docker");
  const auto version =
      base::replace_all(recorded("docker20-version.out"), R"("Context":"default")", R"("Context":"build")");
  const auto engine = detect_with(
      {{.words = {"version"}, .out = version}, {.words = {"context", "inspect"}, .out = "ssh://build.example.com\n"}});
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->facts().endpoint, "ssh://build.example.com");
}

TEST_F(DetectTest, EndsWhenInterrupted) {
  install("/usr/bin/docker");
  const auto engine = detect_with({{.words = {"version"}, .error = base::Error::interrupted()}});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::interrupted);
}

}  // namespace
}  // namespace deployctl::engine
