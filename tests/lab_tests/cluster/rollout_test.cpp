// Rollouts of real pods: those that come to their end, and those that cannot.
#include "core/cluster/log_follow.hpp"
#include "core/json/reader.hpp"
#include "core/kube/history.hpp"
#include "tests/lab_tests/cluster/lab.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace deployctl::cluster {
namespace {

using kube::RolloutResult;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class Rollout : public LabTest {};

constexpr std::string_view serving = "echo up; trap 'exit 0' TERM; while true; do sleep 0.1; done";

json::Value with_image(std::string_view image) {
  return {{"template",
           {{"spec", {{"containers", {{{"name", "main"}, {"image", std::string(image)}, {"command", {"true"}}}}}}}}}};
}

json::Value with_container(const json::Value& more) {
  json::Value container = {
      {"name", "main"}, {"image", "busybox:1.36"}, {"command", {"sh", "-c", std::string(serving)}}};
  container.merge_patch(more);
  return {{"template", {{"spec", {{"containers", {container}}}}}}};
}

// A busy kubelet may say of any pod that it has not read its configuration yet, or take long to start it, which passes.
std::vector<std::string> without_the_node_being_busy(std::vector<std::string> findings) {
  std::erase(findings, "waiting configuration-not-yet-read pod");
  std::erase(findings, "waiting container-starting pod");
  return findings;
}

TEST_F(Rollout, IsDoneWithFewRequests) {
  const auto run = roll_out(admin(), deployment(name_space(), "good", serving, {{"replicas", 2}}), seconds(60));
  EXPECT_EQ(run.outcome.result, RolloutResult::done) << run.outcome.status.summary;
  EXPECT_THAT(without_the_node_being_busy(run.findings), IsEmpty());
  EXPECT_LE(run.requests, 6) << "four watches, a look before and the apply";
  const auto again = roll_out(admin(), deployment(name_space(), "good", serving, {{"replicas", 2}}), seconds(20));
  EXPECT_EQ(again.outcome.result, RolloutResult::done);
  EXPECT_LT(again.elapsed, seconds(3)) << "nothing was to do";
}

TEST_F(Rollout, OfANewVersionReplacesTheOldPods) {
  ASSERT_EQ(roll_out(admin(), deployment(name_space(), "next", serving), seconds(60)).outcome.result,
            RolloutResult::done);
  const auto run =
      roll_out(admin(), deployment(name_space(), "next", std::string("true; ") + std::string(serving)), seconds(60));
  EXPECT_EQ(run.outcome.result, RolloutResult::done) << run.outcome.status.summary;
  EXPECT_EQ(run.outcome.status.old, 0);
}

TEST_F(Rollout, OfAWrongTagNamesTheImage) {
  const auto run = roll_out(
      admin(), deployment(name_space(), "wrong-tag", "", with_image("127.0.0.1:5000/no/such:tag")), seconds(60));
  EXPECT_EQ(run.outcome.result, RolloutResult::failed) << run.outcome.status.summary;
  EXPECT_THAT(without_the_node_being_busy(run.findings),
              ElementsAre("waiting image-not-found pod", "permanent image-not-found pod"));
  EXPECT_LT(run.elapsed, seconds(25));
}

TEST_F(Rollout, OfANameThatIsNoReferenceFailsAtOnce) {
  const auto run =
      roll_out(admin(), deployment(name_space(), "bad-name", "", with_image("UPPER CASE:::")), seconds(60));
  EXPECT_EQ(run.outcome.result, RolloutResult::failed);
  EXPECT_THAT(run.findings, Contains("permanent image-name-invalid pod"));
  EXPECT_LT(run.elapsed, seconds(10));
}

TEST_F(Rollout, OfACrashingContainerShowsItsLog) {
  const auto run =
      roll_out(admin(), deployment(name_space(), "crash", "echo cannot reach the database; exit 3"), seconds(90));
  EXPECT_EQ(run.outcome.result, RolloutResult::failed) << run.outcome.status.summary;
  EXPECT_THAT(run.findings, Contains("permanent container-crashes pod"));
  EXPECT_THAT(run.log, ElementsAre("cannot reach the database"));
}

TEST_F(Rollout, OfAMissingCommandSaysItCannotStart) {
  const auto run =
      roll_out(admin(), deployment(name_space(), "no-command", "", with_container({{"command", {"/no/such/program"}}})),
               seconds(60));
  EXPECT_EQ(run.outcome.result, RolloutResult::failed) << run.outcome.status.summary;
  EXPECT_THAT(run.findings, Contains("permanent command-cannot-start pod"));
}

TEST_F(Rollout, WithoutItsConfigMapSaysWhich) {
  const json::Value from = {{{"configMapRef", {{"name", "not-there"}}}}};
  const auto run =
      roll_out(admin(), deployment(name_space(), "no-config", "", with_container({{"envFrom", from}})), seconds(60));
  EXPECT_EQ(run.outcome.result, RolloutResult::failed) << run.outcome.status.summary;
  EXPECT_THAT(without_the_node_being_busy(run.findings),
              ElementsAre("waiting configuration-missing pod", "permanent configuration-missing pod"));
  ASSERT_FALSE(run.outcome.findings.empty());
  EXPECT_EQ(run.outcome.findings[0].message, "configmap \"not-there\" not found");
}

TEST_F(Rollout, BeyondTheQuotaSaysSo) {
  const auto place = name_space() + "-quota";
  ASSERT_TRUE(admin().apply({.body = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", place}}}}}));
  ASSERT_TRUE(admin().apply({.body = {{"apiVersion", "v1"},
                                      {"kind", "ResourceQuota"},
                                      {"metadata", {{"name", "small"}, {"namespace", place}}},
                                      {"spec", {{"hard", {{"pods", "0"}}}}}}}));
  const auto many = deployment(place, "many", serving);
  wait_until_refused(pod_of(many));
  const auto run = roll_out(admin(), many, seconds(60));
  EXPECT_EQ(run.outcome.result, RolloutResult::failed) << run.outcome.status.summary;
  EXPECT_THAT(without_the_node_being_busy(run.findings),
              ElementsAre("waiting quota-exceeded replicaset", "probable quota-exceeded replicaset",
                          "permanent quota-exceeded replicaset"));
  EXPECT_TRUE(admin().remove({"v1", "Namespace", "", place}));
}

TEST_F(Rollout, ThatFitsNoNodeIsUndecidedWithItsCause) {
  const auto run = roll_out(
      admin(), deployment(name_space(), "huge", "", with_container({{"resources", {{"requests", {{"cpu", "1000"}}}}}})),
      seconds(3));
  EXPECT_EQ(run.outcome.result, RolloutResult::undecided);
  ASSERT_EQ(run.outcome.findings.size(), 1U);
  EXPECT_EQ(run.outcome.findings[0].rule, "unschedulable");
}

TEST_F(Rollout, ThatNeverGetsReadyIsUndecidedWithTheProbe) {
  const json::Value probe = {{"exec", {{"command", {"false"}}}}, {"periodSeconds", 1}, {"failureThreshold", 1}};
  const auto run = roll_out(
      admin(), deployment(name_space(), "not-ready", "", with_container({{"readinessProbe", probe}})), seconds(15));
  EXPECT_EQ(run.outcome.result, RolloutResult::undecided);
  EXPECT_THAT(run.findings, Contains("probable not-ready pod"));
}

TEST_F(Rollout, AsALimitedUserWorksToo) {
  const auto limited = client_of("DEPLOYCTL_LAB_KUBECONFIG_LIMITED");
  ASSERT_TRUE(limited);
  const auto run = roll_out(*limited, deployment(name_space(), "limited", serving), seconds(60));
  EXPECT_EQ(run.outcome.result, RolloutResult::done) << run.outcome.status.summary;
}

TEST_F(Rollout, ARestartIsARolloutOfTheSameTemplate) {
  const auto object = deployment(name_space(), "restarted", serving);
  ASSERT_EQ(roll_out(admin(), object, seconds(60)).outcome.result, RolloutResult::done);
  const auto patched =
      admin().patch(object.key(), PatchType::strategic_merge, kube::restart_patch("2026-01-01T00:00:00Z"));
  ASSERT_TRUE(patched) << to_string(patched.error());
  RolloutWatch watch(admin(), name_space());
  watch.follow(target_of("restarted", *patched));
  const auto outcomes = watch.wait(std::chrono::steady_clock::now() + seconds(60), {}, {});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ(outcomes->front().result, RolloutResult::done);
  EXPECT_EQ(admin().apply(object)->change, Change::unchanged) << "the annotation is not ours to take away";
}

TEST_F(Rollout, LogsAreFollowedToTheEnd) {
  ASSERT_TRUE(admin().apply(
      {.body = {{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata", {{"name", "talker"}, {"namespace", name_space()}}},
                {"spec",
                 {{"restartPolicy", "Never"},
                  {"containers",
                   {{{"name", "main"},
                     {"image", "busybox:1.36"},
                     {"command", {"sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.3; done"}}}}}}}}}));
  std::vector<std::string> lines;
  const auto end = follow_log(admin(), {.name_space = name_space(), .pod = "talker", .container = "main"},
                              [&](std::string_view line) { lines.emplace_back(line); }, {});
  EXPECT_TRUE(end) << to_string(end.error());
  EXPECT_THAT(lines, ElementsAre("line 1", "line 2", "line 3"));
  EXPECT_EQ(*admin().logs({.name_space = name_space(), .pod = "talker", .tail_lines = 1}), "line 3\n");
}

}  // namespace
}  // namespace deployctl::cluster
