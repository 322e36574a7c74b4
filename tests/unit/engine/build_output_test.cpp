#include "core/engine/build_output.hpp"

#include "tests/unit/engine/recordings.hpp"

#include <gmock/gmock.h>

namespace deployctl::engine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = BuildProgress::Kind;

// One line an event: "+ [2/5] RUN make", "| cc app.c", "= [2/5] RUN make" and the like.
std::string shown(const BuildProgress& event) {
  constexpr std::string_view marks = "+=-!|";
  return fmt::format("{} {}", marks[static_cast<std::size_t>(event.kind)], event.text);
}

std::vector<std::string> shown(const std::vector<BuildProgress>& events) {
  std::vector<std::string> lines;
  for (const auto& event : events) {
    lines.push_back(shown(event));
  }
  return lines;
}

TEST(BuildOutput, FollowsTheStepsOfBuildKit) {
  const auto seen = replay(Builder::buildkit, "docker20-buildkit-ok");
  EXPECT_THAT(
      shown(seen.progress),
      ElementsAre(
          "+ [internal] load .dockerignore", "- [internal] load .dockerignore",
          "+ [internal] load build definition from ok.df", "- [internal] load build definition from ok.df",
          "+ [internal] load metadata for docker.io/library/busybox:1.36",
          "- [internal] load metadata for docker.io/library/busybox:1.36",
          "+ [build 1/4] FROM docker.io/library/busybox:1.36", "- [build 1/4] FROM docker.io/library/busybox:1.36",
          "+ [internal] load build context", "- [internal] load build context", "+ [build 2/4] WORKDIR /src",
          "- [build 2/4] WORKDIR /src", "+ [build 3/4] COPY file.txt .", "- [build 3/4] COPY file.txt .",
          "+ [build 4/4] RUN echo compiling && cp file.txt out.txt", "| compiling",
          "- [build 4/4] RUN echo compiling && cp file.txt out.txt",
          "+ [stage-1 2/2] COPY --from=build /src/out.txt /out.txt",
          "- [stage-1 2/2] COPY --from=build /src/out.txt /out.txt", "+ exporting to image", "- exporting to image"));
  EXPECT_EQ(seen.log.steps, 4);
  EXPECT_EQ(seen.log.cached_steps, 0);
  EXPECT_THAT(seen.log.messages, IsEmpty());
}

TEST(BuildOutput, CountsWhatBuildKitHadInItsCache) {
  const auto seen = replay(Builder::buildkit, "docker20-buildkit-cached");
  EXPECT_EQ(seen.log.steps, 4);
  EXPECT_EQ(seen.log.cached_steps, 4);
  EXPECT_THAT(shown(seen.progress), Contains("= [build 4/4] RUN echo compiling && cp file.txt out.txt"));
}

TEST(BuildOutput, FollowsTheStepsOfTheClassicBuilder) {
  for (const auto* client : {"docker20", "docker28"}) {
    const auto seen = replay(Builder::classic, std::string(client) + "-classic-ok");
    EXPECT_THAT(shown(seen.progress), Contains("+ [4/9] RUN echo compiling && cp file.txt out.txt")) << client;
    EXPECT_THAT(shown(seen.progress), Contains("| compiling")) << client;
    EXPECT_EQ(seen.log.steps, 7) << client;
    EXPECT_THAT(seen.log.messages, IsEmpty()) << client << ": the notice of deprecation is no message";
  }
}

TEST(BuildOutput, CountsWhatTheClassicBuilderHadInItsCache) {
  const auto seen = replay(Builder::classic, "docker28-classic-cached");
  EXPECT_EQ(seen.log.steps, 7);
  EXPECT_EQ(seen.log.cached_steps, 7);
}

TEST(BuildOutput, TakesTheColoursOutOfWhatTheClassicBuilderShows) {
  const auto seen = replay(Builder::classic, "docker20-classic-run");
  EXPECT_THAT(seen.log.failed_step.lines, ElementsAre("second line", "first line"));
}

