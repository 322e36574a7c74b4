// Applying, reading, watching and refusing against a real API server.
#include "core/cluster/watch.hpp"
#include "core/json/reader.hpp"
#include "tests/lab_tests/cluster/lab.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace deployctl::cluster {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

class Apply : public LabTest {};

TEST_F(Apply, TellsCreatedUnchangedAndConfigured) {
  const auto first = admin().apply(config_map(name_space(), "one", {{"a", "1"}}));
  ASSERT_TRUE(first) << to_string(first.error());
  EXPECT_EQ(first->change, Change::created);
  EXPECT_EQ(admin().apply(config_map(name_space(), "one", {{"a", "1"}}))->change, Change::unchanged);
  const auto third = admin().apply(config_map(name_space(), "one", {{"a", "2"}}));
  EXPECT_EQ(third->change, Change::configured);
  const auto version = json::Reader(third->object.body).at("metadata", "resourceVersion").string_or();
  EXPECT_EQ(admin().apply(config_map(name_space(), "one", {{"a", "2"}}), {.known_version = version})->change,
            Change::unchanged);
}

TEST_F(Apply, InADryRunWritesNothing) {
  const auto applied = admin().apply(config_map(name_space(), "dry", {{"a", "1"}}), {.dry_run = DryRun::yes});
  ASSERT_TRUE(applied) << to_string(applied.error());
  EXPECT_EQ(applied->change, Change::created);
  const auto live = admin().get({"v1", "ConfigMap", name_space(), "dry"});
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().message, "there is no configmap/dry in namespace " + name_space());
}

TEST_F(Apply, StoresEveryCharacterAsItIs) {
  const json::Value data = {{"emoji", "😀"},
                            {"delete",
                             "a\x7f"
                             "b"},
                            {"separator", "a\u2028b"},
                            {"slash", "</x>"},
                            {"no", "n"},
                            {"number", "1.20"},
                            {"on", "on"},
                            {"lines", "one\ntwo\r\n\ttab"},
                            {"quote", "\"\\'"}};
  ASSERT_TRUE(admin().apply(config_map(name_space(), "characters", data)));
  const auto live = admin().get({"v1", "ConfigMap", name_space(), "characters"});
  ASSERT_TRUE(live) << to_string(live.error());
  EXPECT_EQ(json::to_canonical_text(live->body["data"]), json::to_canonical_text(data));
}

TEST_F(Apply, NamesWhoseFieldItWouldTakeAndTakesItWhenTold) {
  const auto ours = deployment(name_space(), "contested", "sleep 1000", {{"replicas", 0}});
  ASSERT_TRUE(admin().apply(ours));
  write_as("autoscaler", {.body = {{"apiVersion", "apps/v1"},
                                   {"kind", "Deployment"},
                                   {"metadata", {{"name", "contested"}, {"namespace", name_space()}}},
                                   {"spec",
                                    {{"replicas", 0},
                                     {"progressDeadlineSeconds", 33},
                                     {"selector", {{"matchLabels", {{"app", "contested"}}}}},
                                     {"template", ours.body["spec"]["template"]}}}}});
  auto changed = ours;
  changed.body["spec"]["progressDeadlineSeconds"] = 44;
  const auto refused = admin().apply(changed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(refused.error().message,
            "deployment/contested has fields that others manage: .spec.progressDeadlineSeconds belongs to autoscaler "
            "(it has 33, we want 44)");
  const auto forced = admin().apply(changed, {.force = Force::yes});
  ASSERT_TRUE(forced) << to_string(forced.error());
  EXPECT_EQ(forced->change, Change::configured);
}

TEST_F(Apply, AfterAPatchOfOurOwnIsNoConflict) {
  const auto ours = deployment(name_space(), "patched", "sleep 1000", {{"replicas", 0}});
  ASSERT_TRUE(admin().apply(ours));
  const auto patched = admin().patch(ours.key(), PatchType::merge, {{"spec", {{"revisionHistoryLimit", 3}}}});
  ASSERT_TRUE(patched) << to_string(patched.error());
  auto changed = ours;
  changed.body["spec"]["revisionHistoryLimit"] = 4;
  const auto applied = admin().apply(changed);
  ASSERT_TRUE(applied) << to_string(applied.error());
}

TEST_F(Apply, NamesAFieldTheServerDoesNotKnow) {
  auto wrong = deployment(name_space(), "wrong", "true");
  wrong.body["spec"]["replica"] = 2;
  const auto applied = admin().apply(wrong);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(applied.error().message, HasSubstr(".spec.replica"));
  const auto invalid = admin().apply(deployment(name_space(), "Wrong_Name", "true"));
  ASSERT_FALSE(invalid);
  EXPECT_EQ(invalid.error().code, ErrorCode::invalid_input);
}

TEST_F(Apply, NamesTheFieldThatCannotBeChanged) {
  const auto ours = deployment(name_space(), "fixed", "sleep 1000", {{"replicas", 0}});
  ASSERT_TRUE(admin().apply(ours));
  auto changed = ours;
  changed.body["spec"]["selector"]["matchLabels"]["app"] = "other";
  changed.body["spec"]["template"]["metadata"]["labels"]["app"] = "other";
  const auto applied = admin().apply(changed);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(applied.error().message, HasSubstr("spec.selector"));
  EXPECT_THAT(applied.error().message, HasSubstr("immutable"));
}

TEST_F(Apply, SaysHowLargeAnObjectMayBe) {
  const auto refusal_of = [](std::size_t bytes) {
    const auto applied = admin().apply(config_map(name_space(), "large", {{"a", std::string(bytes, 'x')}}));
    EXPECT_FALSE(applied);
    return applied ? base::Error() : applied.error();
  };
  for (const auto& [bytes, words] : {std::pair(1u << 20u, "Too long"), std::pair(4u << 20u, "limit is 3145728")}) {
    const auto refusal = refusal_of(bytes + 1);
    EXPECT_EQ(refusal.code, ErrorCode::invalid_input);
    EXPECT_THAT(refusal.message, HasSubstr(words));
  }
}

TEST_F(Apply, InAMissingNamespaceNamesIt) {
  const auto applied = admin().apply(config_map("no-such-namespace", "one", {{"a", "1"}}));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().message, "there is no namespace no-such-namespace");
}

