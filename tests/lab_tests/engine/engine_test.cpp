// The real engine through every docker client on this machine.
#include "core/engine/engine.hpp"

#include "core/base/text.hpp"
#include "core/engine/cli_engine.hpp"
#include "core/engine/client.hpp"
#include "core/engine/probe.hpp"
#include "core/platform/posix_environment.hpp"
#include "core/platform/posix_file_system.hpp"
#include "core/platform/posix_process.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace deployctl::engine {
namespace {

using base::ErrorCode;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using Cause = BuildFailureCause;

namespace fs = std::filesystem;

constexpr const char* known_clients[] = {"/usr/bin/docker", "/usr/local/bin/docker"};
const std::string base_image = "busybox:1.36";

std::vector<std::string> installed_clients() {
  std::vector<std::string> clients;
  for (const auto* path : known_clients) {
    if (fs::exists(path)) {
      clients.emplace_back(path);
    }
  }
  return clients;
}

bool lab_is_up() {
  return std::getenv("DEPLOYCTL_LAB_REGISTRY") != nullptr;
}

// Processes whose command line holds the text.
std::vector<std::string> processes_with(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::ostringstream line;
    line << file.rdbuf();
    if (line.str().find(text) != std::string::npos) {
      found.push_back(entry.path().filename());
    }
  }
  return found;
}

class EngineTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!lab_is_up()) {
      GTEST_SKIP() << "the lab is not up: tests/lab/lab up, then eval \"$(tests/lab/lab env)\"";
    }
    auto facts = probe(processes_, environment_, client_of(ClientKind::docker), GetParam(), {});
    ASSERT_TRUE(facts) << to_string(facts.error());
    engine_ = std::make_unique<CliEngine>(*facts, processes_, files_);
    context_ = *files_.make_temporary_directory();
    write("file.txt", "hello\n");
  }

  void TearDown() override {
    for (const auto& tag : tags_) {
      EXPECT_TRUE(engine_->remove_tag(tag, {}));
    }
    EXPECT_TRUE(files_.remove_tree(context_));
  }

  void write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(files_.write(context_ + "/" + name, content, io::Permissions::plain));
  }

  // A tag of this test's own, removed at its end.
  std::string own_tag(const std::string& name) {
    tags_.push_back("engine-tests/" + name + ":" + fs::path(context_).filename().string().substr(10));
    for (auto& letter : tags_.back()) {
      letter = static_cast<char>(std::tolower(letter));
    }
    return tags_.back();
  }

  BuildOutcome build(const std::string& dockerfile, BuildRequest request = {}, std::stop_token stop = {}) {
    request.context = context_;
    request.dockerfile_text = dockerfile;
    return engine_->build(
        request, [this](const BuildProgress& event) { heard_.push_back(event.text); }, stop);
  }

  BuildFailure failing_build(const std::string& dockerfile, BuildRequest request = {}) {
    const auto outcome = build(dockerfile, std::move(request));
    const auto* failure = std::get_if<BuildFailure>(&outcome);
    EXPECT_NE(failure, nullptr) << "the build should have failed";
    return failure == nullptr ? BuildFailure() : *failure;
  }

  std::string history(const std::string& reference) {
    const auto output = io::run_and_capture(
        processes_, {.argv = {GetParam(), "history", "--no-trunc", "--format", "{{.CreatedBy}}", reference}}, {});
    return output ? output->out : to_string(output.error());
  }

  platform::PosixProcessRunner processes_;
  platform::PosixFileSystem files_;
  platform::PosixEnvironment environment_;
  std::unique_ptr<Engine> engine_;
  std::string context_;
  std::vector<std::string> tags_;
  std::vector<std::string> heard_;
};

TEST_P(EngineTest, BuildsAndTellsWhatItBuilt) {
  const auto tag = own_tag("ok");
  const std::string dockerfile =
      "FROM " + base_image +
      " AS build\nARG WORD\nCOPY file.txt /in.txt\nRUN echo said $WORD && cp /in.txt /out.txt\n"
      "FROM " +
      base_image + "\nCOPY --from=build /out.txt /out.txt\nUSER 65532:65532\nEXPOSE 8080\n";
  const auto outcome = build(dockerfile, {.tags = {tag},
                                          .labels = {{"org.opencontainers.image.revision", "1a2b3c"}},
                                          .args = {{"WORD", context_}}});  // never the same: nothing of it is cached
  const auto* built = std::get_if<BuiltImage>(&outcome);
  ASSERT_NE(built, nullptr) << to_string(std::get<BuildFailure>(outcome).error);
  EXPECT_THAT(built->image.tags, Contains(tag));
  EXPECT_EQ(built->image.user, "65532:65532");
  EXPECT_THAT(built->image.exposed_ports, ElementsAre("8080/tcp"));
  EXPECT_THAT(built->image.labels, Contains(testing::Pair("org.opencontainers.image.revision", "1a2b3c")));
  EXPECT_THAT(built->image.diff_ids, SizeIs(2));
  EXPECT_EQ(built->image.platform(), engine_->facts().platform);
  EXPECT_GT(built->steps, 0);
  EXPECT_THAT(heard_, Contains("said " + context_));

  const auto again = build(dockerfile, {.tags = {tag}, .args = {{"WORD", context_}}});
  ASSERT_TRUE(std::holds_alternative<BuiltImage>(again));
  EXPECT_GT(std::get<BuiltImage>(again).cached_steps, 0);
}

