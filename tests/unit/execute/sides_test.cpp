#include "core/execute/sides.hpp"

#include "tests/unit/cluster/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ranges>

namespace deployctl::execute {
namespace {

using generate::Side;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string service_path = "/api/v1/namespaces/shop/services/api";
const std::string deployments = "/apis/apps/v1/namespaces/shop/deployments/";

class NoGit final : public io::GitRepository {
 public:
  base::Result<io::Commit> head(const std::string& /*directory*/) override {
    return base::Error::not_found("no repository");
  }
  base::Result<io::CommitComparison> compare(const std::string& /*directory*/, const std::string& /*commit*/,
                                             const std::string& /*other*/) override {
    return base::Error::not_found("no repository");
  }
};

// What the steps said at their ends.
class Ends final : public events::Sink {
 public:
  void emit(const events::Event& event) override {
    if (const auto* finished = std::get_if<events::StepFinished>(&event)) {
      said.push_back(finished->result);
    }
  }
  std::vector<std::string> said;
};

kube::Object service() {
  return {{{"apiVersion", "v1"},
           {"kind", "Service"},
           {"metadata", {{"name", "api"}, {"namespace", "shop"}}},
           {"spec", {{"selector", {{"app.kubernetes.io/name", "api"}, {"app.kubernetes.io/instance", "shop"}}}}}}};
}

kube::Object deployment(const std::string& image, int replicas = 2) {
  const json::Value labels = {{"app.kubernetes.io/name", "api"}, {"app.kubernetes.io/instance", "shop"}};
  return {
      {{"apiVersion", "apps/v1"},
       {"kind", "Deployment"},
       {"metadata", {{"name", "api"}, {"namespace", "shop"}, {"labels", labels}}},
       {"spec",
        {{"replicas", replicas},
         {"selector", {{"matchLabels", labels}}},
         {"template",
          {{"metadata", {{"labels", labels}}}, {"spec", {{"containers", {{{"name", "api"}, {"image", image}}}}}}}}}}}};
}

cluster::Answer answer(kube::Object object, const std::string& version = "7") {
  object.body["metadata"]["resourceVersion"] = version;
  object.body["metadata"]["uid"] = "uid";
  return {.body = object.body.dump()};
}

// A cluster in which `live` runs the image "old", and a rollout of another to it.
class SidesTest : public ::testing::Test {
 protected:
  void runs(Side live) {
    serve("GET " + service_path, {answer(generate::on_side(service(), live))});
    serve("GET " + deployments + generate::side_name("api", live),
          {answer(generate::on_side(deployment("old"), live))});
    const auto other = generate::side_name("api", generate::other(live));
    serve("PATCH " + deployments + other, {answer(deployment("old"))});
    serve("GET " + deployments + other, {answer(deployment("older"))});
    serve("PATCH " + service_path, {answer(service(), "8")});
    serve("GET /api/v1/namespaces/shop/endpoints/api",
          {{.body = R"({"subsets":[{"addresses":[{"targetRef":{"name":"old-1"}},{"targetRef":{"name":"new-1"}}]}]})"},
           {.body = R"({"subsets":[{"addresses":[{"targetRef":{"name":"new-1"}}]}]})"}});
    serve("GET /api/v1/namespaces/shop/pods", {{.body = R"({"metadata":{},"items":[{"metadata":{"name":"new-1"}}]})"}});
  }

  // What the server would make of the live side.
  void would_become(Side live, const std::string& image) {
    serve("PATCH " + deployments + generate::side_name("api", live),
          {answer(generate::on_side(deployment(image), live))});
  }

  void serve(const std::string& request, std::vector<cluster::Answer> answers) {
    world_.transport.on(request, std::move(answers));
  }

  Sides sides(plan::SwitchTraffic action = {}) {
    steps_ = {{.id = "switch:api", .service = "api", .action = action},
              {.id = "retire:api", .service = "api", .action = plan::RetireSide{std::chrono::minutes(10)}},
              {.id = "apply:service/api", .service = "api", .action = plan::ApplyObject{service()}}};
    return Sides(steps_, client_.get(), ports_);
  }

  base::Status retire(Sides& sides) { return sides.retire(steps_[1], std::get<plan::RetireSide>(steps_[1].action)); }

  std::ptrdiff_t writes_of_service() {
    return std::ranges::count_if(world_.transport.requests(), [](const std::string& request) {
      return request.starts_with("PATCH " + service_path);
    });
  }

  std::string body_of(const std::string& request) {
    const auto requests = world_.transport.requests();
    for (std::size_t i = requests.size(); i-- > 0;) {
      if (requests[i].starts_with(request)) {
        return world_.transport.body(i);
      }
    }
    return {};
  }