TEST(BuildOutput, FollowsTheStepsOfPodman) {
  const auto seen = replay(Builder::buildah, "podman4-ok");
  EXPECT_THAT(
      shown(seen.progress),
      ElementsAre(
          "+ [stage 1/2 step 1/4] FROM busybox:1.36 AS build", "+ [stage 1/2 step 2/4] WORKDIR /src",
          "- [stage 1/2 step 2/4] WORKDIR /src", "+ [stage 1/2 step 3/4] COPY file.txt .",
          "- [stage 1/2 step 3/4] COPY file.txt .", "+ [stage 1/2 step 4/4] RUN echo compiling && cp file.txt out.txt",
          "| compiling", "- [stage 1/2 step 4/4] RUN echo compiling && cp file.txt out.txt",
          "+ [stage 2/2 step 1/5] FROM busybox:1.36", "+ [stage 2/2 step 2/5] COPY --from=build /src/out.txt /out.txt",
          "- [stage 2/2 step 2/5] COPY --from=build /src/out.txt /out.txt", "+ [stage 2/2 step 3/5] USER 65532:65532",
          "- [stage 2/2 step 3/5] USER 65532:65532", "+ [stage 2/2 step 4/5] EXPOSE 8080",
          "- [stage 2/2 step 4/5] EXPOSE 8080", "+ [stage 2/2 step 5/5] CMD [\"cat\", \"/out.txt\"]",
          "- [stage 2/2 step 5/5] CMD [\"cat\", \"/out.txt\"]",
          "| d56cb2737efb76d62fa7eb2d713bc1d9a994afda10174ee6fa731777e63bbeb8"));
  EXPECT_EQ(seen.log.steps, 7);
}

TEST(BuildOutput, GivesTheSameWhateverThePiecesAre) {
  const auto whole = replay(Builder::buildkit, "docker20-buildkit-run");
  BuildOutputReader reader(Builder::buildkit, [](const BuildProgress&) {});
  for (const char byte : recorded("docker20-buildkit-run.err")) {
    reader.add(io::Stream::err, std::string_view(&byte, 1));
  }
  const auto log = reader.finish();
  EXPECT_EQ(log.failed_step.lines, whole.log.failed_step.lines);
  EXPECT_EQ(log.failed_step.error, whole.log.failed_step.error);
  EXPECT_EQ(log.messages, whole.log.messages);
}

TEST(BuildOutput, KeepsTheLastLinesOfTheStepThatFailed) {
  std::string text = "#1 [1/2] RUN a\n#2 [2/2] RUN b\n";
  for (int i = 0; i < 100; ++i) {
    text += fmt::format("#1 0.1 a{}\n#2 0.1 b{}\n", i, i);
  }
  const auto seen = replay_text(Builder::buildkit, "", text + "#1 ERROR: process did not complete\n#2 CANCELED\n");
  EXPECT_EQ(seen.log.failed_step.name, "[1/2] RUN a");
  EXPECT_EQ(seen.log.failed_step.lines.size(), 30u);
  EXPECT_EQ(seen.log.failed_step.lines.back(), "a99");
}

TEST(BuildOutput, DoesNotTakeAProgramsWordsForTheBuilders) {
  const auto seen = replay_text(Builder::buildkit, "",
                                "#1 [1/1] RUN x\n#1 0.1 CACHED\n#1 0.2 #7 [9/9] RUN fake\n#1 0.3 ERROR: fake\n"
                                "------\n > [1/1] RUN x:\n0.1 dockerfile parse error\n------\n");
  EXPECT_EQ(seen.log.steps, 1);
  EXPECT_EQ(seen.log.cached_steps, 0);
  EXPECT_THAT(seen.log.messages, IsEmpty());
}

TEST(BuildOutput, RemovesEscapeSequences) {
  EXPECT_EQ(without_escape_sequences("\x1b[91mred\x1b[0m plain\r"), "red plain");
  EXPECT_EQ(without_escape_sequences("\x1b[38;5;1mred\x1b["), "red");
  EXPECT_EQ(without_escape_sequences("\x1b[?25lhidden\x1b[2K"), "hidden");
  EXPECT_EQ(without_escape_sequences(""), "");
}

}  // namespace
}  // namespace deployctl::engine