TEST_P(EngineTest, BuildsForTheTargetFromADockerfileOnDisk) {
  write("images/Dockerfile", "FROM " + base_image + " AS first\nRUN true\nFROM first\nRUN exit 9\n");
  const auto outcome =
      engine_->build({.context = context_, .dockerfile = context_ + "/images/Dockerfile", .target = "first"},
                     [](const BuildProgress&) {}, {});
  EXPECT_TRUE(std::holds_alternative<BuiltImage>(outcome)) << to_string(std::get<BuildFailure>(outcome).error);
}

TEST_P(EngineTest, TellsWhatAFailingProgramPrinted) {
  const auto tag = own_tag("failing");
  const auto failure =
      failing_build("FROM " + base_image + "\nRUN echo compiling; echo broken >&2; exit 42\n", {.tags = {tag}});
  EXPECT_EQ(to_string(failure.cause), "run_failed");
  EXPECT_EQ(failure.exit_code, 42);
  EXPECT_THAT(failure.evidence, Contains("compiling"));
  EXPECT_THAT(failure.evidence, Contains("broken"));
  EXPECT_EQ(engine_->inspect(tag, {}).error().code, ErrorCode::not_found) << "a failed build sets no tag";
}

TEST_P(EngineTest, TellsWhatTheContextLacks) {
  const auto failure = failing_build("FROM " + base_image + "\nCOPY not-there.txt /\n");
  EXPECT_EQ(to_string(failure.cause), "missing_source");
  EXPECT_THAT(failure.error.message, HasSubstr("not-there.txt"));
}

TEST_P(EngineTest, TellsThatABaseImageIsMissingDeniedOrOutOfReach) {
  const std::string registry = std::getenv("DEPLOYCTL_LAB_REGISTRY");
  const auto missing = failing_build("FROM " + registry + "/engine-tests/none:1\nRUN true\n");
  EXPECT_EQ(to_string(missing.cause), "base_image_missing") << missing.error.message;
  const std::string closed = std::getenv("DEPLOYCTL_LAB_AUTH_REGISTRY");
  const auto denied = failing_build("FROM " + closed + "/engine-tests/none:1\nRUN true\n");
  EXPECT_EQ(to_string(denied.cause), "base_image_denied") << denied.error.message;
  const auto unreachable = failing_build("FROM 127.0.0.1:1/engine-tests/none:1\nRUN true\n");
  EXPECT_EQ(to_string(unreachable.cause), "registry_unreachable") << unreachable.error.message;
}

TEST_P(EngineTest, TellsThatADockerfileIsWrong) {
  EXPECT_EQ(to_string(failing_build("FROM " + base_image + "\nRUNN true\n").cause), "dockerfile");
  EXPECT_EQ(to_string(failing_build("").cause), "dockerfile");
}

TEST_P(EngineTest, InspectsTagsAndRemovesTags) {
  const auto image = engine_->inspect(base_image, {});
  ASSERT_TRUE(image) << to_string(image.error());
  const auto tag = own_tag("tagged");
  ASSERT_TRUE(engine_->tag(base_image, tag, {}));
  EXPECT_EQ(engine_->inspect(tag, {})->id, image->id);
  EXPECT_TRUE(engine_->remove_tag(tag, {}));
  EXPECT_EQ(engine_->inspect(tag, {}).error().code, ErrorCode::not_found);
  EXPECT_TRUE(engine_->inspect(base_image, {})) << "the image keeps its other name";
}

TEST_P(EngineTest, SavesADockerArchive) {
  std::uint64_t bytes = 0;
  std::string tail;
  const auto saved = engine_->save(base_image,
                                   [&](std::string_view piece) {
                                     bytes += piece.size();
                                     tail =
                                         tail.substr(tail.size() > 4096 ? tail.size() - 4096 : 0) + std::string(piece);
                                     return base::Status();
                                   },
                                   {});
  ASSERT_TRUE(saved) << to_string(saved.error());
  EXPECT_GT(bytes, engine_->inspect(base_image, {})->size);
  EXPECT_EQ(bytes % 512, 0u);
  EXPECT_EQ(tail.substr(tail.size() - 1024), std::string(1024, '\0')) << "a tar ends with two empty blocks";
}

