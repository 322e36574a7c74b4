#include "core/native/compile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::native {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

CompileRequest go_request() {
  return {.toolchain = Toolchain::go,
          .source = "/src/shop",
          .package = "./cmd/api",
          .platform = {.os = "linux", .architecture = "arm64", .variant = {}},
          .version = "v1.4.0",
          .commit = "1a2b3c",
          .variables = {{"GOPROXY", "https://goproxy.cn"}},
          .secrets = {"GIT_TOKEN"},
          .directory = ::testing::TempDir() + "native-compile"};
}

// Programs answer from a list, and what was asked of them is kept.
class FakeProcesses : public io::ProcessRunner {
 public:
  base::Result<io::ExitStatus> run(const io::Command& command, const io::OutputSink& sink, std::stop_token) override {
    asked.push_back(command);
    sink(io::Stream::err, output);
    return answer;
  }

  std::vector<io::Command> asked;
  std::string output;
  base::Result<io::ExitStatus> answer = io::ExitStatus{};
};

TEST(Compile, CallsGoForAStaticProgramWithoutTracesOfTheMachine) {
  const auto all = commands(go_request());
  ASSERT_EQ(all.size(), 1u);
  const auto& build = all.front();
  EXPECT_THAT(build.argv, ElementsAre("go", "build", "-trimpath", "-buildvcs=false", "-ldflags",
                                      "-s -w -X main.version=v1.4.0 -X main.commit=1a2b3c", "-o",
                                      testing::TempDir() + "native-compile/program", "./cmd/api"));
  EXPECT_EQ(build.directory, "/src/shop");
  EXPECT_EQ(build.environment,
            (std::map<std::string, std::string>{
                {"CGO_ENABLED", "0"}, {"GOARCH", "arm64"}, {"GOOS", "linux"}, {"GOPROXY", "https://goproxy.cn"}}));
  EXPECT_THAT(build.only_environment, Contains("GIT_TOKEN"));
  EXPECT_THAT(build.only_environment, Contains("PATH"));
}

TEST(Compile, CallsCmakeForAStaticProgram) {
  auto request = go_request();
  request.toolchain = Toolchain::cmake;
  request.package = "server";
  const auto all = commands(request);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_THAT(all[0].argv, Contains("-DCMAKE_EXE_LINKER_FLAGS=-static"));
  EXPECT_THAT(all[0].argv, Contains("-DAPP_VERSION=v1.4.0"));
  EXPECT_EQ(program_path(request), testing::TempDir() + "native-compile/installed/bin/server");
}

TEST(Compile, SaysWhenTheToolchainIsNotThere) {
  FakeProcesses processes;
  processes.answer = base::Error::not_found("no program 'go'");
  const auto program = compile(go_request(), processes, [](std::string_view) {}, {});
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().code, base::ErrorCode::not_found);
  EXPECT_EQ(program.error().message, "Go is not installed: there is no 'go' on PATH");
}

TEST(Compile, GivesOutWhatItPrintsAndFailsWithIt) {
  FakeProcesses processes;
  processes.output = "main.go:3: undefined: x\nmore";
  processes.answer = io::ExitStatus{.code = 1};
  std::vector<std::string> lines;
  const auto program = compile(go_request(), processes, [&](std::string_view line) { lines.emplace_back(line); }, {});
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().message, "'go build' ended with exit code 1");
  EXPECT_THAT(lines, ElementsAre("main.go:3: undefined: x", "more"));
}

TEST(Compile, SaysWhenThereIsNoProgramAfterAll) {
  FakeProcesses processes;
  const auto program = compile(go_request(), processes, [](std::string_view) {}, {});
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().message, "the build made no program './cmd/api'");
}

TEST(Compile, RefusesCxxForAnotherMachine) {
  auto request = go_request();
  request.toolchain = Toolchain::cmake;
  request.platform.architecture = host_platform().architecture == "arm64" ? "amd64" : "arm64";
  FakeProcesses processes;
  const auto program = compile(request, processes, [](std::string_view) {}, {});
  ASSERT_FALSE(program);
  EXPECT_THAT(program.error().message, HasSubstr("C++ is compiled for this machine only"));
  EXPECT_TRUE(processes.asked.empty());
}

}  // namespace
}  // namespace deployctl::native
