#include "tests/lab_tests/cluster/lab.hpp"

#include <cstdlib>
#include <unistd.h>

namespace deployctl::cluster {

CountingTransport LabTest::transport_;
platform::PosixFileSystem LabTest::files_;
platform::PosixEnvironment LabTest::environment_;
platform::PosixProcessRunner LabTest::processes_;
platform::SystemClock LabTest::clock_;
std::unique_ptr<Client> LabTest::admin_;
std::string LabTest::name_space_;

std::unique_ptr<Client> LabTest::client_of(const char* variable) {
  auto made = connect({.kubeconfig = environment_.get_or(variable, "")},
                      {transport_, files_, environment_, processes_, clock_});
  EXPECT_TRUE(made) << to_string(made.error());
  return made ? std::move(*made) : nullptr;
}

void LabTest::SetUpTestSuite() {
  if (std::getenv("DEPLOYCTL_LAB_REGISTRY") == nullptr) {
    return;
  }
  admin_ = client_of("KUBECONFIG");
  static int suites = 0;
  name_space_ = fmt::format("cluster-test-{}-{}", getpid(), ++suites);
  const auto made =
      admin_->apply({.body = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name_space_}}}}});
  ASSERT_TRUE(made) << to_string(made.error());
}

void LabTest::TearDownTestSuite() {
  if (admin_) {
    EXPECT_TRUE(admin_->remove({"v1", "Namespace", "", name_space_}));
    admin_.reset();
  }
}

void LabTest::SetUp() {
  if (!admin_) {
    GTEST_SKIP() << "the lab's environment is not set";
  }
}

RolloutRun LabTest::roll_out(Client& client, const kube::Object& object, std::chrono::seconds limit) {
  RolloutRun run;
  const auto requests_before = transport_.count();
  const auto began = std::chrono::steady_clock::now();
  RolloutWatch watch(client, object.name_space());
  const auto applied = client.apply(object, {.force = Force::yes});
  EXPECT_TRUE(applied) << to_string(applied.error());
  if (!applied) {
    return run;
  }
  watch.follow(target_of("test", applied->object));
  RolloutObserver observer;
  observer.on_finding = [&](const std::string&, const ExplainedFinding& explained) {
    const auto& finding = explained.finding;
    run.findings.push_back(fmt::format("{} {} {}", kube::verdict::to_string(finding.weight), finding.rule,
                                       finding.object.substr(0, finding.object.find('/'))));
    RecordProperty(finding.rule, finding.message);
    run.log = explained.log;
  };
  const auto outcomes = watch.wait(began + limit, observer, {});
  EXPECT_TRUE(outcomes) << to_string(outcomes.error());
  if (outcomes && !outcomes->empty()) {
    run.outcome = outcomes->front();
  }
  run.requests = transport_.count() - requests_before;
  run.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  return run;
}

void LabTest::wait_until_refused(const kube::Object& pod) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (admin().apply(pod, {.dry_run = DryRun::yes, .known_version = ""})) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the server still takes pod/" << pod.name();
  }
}

void LabTest::write_as(std::string_view manager, const kube::Object& object) {
  const auto resource = *kube::find_resource(object.api_version(), object.kind());
  const auto response = admin().api().send({.method = "PATCH",
                                            .path = kube::object_path(resource, object.name_space(), object.name()),
                                            .query = {{"fieldManager", std::string(manager)}, {"force", "true"}},
                                            .content_type = "application/apply-patch+yaml",
                                            .body = json::to_compact_text(object.body),
                                            .operation = {.verb = "apply", .object = object.name()},
                                            .timeouts = writing_timeouts()},
                                           {});
  ASSERT_TRUE(response) << to_string(response.error());
}

kube::Object deployment(std::string_view name_space, std::string_view name, std::string_view script,
                        const json::Value& shape) {
  json::Value spec = {
      {"replicas", 1},
      {"selector", {{"matchLabels", {{"app", name}}}}},
      {"template",
       {{"metadata", {{"labels", {{"app", name}}}}},
        {"spec",
         {{"terminationGracePeriodSeconds", 1},
          {"containers",
           {{{"name", "main"}, {"image", "busybox:1.36"}, {"command", {"sh", "-c", std::string(script)}}}}}}}}}};
  spec.merge_patch(shape);
  return {.body = {{"apiVersion", "apps/v1"},
                   {"kind", "Deployment"},
                   {"metadata", {{"name", name}, {"namespace", name_space}}},
                   {"spec", std::move(spec)}}};
}

kube::Object pod_of(const kube::Object& deployment) {
  return {.body = {{"apiVersion", "v1"},
                   {"kind", "Pod"},
                   {"metadata", {{"name", deployment.name()}, {"namespace", deployment.name_space()}}},
                   {"spec", deployment.body.at("spec").at("template").at("spec")}}};
}

kube::Object config_map(std::string_view name_space, std::string_view name, const json::Value& data) {
  return {.body = {{"apiVersion", "v1"},
                   {"kind", "ConfigMap"},
                   {"metadata", {{"name", name}, {"namespace", name_space}}},
                   {"data", data}}};
}

}  // namespace deployctl::cluster