  cluster::World world_;
  std::unique_ptr<cluster::Client> client_ = world_.client();
  NoGit git_;
  Ends events_;
  std::vector<plan::Step> steps_;
  Ports ports_{.files = world_.files,
               .processes = world_.processes,
               .environment = world_.environment,
               .clock = world_.clock,
               .git = git_,
               .transport = world_.transport,
               .open_file = {},
               .events = events_,
               .stop = {}};
};

TEST_F(SidesTest, TheFirstReleaseIsThePlainDeploymentAndSwitchesNothing) {
  auto run = sides();
  EXPECT_EQ(run.placed("api", deployment("new"))->name(), "api");
  EXPECT_TRUE(run.switch_traffic(steps_[0]));
  EXPECT_EQ(run.placed("api", service())->body, service().body);
  EXPECT_FALSE(run.has_written("api", service())) << "it is applied like any object";
  EXPECT_THAT(world_.transport.requests(), Not(Contains(StartsWith("PATCH"))));
}

TEST_F(SidesTest, NewPodsComeBesideTheLiveOnesAndTheServiceStaysUntilTheSwitch) {
  for (const auto live : {Side::blue, Side::green}) {
    runs(live);
    would_become(live, "new");
    auto run = sides();
    const auto writes = writes_of_service();
    EXPECT_EQ(run.placed("api", deployment("new"))->name(), generate::side_name("api", generate::other(live)));
    EXPECT_EQ(writes_of_service(), writes);
    const auto switched = run.switch_traffic(steps_[0]);
    EXPECT_TRUE(switched) << to_string(switched.error());
    const auto written = json::Value::parse(body_of("PATCH " + service_path));
    EXPECT_EQ(generate::live_side({written}), generate::other(live));
    EXPECT_EQ(written["metadata"]["resourceVersion"], "7") << "refused when somebody was faster";
    const auto after = run.placed("api", service());
    ASSERT_TRUE(after);
    EXPECT_EQ(generate::live_side(*after), generate::other(live));
    EXPECT_TRUE(run.has_written("api", *after));
  }
}

TEST_F(SidesTest, AServiceThatSomebodyHasDeletedIsMadeByTheSwitch) {
  runs(Side::blue);
  serve("GET " + service_path, {{.status = 404, .body = "{}"}});
  would_become(Side::blue, "new");
  auto run = sides();
  EXPECT_EQ(run.placed("api", deployment("new"))->name(), "api-green");
  EXPECT_TRUE(run.switch_traffic(steps_[0]));
  const auto written = json::Value::parse(body_of("PATCH " + service_path));
  EXPECT_EQ(generate::live_side({written}), Side::green);
  EXPECT_FALSE(written["metadata"].contains("resourceVersion"));
}

TEST_F(SidesTest, TheSamePodsAreNotBroughtUpTwice) {
  runs(Side::green);
  would_become(Side::green, "old");
  auto run = sides();
  EXPECT_EQ(run.placed("api", deployment("old"))->name(), "api-green");
  EXPECT_TRUE(run.switch_traffic(steps_[0]));
  EXPECT_THAT(events_.said, Contains("green is live"));
  EXPECT_EQ(body_of("PATCH " + service_path), "");
}

TEST_F(SidesTest, ASwitchThatSomebodyElseHasMadeIsRefused) {
  runs(Side::blue);
  would_become(Side::blue, "new");
  auto run = sides();
  ASSERT_TRUE(run.placed("api", deployment("new")));
  serve("GET " + service_path, {answer(generate::on_side(service(), Side::green))});
  const auto switched = run.switch_traffic(steps_[0]);
  ASSERT_FALSE(switched);
  EXPECT_EQ(switched.error().code, base::ErrorCode::conflict);
  EXPECT_EQ(body_of("PATCH " + service_path), "");
}

TEST_F(SidesTest, TheOldSideIsMarkedToBeKeptBeforeTheSwitch) {
  runs(Side::blue);
  would_become(Side::blue, "new");
  auto run = sides();
  ASSERT_TRUE(run.placed("api", deployment("new")));
  ASSERT_TRUE(run.switch_traffic(steps_[0]));
  const auto requests = world_.transport.requests();
  const auto place_of = [&](const std::string& request) {
    return std::ranges::find_if(requests | std::views::reverse,
                                [&](const std::string& each) { return each.starts_with(request); })
        .base();
  };
  EXPECT_LT(place_of("PATCH " + deployments + "api?"), place_of("PATCH " + service_path));
  EXPECT_THAT(body_of("PATCH " + deployments + "api?"),
              HasSubstr(R"("deployctl.dev/kept-until":"2026-01-01T00:10:00Z")"));
}

TEST_F(SidesTest, ASideThatFailedBeforeIsScaledDownByTheNextRunThatSwitchesNothing) {
  runs(Side::blue);
  would_become(Side::blue, "old");
  auto run = sides();
  ASSERT_TRUE(run.placed("api", deployment("old")));
  ASSERT_TRUE(run.switch_traffic(steps_[0]));
  ASSERT_TRUE(retire(run));
  EXPECT_EQ(body_of("PATCH " + deployments + "api-green"), R"({"spec":{"replicas":0}})");
}

TEST_F(SidesTest, AManualSwitchLeavesEverythingAsItIs) {
  runs(Side::blue);
  would_become(Side::blue, "new");
  auto run = sides({.waits_for_promote = true});
  ASSERT_TRUE(run.placed("api", deployment("new")));
  ASSERT_TRUE(run.switch_traffic(steps_[0]));
  EXPECT_THAT(events_.said, Contains(HasSubstr("api-green is ready and gets no request yet")));
  EXPECT_EQ(body_of("PATCH " + service_path), "");
  ASSERT_TRUE(retire(run));
  EXPECT_THAT(body_of("PATCH " + deployments + "api-green"), Not(HasSubstr("replicas")));
}

}  // namespace
}  // namespace deployctl::execute
