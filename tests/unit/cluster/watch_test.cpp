#include "core/cluster/watch.hpp"

#include "tests/unit/cluster/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <thread>

namespace deployctl::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* pods = "GET /api/v1/namespaces/shop/pods";

std::string event(std::string_view type, std::string_view name, std::string_view version) {
  return fmt::format(R"({{"type":"{}","object":{{"metadata":{{"name":"{}","resourceVersion":"{}"}}}}}})", type, name,
                     version);
}

Answer stream(std::vector<std::string> lines) {
  return {.lines = std::move(lines)};
}

Answer listing(std::string_view name, std::string_view version) {
  return {.body = fmt::format(R"({{"metadata":{{"resourceVersion":"{}"}},"items":[{{"metadata":{{"name":"{}"}}}}]}})",
                              version, name)};
}

// Runs a watch until an event named "end" comes, and writes down what it told.
struct Told {
  std::vector<std::string> lines;
  base::Error end;
};

Told watch_until_end(World& world, WatchStart start) {
  const auto client = world.client();
  Told told;
  std::stop_source stop;
  WatchHandler handler;
  handler.on_event = [&](WatchEventType type, const kube::Object& object) {
    const auto* word = type == WatchEventType::added ? "+" : type == WatchEventType::modified ? "~" : "-";
    told.lines.push_back(word + object.name());
    EXPECT_EQ(object.kind(), "Pod");
    if (object.name() == "end") {
      stop.request_stop();
    }
  };
  handler.on_list = [&](const std::vector<kube::Object>& objects) {
    std::string line = "=";
    for (const auto& object : objects) {
      line += object.name();
    }
    told.lines.push_back(line);
  };
  handler.on_trouble = [&](const base::Error& error) { told.lines.push_back("! " + error.message); };
  handler.on_recovery = [&] { told.lines.emplace_back("works again"); };
  told.end = watch(*client, {.resource = kube::resource_of("Pod"), .name_space = "shop"}, {.start = start}, handler,
                   stop.get_token());
  return told;
}

TEST(Watch, GoesOnFromTheLastVersionWhenAStreamEnds) {
  World world;
  world.transport.on(pods, {listing("a", "10"), stream({event("ADDED", "b", "11"), event("BOOKMARK", "", "20")}),
                            stream({event("MODIFIED", "b", "21"), event("DELETED", "b", "22")}),
                            stream({event("WHATEVER", "x", "23"), event("ADDED", "end", "24")})});
  const auto told = watch_until_end(world, WatchStart::with_list);
  EXPECT_THAT(told.lines, ElementsAre("=a", "+b", "~b", "-b", "+end"));
  EXPECT_EQ(told.end.code, base::ErrorCode::interrupted);
  const auto requests = world.transport.requests();
  EXPECT_THAT(requests[1], HasSubstr("watch=true&allowWatchBookmarks=true"));
  EXPECT_THAT(requests[1], HasSubstr("resourceVersion=10"));
  EXPECT_THAT(requests[2], HasSubstr("resourceVersion=20"));
  EXPECT_THAT(requests[3], HasSubstr("resourceVersion=22"));
}

TEST(Watch, ListsAnewWhenItsVersionHasExpired) {
  World world;
  const std::string expired =
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})";
  world.transport.on(pods, {listing("a", "10"),
                            stream({expired}),
                            listing("b", "90"),
                            {.status = 410, .body = "gone"},
                            listing("c", "95"),
                            stream({event("ADDED", "end", "96")})});
  const auto told = watch_until_end(world, WatchStart::with_list);
  EXPECT_THAT(told.lines, ElementsAre("=a", "=b", "=c", "+end"));
}

TEST(Watch, MayStartWithoutAListAndThenListsAfterABreak) {
  World world;
  world.transport.on(pods, {stream({event("ADDED", "a", "90"), event("ADDED", "b", "7")}), listing("b", "95"),
                            stream({event("ADDED", "end", "96")})});
  const auto told = watch_until_end(world, WatchStart::with_watch);
  EXPECT_THAT(told.lines, ElementsAre("+a", "+b", "=b", "+end"));
  EXPECT_THAT(world.transport.requests()[0], Not(HasSubstr("resourceVersion")));
}

TEST(Watch, AfterABookmarkNeedsNoList) {
  World world;
  world.transport.on(
      pods, {stream({event("ADDED", "a", "90"), event("BOOKMARK", "", "93")}), stream({event("ADDED", "end", "96")})});
  const auto told = watch_until_end(world, WatchStart::with_watch);
  EXPECT_THAT(told.lines, ElementsAre("+a", "+end"));
  EXPECT_THAT(world.transport.requests()[1], HasSubstr("resourceVersion=93"));
}

TEST(Watch, TellsTroubleOnceAndThatItIsOver) {
  World world;
  world.transport.on(pods, {unreachable_answer(), unreachable_answer(), unreachable_answer(), unreachable_answer(),
                            listing("a", "10"), stream({event("ADDED", "end", "11")})});
  const auto told = watch_until_end(world, WatchStart::with_watch);
  EXPECT_THAT(told.lines,
              ElementsAre(HasSubstr("cannot reach the cluster at https://k8s:6443/"), "works again", "=a", "+end"));
}

TEST(Watch, OutlivesAServerThatForgetsForAMomentWhoMayDoWhat) {
  World world;
  const Answer forbidden{.status = 403, .body = R"({"kind":"Status","message":"RBAC: clusterrole not found"})"};
  world.transport.on(pods, {listing("a", "10"), stream({event("ADDED", "b", "11")}), forbidden, forbidden,
                            stream({event("ADDED", "end", "12")})});
  const auto told = watch_until_end(world, WatchStart::with_list);
  EXPECT_EQ(told.end.code, base::ErrorCode::interrupted);
  EXPECT_EQ(told.lines.back(), "+end");
}

TEST(Watch, TakesALineThatIsNoJsonForTroubleAndListsAnew) {
  World world;
  world.transport.on(
      pods, {listing("a", "10"), stream({"{not json"}), listing("b", "12"), stream({event("ADDED", "end", "13")})});
  EXPECT_THAT(watch_until_end(world, WatchStart::with_list).lines, ElementsAre("=a", "=b", "+end"));
}

TEST(Watch, EndsOnWhatWaitingDoesNotMend) {
  World world;
  world.transport.on(
      pods,
      {{.status = 403,
        .body =
            R"({"kind":"Status","message":"User \"ci\" cannot watch resource \"pods\" in API group \"\" in the namespace \"shop\""})"}});
  const auto told = watch_until_end(world, WatchStart::with_watch);
  EXPECT_EQ(told.end.message, "user ci may not watch pods in namespace shop");
  EXPECT_TRUE(told.lines.empty());
}

TEST(Watch, EndsAtOnceWhenItIsStopped) {
  World world;
  world.transport.on(pods, {{.lines = {event("ADDED", "a", "1")}, .ends = false}});
  const auto client = world.client();
  base::Error end;
  std::jthread thread([&](const std::stop_token& stop) {
    WatchHandler handler;
    handler.on_event = [](WatchEventType, const kube::Object&) {};
    end = watch(*client, {.resource = kube::resource_of("Pod"), .name_space = "shop"},
                {.start = WatchStart::with_watch}, handler, stop);
  });
  thread.request_stop();
  thread.join();
  EXPECT_EQ(end.code, base::ErrorCode::interrupted);
}

}  // namespace
}  // namespace deployctl::cluster
