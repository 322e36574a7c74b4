// Saved plans: the file, what makes it another plan, and what has changed in the cluster since.
#include "core/plan/saved.hpp"

#include "core/base/text.hpp"
#include "core/plan/prune.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::plan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const kube::ObjectKey key{"apps/v1", "Deployment", "shop", "api"};

project::Target shop(int replicas) {
  project::Service api{.name = {"api", {}}, .image = {"r.example/api:1", {}}};
  api.replicas = replicas;
  project::Target target{.project = {"shop", {}}, .name_space = "shop"};
  target.services = {api};
  return target;
}

ExpectedField field(const std::string& name, const json::Value& before, const json::Value& after,
                    const std::string& manager = "") {
  ExpectedField field{.path = {"spec", name}, .before = before, .after = after, .manager = {}};
  if (!manager.empty()) {
    field.manager = kube::FieldManager{.name = manager, .time = "2026-11-28T02:00:00Z"};
  }
  return field;
}

// What the cluster was found to be, and the plan made from it.
struct Look {
  Observation seen;
  SavedPlan plan;
};

Look look(const std::vector<ExpectedField>& fields, int replicas = 1, const std::string& uid = "u1") {
  Look look{.seen = {.tag = "v1", .commit = "abc"}, .plan = {}};
  look.seen.images["api"] = "r.example/api:1@sha256:00";
  const auto change = uid.empty() ? Change::create : fields.empty() ? Change::none : Change::update;
  look.seen.expected[key] = {.change = change, .fields = fields, .uid = uid};
  const auto plan = release(shop(replicas), look.seen, {.rollout = true});
  EXPECT_TRUE(plan);
  look.plan = saved(*plan, look.seen, {.rollout = true});
  look.plan.created = "2026-11-28T01:00:00Z";
  look.plan.cluster = {"uid", {"sha256:aa"}};
  return look;
}

std::vector<std::string> lines(const std::vector<Drift>& drifts) {
  std::vector<std::string> lines;
  for (const auto& drift : drifts) {
    lines.push_back(drift.object + " " + drift.path + ": " + drift.words +
                    (drift.manager.empty() ? "" : " by " + drift.manager));
  }
  return lines;
}

TEST(SavedPlans, AreReadAsTheyWereWritten) {
  const auto plan = look({field("replicas", 2, 1, "kubectl")}).plan;
  const auto read = read_saved_plan(to_text(plan), "plan.json");
  ASSERT_TRUE(read) << base::to_string(read.error());
  EXPECT_EQ(*read, plan);
  EXPECT_EQ(digest_of(*read), digest_of(plan));
  EXPECT_THAT(to_text(plan), HasSubstr(digest_of(plan)));
}

TEST(SavedPlans, ThatWereChangedAreNotTaken) {
  const auto text = to_text(look({field("replicas", 2, 1)}).plan);
  const auto changed =
      read_saved_plan(base::replace_all(text, "r.example/api:1@sha256:00", "evil.example/api:1"), "plan.json");
  ASSERT_FALSE(changed);
  EXPECT_EQ(base::to_string(changed.error()),
            "plan.json is not what its digest says: it was changed after it was made");
  EXPECT_FALSE(read_saved_plan("{}", "plan.json"));
  EXPECT_FALSE(read_saved_plan("no JSON", "plan.json"));
  EXPECT_FALSE(read_saved_plan(base::replace_all(text, "deployctl-plan/1", "deployctl-plan/9"), "plan.json"));
}

TEST(SavedPlans, AreTheSameWhenNothingOfThemChanged) {
  EXPECT_TRUE(same_intent(look({}).plan, look({field("replicas", 5, 1)}).plan))
      << "what the cluster is, is another matter";
}