TEST_P(EngineTest, StopsSavingWhenTheReceiverHasEnough) {
  int pieces = 0;
  const auto saved = engine_->save(
      base_image,
      [&](std::string_view) { return ++pieces == 2 ? base::Status(base::Error::failed("enough")) : base::Status(); },
      {});
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().message, "enough");
  EXPECT_EQ(pieces, 2);
}

TEST_P(EngineTest, LeavesNothingRunningWhenItIsStopped) {
  const auto tag = own_tag("stopped");
  std::stop_source source;
  const std::string mark = "sleep 9173";
  const auto start = std::chrono::steady_clock::now();
  BuildRequest request{
      .context = context_,
      .dockerfile_text = "FROM " + base_image + "\nRUN echo started " + context_ + " && " + mark + "\n",
      .tags = {tag}};
  const auto outcome = engine_->build(
      request,
      [&](const BuildProgress& event) {
        if (event.kind == BuildProgress::Kind::output && event.text.starts_with("started ")) {
          source.request_stop();
        }
      },
      source.get_token());
  ASSERT_TRUE(std::holds_alternative<BuildFailure>(outcome));
  EXPECT_EQ(to_string(std::get<BuildFailure>(outcome).cause), "interrupted");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_EQ(engine_->inspect(tag, {}).error().code, ErrorCode::not_found);

  // The engine ends the step's container once it has seen its client go.
  for (int attempt = 0; attempt < 200 && !processes_with(mark).empty(); ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_THAT(processes_with(mark), SizeIs(0));
}

TEST_P(EngineTest, KeepsSecretsOutOfTheImage) {
  const std::string value = "s3cret-" + context_;
  write("key", value);
  setenv("ENGINE_TESTS_TOKEN", value.c_str(), 1);
  BuildRequest request{.tags = {own_tag("secret")},
                       .secrets = {{"value", base::Secret(value)},
                                   {"variable", SecretVariable{"ENGINE_TESTS_TOKEN"}},
                                   {"file", SecretFile{context_ + "/key"}}},
                       .cache = Cache::ignore};
  const std::string dockerfile =
      "FROM " + base_image +
      "\nRUN --mount=type=secret,id=value --mount=type=secret,id=variable --mount=type=secret,id=file "
      "cat /run/secrets/value /run/secrets/variable /run/secrets/file | wc -c > /count\nRUN echo count $(cat /count)\n";
  if (!engine_->facts().has_mounts()) {
    EXPECT_EQ(to_string(failing_build(dockerfile, request).cause), "unsupported");
    return;
  }
  const auto outcome = build(dockerfile, request);
  ASSERT_TRUE(std::holds_alternative<BuiltImage>(outcome)) << to_string(std::get<BuildFailure>(outcome).error);
  EXPECT_THAT(heard_, Contains("count " + std::to_string(3 * value.size()))) << "the secrets were there";
  EXPECT_THAT(history(request.tags.front()), Not(HasSubstr(value)));
  std::string archive;
  ASSERT_TRUE(engine_->save(request.tags.front(),
                            [&](std::string_view piece) {
                              archive += piece;
                              return base::Status();
                            },
                            {}));
  EXPECT_EQ(archive.find(value), std::string::npos);

  const auto without = failing_build("FROM " + base_image +
                                     "\nRUN --mount=type=secret,id=absent,required=true cat /run/secrets/absent\n");
  EXPECT_EQ(to_string(without.cause), "missing_secret") << without.error.message;
}

INSTANTIATE_TEST_SUITE_P(Docker, EngineTest, testing::ValuesIn(installed_clients()),
                         [](const auto& client) { return base::replace_all(client.param.substr(1), "/", "_"); });

class DetectionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!lab_is_up()) {
      GTEST_SKIP() << "the lab is not up: tests/lab/lab up, then eval \"$(tests/lab/lab env)\"";
    }
    host_ = environment_.get_or("DOCKER_HOST", "");
  }
  void TearDown() override { setenv("DOCKER_HOST", host_.c_str(), 1); }

  platform::PosixProcessRunner processes_;
  platform::PosixFileSystem files_;
  platform::PosixEnvironment environment_;
  std::string host_;
};

TEST_F(DetectionTest, FindsADockerWithBuildKitOnTheMachinesPath) {
  const auto engine = detect(processes_, environment_, files_, {});
  ASSERT_TRUE(engine) << to_string(engine.error());
  EXPECT_EQ((*engine)->facts().kind, ClientKind::docker);
  EXPECT_TRUE((*engine)->facts().has_mounts());
  EXPECT_EQ((*engine)->facts().endpoint, host_);
}

TEST_F(DetectionTest, NamesTheAddressWhereNothingAnswers) {
  for (const auto* host : {"unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"}) {
    setenv("DOCKER_HOST", host, 1);
    const auto engine = detect(processes_, environment_, files_, {});
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().code, ErrorCode::unreachable);
    EXPECT_EQ(engine.error().message, std::string("nothing answers at the engine's address ") + host);
  }
}

}  // namespace
}  // namespace deployctl::engine
