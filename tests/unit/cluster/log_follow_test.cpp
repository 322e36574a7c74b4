#include "core/cluster/log_follow.hpp"

#include "tests/unit/cluster/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::cluster {
namespace {

using testing::ElementsAre;

constexpr const char* log_request = "GET /api/v1/namespaces/shop/pods/p/log";
constexpr const char* pod_request = "GET /api/v1/namespaces/shop/pods/p";

Answer pod(std::string_view state) {
  return {.body = fmt::format(R"({{"spec":{{"containers":[{{"name":"c"}}]}},)"
                              R"("status":{{"containerStatuses":[{{"name":"c","state":{{"{}":{{}}}}}}]}}}})",
                              state)};
}

struct Followed {
  std::vector<std::string> lines;
  base::Status end;
};

Followed follow(World& world) {
  const auto client = world.client();
  Followed followed;
  followed.end = follow_log(*client, {.name_space = "shop", .pod = "p", .container = "c", .tail_lines = 10},
                            [&](std::string_view line) { followed.lines.emplace_back(line); }, {});
  return followed;
}

TEST(FollowLog, GoesOnAfterABreakWithoutRepeatingLines) {
  World world;
  world.transport.on(log_request,
                     {{.lines = {"2026-01-01T00:00:01Z one", "2026-01-01T00:00:02Z two", "2026-01-01T00:00:02Z three"}},
                      {.lines = {"2026-01-01T00:00:02Z two", "2026-01-01T00:00:02Z three", "2026-01-01T00:00:02Z four",
                                 "2026-01-01T00:00:03Z five"}}});
  world.transport.on(pod_request, {pod("running"), pod("terminated")});
  const auto followed = follow(world);
  EXPECT_TRUE(followed.end);
  EXPECT_THAT(followed.lines, ElementsAre("one", "two", "three", "four", "five"));
  EXPECT_THAT(world.transport.requests()[0], testing::HasSubstr("tailLines=10"));
  EXPECT_THAT(world.transport.requests()[2], testing::HasSubstr("sinceTime=2026-01-01T00%3A00%3A02Z"));
}

TEST(FollowLog, WaitsForAContainerThatHasNotStarted) {
  World world;
  world.transport.on(log_request,
                     {{.status = 400, .body = "waiting to start"}, {.lines = {"2026-01-01T00:00:01Z up"}}});
  world.transport.on(pod_request, {pod("waiting"), pod("terminated")});
  EXPECT_THAT(follow(world).lines, ElementsAre("up"));
}

TEST(FollowLog, AsksOnceMoreWhenTheContainerHasEndedMeanwhile) {
  World world;
  world.transport.on(
      log_request, {{.status = 400, .body = "waiting to start"}, {.lines = {"2026-01-01T00:00:01Z done in a moment"}}});
  world.transport.on(pod_request, {pod("terminated")});
  EXPECT_THAT(follow(world).lines, ElementsAre("done in a moment"));
}

TEST(FollowLog, MakesLinesSafeForTerminals) {
  World world;
  world.transport.on(log_request, {{.lines = {"2026-01-01T00:00:01Z \x1b]0;evil\x07"}}});
  world.transport.on(pod_request, {pod("terminated")});
  EXPECT_THAT(follow(world).lines, ElementsAre("\xEF\xBF\xBD]0;evil\xEF\xBF\xBD"));
}

TEST(FollowLog, LeavesOutWhatTheKubeletSaysInPlaceOfALog) {
  World world;
  world.transport.on(
      log_request,
      {{.lines = {R"(failed to try resolving symlinks in path "/var/log/pods/p/1.log": no such file or directory)",
                  "2026-01-01T00:00:01Z failed to try resolving symlinks in path of ours"}},
       {.lines = {"unable to retrieve container logs for containerd://1f31c55c",
                  "rpc error: code = Unknown desc = Error: No such container: e229"}}});
  world.transport.on(pod_request, {pod("running"), pod("terminated")});
  EXPECT_THAT(follow(world).lines, ElementsAre("failed to try resolving symlinks in path of ours"));
}

TEST(FollowLog, EndsWithAPodThatHasGone) {
  World world;
  world.transport.on(log_request, {{.status = 404, .body = R"({"kind":"Status","reason":"NotFound"})"}});
  const auto followed = follow(world);
  ASSERT_FALSE(followed.end);
  EXPECT_EQ(followed.end.error().code, base::ErrorCode::not_found);
}

}  // namespace
}  // namespace deployctl::cluster