TEST(SavedPlans, AreOthersWhenTheWayOfACanaryIsAnother) {
  const auto with_first_step = [](int weight) {
    project::Canary canary;
    canary.steps = {{.weight = weight}};
    const Plan plan{.project = "shop",
                    .environment = {},
                    .name_space = "shop",
                    .steps = {{.id = "canary:api", .service = "api", .action = RunCanary{canary, {}}}},
                    .kept_secrets = {}};
    return saved(plan, {}, {.rollout = true});
  };
  EXPECT_TRUE(same_intent(with_first_step(5), with_first_step(5)));
  EXPECT_TRUE(drift(with_first_step(5), with_first_step(5), {}).empty());
  const auto other = same_intent(with_first_step(5), with_first_step(50));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("canary/api: spec.steps"));
}

TEST(SavedPlans, AreOthersWhenTheProjectIsAnother) {
  const auto other = same_intent(look({}, 1).plan, look({}, 3).plan);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, base::ErrorCode::refused);
  EXPECT_EQ(other.error().message,
            "this is no longer the plan that was saved: deployment/api: spec.replicas is 1 in the plan and 3 now");
}

TEST(SavedPlans, AreOthersWhenThereIsMoreOrLessToDo) {
  auto fewer = look({}).plan;
  const auto all = fewer;
  fewer.steps.pop_back();
  EXPECT_FALSE(same_intent(all, fewer));
  EXPECT_FALSE(same_intent(fewer, all));
}

TEST(SavedPlans, AreTheSameWhenWhatTheyDeleteIsGone) {
  const auto with_step = [](const std::vector<Step>& steps) {
    return saved({.project = "shop", .environment = {}, .name_space = "shop", .steps = steps, .kept_secrets = {}}, {},
                 {.rollout = true});
  };
  const auto deleting = with_step(prune_steps({key}));
  EXPECT_TRUE(same_intent(deleting, with_step({})));
  EXPECT_FALSE(same_intent(with_step({}), deleting));
}

TEST(SavedPlans, AreTheSameWhenTheirNamespaceIsThere) {
  const auto plan_when = [](bool is_there) {
    Observation seen{.tag = "v1", .commit = "abc"};
    seen.images["api"] = "r.example/api:1@sha256:00";
    seen.namespace_exists = is_there;
    const auto plan = release(shop(1), seen, {.rollout = true});
    EXPECT_TRUE(plan);
    return saved(*plan, seen, {.rollout = true});
  };
  EXPECT_TRUE(same_intent(plan_when(false), plan_when(true)));
  EXPECT_FALSE(same_intent(plan_when(true), plan_when(false)));
}

TEST(Drift, IsAFieldOfThePlanThatHasAnotherValueNow) {
  const auto drifts = [](const Look& before, const Look& now) { return lines(drift(before.plan, now.plan, now.seen)); };
  EXPECT_THAT(drifts(look({field("replicas", 2, 1)}), look({field("replicas", 2, 1)})), IsEmpty());
  EXPECT_THAT(drifts(look({field("replicas", 2, 1)}), look({field("replicas", 5, 1, "kubectl-edit")})),
              ElementsAre("deployment/api spec.replicas: was 2, is 5 now by kubectl-edit"));
  EXPECT_THAT(drifts(look({}), look({field("paused", true, false, "kubectl-edit")})),
              ElementsAre("deployment/api spec.paused: was false, is true now by kubectl-edit"))
      << "a field the plan sets and did not have to change";
  EXPECT_THAT(drifts(look({field("replicas", 2, 1)}), look({})), IsEmpty()) << "somebody did the same";
}

TEST(Drift, IsAnObjectThatCameWentOrWasMadeAnew) {
  const auto drifts = [](const Look& before, const Look& now) { return lines(drift(before.plan, now.plan, now.seen)); };
  const auto change = field("replicas", 2, 1);
  EXPECT_THAT(drifts(look({}, 1, ""), look({change})), ElementsAre("deployment/api : was not there, and is now"));
  EXPECT_THAT(drifts(look({}, 1, ""), look({})), IsEmpty()) << "as the plan makes it";
  EXPECT_THAT(drifts(look({change}), look({}, 1, "")), ElementsAre("deployment/api : was there, and is gone"));
  EXPECT_THAT(drifts(look({change}), look({change}, 1, "u2")), ElementsAre("deployment/api : was made anew since"));
}