TEST_F(Apply, OfAnObjectThatIsGoingAwayIsNoSuccess) {
  auto held = config_map(name_space(), "held", {{"a", "1"}});
  held.body["metadata"]["finalizers"] = {"deployctl.dev/test"};
  ASSERT_TRUE(admin().apply(held));
  ASSERT_TRUE(admin().remove(held.key()));
  for (const auto& version : {std::optional<std::string>(), std::optional<std::string>("1")}) {
    const auto applied = admin().apply(held, {.known_version = version});
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().message, "configmap/held is being deleted");
  }
  EXPECT_TRUE(admin().patch(held.key(), PatchType::merge, {{"metadata", {{"finalizers", nullptr}}}}));
}

TEST_F(Apply, FindsTheVersionsOfAnOldServer) {
  const kube::Object scaler{
      .body = {{"apiVersion", "autoscaling/v2"},
               {"kind", "HorizontalPodAutoscaler"},
               {"metadata", {{"name", "api"}, {"namespace", name_space()}}},
               {"spec",
                {{"minReplicas", 1},
                 {"maxReplicas", 3},
                 {"scaleTargetRef", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "api"}}},
                 {"metrics",
                  {{{"type", "Resource"},
                    {"resource",
                     {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", 50}}}}}}}}}}}};
  const auto applied = admin().apply(scaler);
  ASSERT_TRUE(applied) << to_string(applied.error());
  const kube::Object budget{
      .body = {{"apiVersion", "policy/v1"},
               {"kind", "PodDisruptionBudget"},
               {"metadata", {{"name", "api"}, {"namespace", name_space()}}},
               {"spec", {{"maxUnavailable", 1}, {"selector", {{"matchLabels", {{"app", "api"}}}}}}}}};
  const auto second = admin().apply(budget);
  ASSERT_TRUE(second) << to_string(second.error());
}

TEST_F(Apply, CreateAndReplaceKeepFromOverwriting) {
  const auto object = config_map(name_space(), "lock", {{"holder", "a"}});
  const auto made = admin().create(object);
  ASSERT_TRUE(made) << to_string(made.error());
  const auto again = admin().create(object);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  auto newer = *made;
  newer.body["data"]["holder"] = "b";
  ASSERT_TRUE(admin().replace(newer));
  const auto stale = admin().replace(newer);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, ErrorCode::conflict);
}

TEST_F(Apply, AsALimitedUserSaysWhatIsMissing) {
  const auto limited = client_of("DEPLOYCTL_LAB_KUBECONFIG_LIMITED");
  ASSERT_TRUE(limited);
  ASSERT_TRUE(limited->apply(config_map(name_space(), "limited", {{"a", "1"}})));
  const auto removed = limited->remove({"v1", "Namespace", "", name_space()});
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::unauthorized);
  EXPECT_THAT(removed.error().message, HasSubstr(" may not delete namespaces"));
  EXPECT_TRUE(*limited->may("patch", kube::resource_of("Deployment"), name_space()));
  EXPECT_FALSE(*limited->may("delete", kube::resource_of("Node"), ""));
}

TEST_F(Apply, ToAServerThatIsNotThereSaysSoSoon) {
  auto connection = admin().connection();
  connection.server.port = 1;
  Client nobody(connection, transport_, clock_);
  const auto began = std::chrono::steady_clock::now();
  const auto version = nobody.server_version();
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, ErrorCode::unreachable);
  EXPECT_THAT(version.error().message,
              testing::StartsWith("cannot reach the cluster at https://127.0.0.1:1 (context "));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(15));
  EXPECT_TRUE(admin().server_version());
}

TEST_F(Apply, AWatchTellsWhatHappens) {
  std::vector<std::string> told;
  std::stop_source stop;
  WatchHandler handler;
  handler.on_list = [&](const std::vector<kube::Object>&) {
    told.push_back("list");
    ASSERT_TRUE(admin().apply(config_map(name_space(), "watched", {{"a", "1"}})));
    ASSERT_TRUE(admin().apply(config_map(name_space(), "watched", {{"a", "2"}})));
    ASSERT_TRUE(admin().remove({"v1", "ConfigMap", name_space(), "watched"}));
  };
  handler.on_event = [&](WatchEventType type, const kube::Object& object) {
    told.push_back(fmt::format("{} {}", static_cast<int>(type), to_string(object.key())));
    if (type == WatchEventType::deleted) {
      stop.request_stop();
    }
  };
  const auto end = watch(admin(),
                         {.resource = kube::resource_of("ConfigMap"),
                          .name_space = name_space(),
                          .field_selector = "metadata.name=watched"},
                         {}, handler, stop.get_token());
  EXPECT_EQ(end.code, ErrorCode::interrupted);
  EXPECT_THAT(told, testing::ElementsAre("list", "0 configmap/watched", "1 configmap/watched", "2 configmap/watched"));
}

}  // namespace
}  // namespace deployctl::cluster
