#include "core/engine/build_failure.hpp"

#include "tests/unit/engine/recordings.hpp"

#include <gmock/gmock.h>

namespace deployctl::engine {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Cause = BuildFailureCause;

const EngineFacts engine{.kind = ClientKind::docker,
                         .program = "/usr/bin/docker",
                         .client_version = "28.2.2",
                         .server_version = "20.10.24",
                         .platform = "linux/amd64",
                         .endpoint = "unix:///var/run/docker.sock",
                         .builder = Builder::classic};

struct Row {
  Builder builder;
  std::string recording;
  Cause cause;
  ErrorCode code;
  std::string message;
};

const Row rows[] = {
    {Builder::buildkit, "docker20-buildkit-run", Cause::run_failed, ErrorCode::failed,
     "RUN echo first line; echo second line >&2; exit 3 failed with exit code 3"},
    {Builder::classic, "docker20-classic-run", Cause::run_failed, ErrorCode::failed,
     "RUN echo first line; echo second line >&2; exit 3 failed with exit code 3"},
    {Builder::classic, "docker28-classic-run", Cause::run_failed, ErrorCode::failed,
     "RUN echo first line; echo second line >&2; exit 3 failed with exit code 3"},
    {Builder::buildah, "podman4-run", Cause::run_failed, ErrorCode::failed,
     "RUN echo first line; echo second line >&2; exit 3 failed with exit code 3"},
    {Builder::buildkit, "docker20-buildkit-no_program", Cause::run_failed, ErrorCode::failed,
     "RUN no-such-program failed with exit code 127"},
    {Builder::classic, "docker28-classic-no_program", Cause::run_failed, ErrorCode::failed,
     "RUN no-such-program failed with exit code 127"},
    {Builder::buildah, "podman4-no_program", Cause::run_failed, ErrorCode::failed,
     "RUN no-such-program failed with exit code 127"},
    {Builder::buildkit, "docker20-buildkit-copy", Cause::missing_source, ErrorCode::invalid_input,
     "COPY missing.txt /: there is no '/missing.txt'"},
    {Builder::classic, "docker20-classic-copy", Cause::missing_source, ErrorCode::invalid_input,
     "COPY missing.txt /: there is no 'missing.txt'"},
    {Builder::classic, "docker28-classic-copy", Cause::missing_source, ErrorCode::invalid_input,
     "COPY missing.txt /: there is no 'missing.txt'"},
    {Builder::buildah, "podman4-copy", Cause::missing_source, ErrorCode::invalid_input,
     "COPY missing.txt /: there is no '/missing.txt'"},
    {Builder::buildkit, "docker20-buildkit-base_missing", Cause::base_image_missing, ErrorCode::not_found,
     "cannot pull 127.0.0.1:5000/engine-tests/none:1: its registry has no such image"},
    {Builder::classic, "docker20-classic-base_missing", Cause::base_image_missing, ErrorCode::not_found,
     "cannot pull 127.0.0.1:5000/engine-tests/none:1: its registry has no such image"},
    {Builder::classic, "docker28-classic-base_missing", Cause::base_image_missing, ErrorCode::not_found,
     "cannot pull 127.0.0.1:5000/engine-tests/none:1: its registry has no such image"},
    {Builder::buildkit, "docker20-buildkit-base_denied", Cause::base_image_denied, ErrorCode::unauthorized,
     "cannot pull 127.0.0.1:5001/engine-tests/none:1: 127.0.0.1:5001 wants a login or does not have it"},
    {Builder::classic, "docker28-classic-base_denied", Cause::base_image_denied, ErrorCode::unauthorized,
     "cannot pull 127.0.0.1:5001/engine-tests/none:1: 127.0.0.1:5001 wants a login or does not have it"},
    {Builder::buildkit, "docker20-buildkit-base_unreachable", Cause::registry_unreachable, ErrorCode::unreachable,
     "cannot pull 127.0.0.1:1/engine-tests/none:1: failed to do request: Head "
     "\"http://127.0.0.1:1/v2/engine-tests/none/manifests/1\": dial tcp 127.0.0.1:1: connect: connection refused"},
    {Builder::classic, "docker28-classic-base_unreachable", Cause::registry_unreachable, ErrorCode::unreachable,
     "cannot pull 127.0.0.1:1/engine-tests/none:1: Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: "
     "connection refused"},
    {Builder::buildah, "podman4-base_unreachable", Cause::registry_unreachable, ErrorCode::unreachable,
     "cannot pull 127.0.0.1:1/engine-tests/none:1: initializing source docker://127.0.0.1:1/engine-tests/none:1: "
     "pinging container registry 127.0.0.1:1: Get \"https://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: "
     "connection refused"},
    {Builder::buildkit, "docker20-buildkit-nostage", Cause::registry_unreachable, ErrorCode::unreachable,
     "cannot pull docker.io/library/nostage:latest: failed to load cache key: failed to do request: Head "
     "\"https://registry-1.docker.io/v2/library/nostage/manifests/latest\": dial tcp: lookup registry-1.docker.io on "
     "192.0.2.53:53: no such host"},
    {Builder::classic, "docker20-classic-nostage", Cause::registry_unreachable, ErrorCode::unreachable,
     "cannot pull nostage: invalid from flag value nostage: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup "
     "registry-1.docker.io on 192.0.2.53:53: no such host"},
    {Builder::buildkit, "docker20-buildkit-syntax", Cause::dockerfile, ErrorCode::invalid_input,
     "the Dockerfile is not accepted: dockerfile parse error line 2: unknown instruction: RUNN"},
    {Builder::classic, "docker28-classic-syntax", Cause::dockerfile, ErrorCode::invalid_input,
     "the Dockerfile is not accepted: dockerfile parse error line 2: unknown instruction: RUNN"},
    {Builder::buildkit, "docker20-buildkit-target", Cause::dockerfile, ErrorCode::invalid_input,
     "the Dockerfile is not accepted: target stage nowhere could not be found"},
    {Builder::classic, "docker28-classic-target", Cause::dockerfile, ErrorCode::invalid_input,
     "the Dockerfile is not accepted: failed to reach build target nowhere in Dockerfile"},
    {Builder::buildah, "podman4-target", Cause::dockerfile, ErrorCode::invalid_input,
     "the Dockerfile is not accepted: The target \"nowhere\" was not found in the provided Dockerfile"},
    {Builder::buildkit, "docker20-buildkit-secret", Cause::missing_secret, ErrorCode::invalid_input,
     "the Dockerfile asks for a build secret that was not given: secret token not found: not found"},
    {Builder::classic, "docker20-classic-secret", Cause::unsupported, ErrorCode::failed,
     "docker 28.2.2 with its classic builder cannot do this build: the --mount option requires BuildKit. Refer to "
     "https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled"},
    {Builder::classic, "docker28-classic-unknown_flag", Cause::unsupported, ErrorCode::failed,
     "docker 28.2.2 with its classic builder cannot do this build: unknown flag: --secret"},
};

TEST(BuildFailure, IsClassifiedFromWhatRealClientsPrinted) {
  for (const auto& row : rows) {
    const auto failure = classify_failure(replay(row.builder, row.recording).log, engine);
    EXPECT_EQ(to_string(failure.cause), to_string(row.cause)) << row.recording;
    EXPECT_EQ(to_string(failure.error.code), to_string(row.code)) << row.recording;
    EXPECT_EQ(failure.error.message, row.message) << row.recording;
  }
}

TEST(BuildFailure, CarriesTheStepTheExitCodeAndTheLastLines) {
  const auto failure = classify_failure(replay(Builder::buildkit, "docker20-buildkit-run").log, engine);
  EXPECT_EQ(failure.step, "[2/2] RUN echo first line; echo second line >&2; exit 3");
  EXPECT_EQ(failure.exit_code, 3);
  EXPECT_THAT(failure.evidence, ElementsAre("second line", "first line"));
}

TEST(BuildFailure, AdvisesWhatWouldHelp) {
  const auto hint = [](Builder builder, const std::string& recording) {
    return classify_failure(replay(builder, recording).log, engine).error.hint;
  };
  EXPECT_EQ(hint(Builder::buildkit, "docker20-buildkit-no_program"),
            "the image of this stage does not have the program");
  EXPECT_EQ(hint(Builder::buildkit, "docker20-buildkit-copy"),
            "paths are relative to the build context; .dockerignore may leave the file out");
  EXPECT_EQ(hint(Builder::buildkit, "docker20-buildkit-base_denied"), "docker login 127.0.0.1:5001");
  EXPECT_EQ(hint(Builder::buildkit, "docker20-buildkit-secret"), "name it in build.secrets of the project manifest");
}

// The forms of newer BuildKit versions, whose clients the recordings do not have.
TEST(BuildFailure, UnderstandsNewerBuildKit) {
  struct NewerRow {
    std::string text;
    Cause cause;
    std::string message;
  };
  const NewerRow newer_rows[] = {
      {"#5 [2/2] RUN make\n#5 0.231 cc: not found\n"
       "#5 ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\n------\n"
       " > [2/2] RUN make:\n0.231 cc: not found\n------\nDockerfile:2\n--------------------\n   1 |     FROM busybox\n"
       "   2 | >>> RUN make\n--------------------\n"
       "ERROR: failed to solve: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\n",
       Cause::run_failed, "RUN make failed with exit code 2"},
      {"#6 [2/2] COPY missing.txt /\n#6 ERROR: failed to calculate checksum of ref q::z: \"/missing.txt\": not found\n"
       "------\n > [2/2] COPY missing.txt /:\n------\n"
       "ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref q::z: "
       "\"/missing.txt\": "
       "not found\n",
       Cause::missing_source, "COPY missing.txt /: there is no '/missing.txt'"},
      {"#2 [internal] load metadata for docker.io/shop/base:1\n#2 ERROR: pull access denied, repository does not exist "
       "or "
       "may require authorization: server message: insufficient_scope: authorization failed\n------\n------\n"
       "ERROR: failed to solve: shop/base:1: failed to resolve source metadata for docker.io/shop/base:1: pull access "
       "denied, repository does not exist or may require authorization\n",
       Cause::base_image_denied, "cannot pull docker.io/shop/base:1: docker.io wants a login or does not have it"},
      {"ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)\n",
       Cause::dockerfile,
       "the Dockerfile is not accepted: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean "
       "RUN?)"},
      {"#9 exporting to image\n#9 ERROR: write /var/lib/docker/tmp/x: no space left on device\n------\n------\n"
       "ERROR: failed to solve: write /var/lib/docker/tmp/x: no space left on device\n",
       Cause::disk_full, "the engine's disk is full: write /var/lib/docker/tmp/x: no space left on device"},
      {"#1 resolve image config for docker-image://docker.io/docker/dockerfile:1\n"
       "#1 ERROR: failed to do request: Head \"https://registry-1.docker.io/v2/docker/dockerfile/manifests/1\": dial "
       "tcp: "
       "i/o timeout\nERROR: failed to solve: dial tcp: i/o timeout\n",
       Cause::registry_unreachable, "cannot pull docker-image://docker.io/docker/dockerfile:1: dial tcp: i/o timeout"},
  };
  for (const auto& row : newer_rows) {
    const auto failure = classify_failure(replay_text(Builder::buildx, "", row.text).log, engine);
    EXPECT_EQ(to_string(failure.cause), to_string(row.cause)) << row.text;
    EXPECT_EQ(failure.error.message, row.message);
  }
}

TEST(BuildFailure, SaysThatTheEngineWentAway) {
  const auto failure = classify_failure(replay(Builder::classic, "docker20-unreachable").log, engine);
  EXPECT_EQ(failure.cause, Cause::engine);
  EXPECT_EQ(failure.error.code, ErrorCode::unreachable);
  EXPECT_EQ(failure.error.message, "nothing answers at the engine's address unix:///var/run/docker.sock");
}

TEST(BuildFailure, QuotesTheBuilderWhenItDoesNotKnowTheCause) {
  const auto known = classify_failure(replay_text(Builder::classic, "", "something new\n").log, engine);
  EXPECT_EQ(known.cause, Cause::other);
  EXPECT_EQ(known.error.message, "the build failed: something new");
  EXPECT_EQ(classify_failure({}, engine).error.message, "the build failed: it did not say why");
}

TEST(BuildFailure, DoesNotTakeAProgramsOutputForTheCause) {
  const auto failure = classify_failure(
      replay_text(Builder::buildkit, "",
                  "#1 [1/1] RUN curl x\n#1 0.1 curl: connection refused, COPY failed: 401 unauthorized\n"
                  "#1 ERROR: executor failed running [/bin/sh -c curl x]: exit code: 7\n"
                  "executor failed running [/bin/sh -c curl x]: exit code: 7\n")
          .log,
      engine);
  EXPECT_EQ(failure.cause, Cause::run_failed);
  EXPECT_EQ(failure.exit_code, 7);
}

TEST(BuildFailure, MakesTextsFromOutsideSafeForATerminal) {
  const auto failure = classify_failure(replay_text(Builder::classic, "", "bad \x1b]0;title\x07 thing\n").log, engine);
  EXPECT_EQ(failure.error.message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace deployctl::engine