TEST(Drift, IsOneRefusalThatNamesFieldManagerAndTime) {
  const auto error = to_error({{.object = "deployment/api",
                                .path = "spec.replicas",
                                .words = "was 2, is 5 now",
                                .manager = "kubectl-edit",
                                .time = "2026-11-28T02:00:00Z"}});
  EXPECT_EQ(base::exit_code(error.code), 7);
  EXPECT_THAT(error.message, AllOf(HasSubstr("deployment/api: spec.replicas was 2, is 5 now (by kubectl-edit at "
                                             "2026-11-28T02:00:00Z)")));
}

kube::Object object(const std::string& text) {
  auto value = json::parse(text, "an object");
  EXPECT_TRUE(value);
  return {value ? *value : json::Value()};
}

TEST(ExpectedChanges, SayWhyAndWhetherPodsAreReplaced) {
  const auto deployment = [](const std::string& image, int replicas) {
    return object(R"({"kind":"Deployment","metadata":{"uid":"u1"},"spec":{"replicas":)" + std::to_string(replicas) +
                  R"(,"template":{"spec":{"containers":[{"name":"api","image":")" + image + "\"}]}}}}");
  };
  const auto live = deployment("a:1", 2);
  const auto reason = [&](const kube::Object& applied) { return reason_for(key, expected_change(&live, applied)); };
  EXPECT_EQ(reason(deployment("a:2", 2)), "replaces the pods: image");
  EXPECT_EQ(reason(deployment("a:1", 3)), "scales from 2 to 3");
  EXPECT_EQ(reason(live), "");
  EXPECT_EQ(reason_for(key, expected_change(nullptr, live)), "new");
  EXPECT_TRUE(replaces_pods(key, expected_change(&live, deployment("a:2", 2))));
  EXPECT_FALSE(replaces_pods(key, expected_change(&live, deployment("a:1", 3))));
}

TEST(ExpectedChanges, NameTheVariableWhoseSecretIsAnother) {
  const auto deployment = [](const std::string& secret) {
    return object(R"({"kind":"Deployment","spec":{"template":{"spec":{"containers":[{"name":"api","env":[
      {"name":"PW","valueFrom":{"secretKeyRef":{"key":"PW","name":")" +
                  secret + R"("}}},{"name":"LOG","value":"info"}]}]}}}})");
  };
  const auto live = deployment("api-secrets-1f31c55c");
  EXPECT_EQ(reason_for(key, expected_change(&live, deployment("api-secrets-2a2b2c2d"))), "replaces the pods: env[PW]");
}

TEST(ExpectedChanges, TellWhoseValueIsTakenBack) {
  auto live =
      object(R"({"kind":"Deployment","metadata":{"managedFields":[{"manager":"kubectl-edit","operation":"Update",
    "time":"2026-11-28T02:00:00Z","fieldsV1":{"f:spec":{"f:paused":{}}}}]},"spec":{"paused":true}})");
  const auto wanted = object(R"({"kind":"Deployment","metadata":{},"spec":{"paused":false}})");
  const auto expected = expected_change(&live, wanted);
  EXPECT_EQ(reason_for(key, expected), "kubectl-edit has changed it: takes --take-over");
  EXPECT_EQ(expected.fields.front().manager->time, "2026-11-28T02:00:00Z");
  EXPECT_TRUE(needs_take_over(expected));
  EXPECT_FALSE(needs_take_over(expected_change(nullptr, wanted)));
}

TEST(ExpectedChanges, HideWhatASecretHolds) {
  const auto live = object(R"({"kind":"Secret","metadata":{},"data":{"A":"b2xk"}})");
  const auto wanted = object(R"({"kind":"Secret","metadata":{},"data":{"A":"bmV3"}})");
  const auto expected = expected_change(&live, wanted);
  ASSERT_EQ(expected.fields.size(), 1U);
  EXPECT_EQ(*expected.fields[0].before, "***");
  EXPECT_EQ(*expected.fields[0].after, "***");
}

}  // namespace
}  // namespace deployctl::plan
