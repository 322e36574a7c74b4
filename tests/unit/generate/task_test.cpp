#include "core/generate/task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::generate {
namespace {

project::Target shop() {
  project::Service api{.name = {"api", {}}, .build = project::Build{}, .image = {"example.com/shop/api", {}}};
  api.build->stack = project::Stack::go;
  api.ports = {{.name = "http", .number = 8080, .span = {}}};
  api.health.readiness = project::Probe{.path = "/ready", .port = "http"};
  api.env = {{"LOG_LEVEL", {"info", {}}}};
  api.secrets = {{.variable = "DB_PASSWORD", .source = {}, .span = {}}};
  api.volumes = {{.name = "data", .mount = "/data", .size = {}, .storage_class = {}, .span = {}}};
  api.replicas = 3;
  api.tasks = {{.name = "migrate", .command = {"migrate", "--all"}, .timeout = std::chrono::minutes(10), .retries = 2}};
  project::Target target{.project = {"shop", {}}, .name_space = "shop-prod"};
  target.services = {api};
  return target;
}

kube::Object job_of(const project::Target& target, const std::string& image) {
  const auto& service = target.services.front();
  const auto job = task_job(target, service, service.tasks.front(), {}, {.images = {{"api", image}}});
  EXPECT_TRUE(job);
  return *job;
}

TEST(Task, IsAJobThatIsTriedAsOftenAndAsLongAsItMay) {
  const auto job = job_of(shop(), "example.com/shop/api:v1@sha256:1");
  EXPECT_EQ(kube::to_string(job.key()), "job/api-migrate");
  EXPECT_EQ(job.name_space(), "shop-prod");
  const auto& spec = job.body["spec"];
  EXPECT_EQ(spec["backoffLimit"], 2);
  EXPECT_EQ(spec["activeDeadlineSeconds"], 600);
  EXPECT_EQ(spec["template"]["spec"]["restartPolicy"], "Never");
}

TEST(Task, IsEndedSoonAfterItsTime) {
  EXPECT_EQ(job_of(shop(), "example.com/shop/api:v1").body["spec"]["template"]["spec"]["terminationGracePeriodSeconds"],
            5);
}

TEST(Task, RunsTheServicesImageWithItsConfigurationAndAnotherCommand) {
  const auto job = job_of(shop(), "example.com/shop/api:v1@sha256:1");
  const auto& container = job.body["spec"]["template"]["spec"]["containers"][0];
  EXPECT_EQ(container["image"], "example.com/shop/api:v1@sha256:1");
  EXPECT_EQ(container["command"], json::Value({"/app", "migrate", "--all"}));
  EXPECT_TRUE(container.contains("envFrom"));
  EXPECT_EQ(container["env"][0]["name"], "DB_PASSWORD");
  for (const auto* key : {"ports", "readinessProbe", "livenessProbe", "startupProbe", "lifecycle"}) {
    EXPECT_FALSE(container.contains(key)) << key;
  }
  EXPECT_EQ(job.body.dump().find("persistentVolumeClaim"), std::string::npos);
}

TEST(Task, RunsAsTheServicesAccountOrItsOwn) {
  auto target = shop();
  const auto pod = [&] { return job_of(target, "example.com/shop/api:v1").body["spec"]["template"]["spec"]; };
  EXPECT_FALSE(pod().contains("serviceAccountName"));
  EXPECT_EQ(pod()["automountServiceAccountToken"], false);
  target.services[0].service_account = "api";
  EXPECT_EQ(pod()["serviceAccountName"], "api");
  EXPECT_EQ(pod()["automountServiceAccountToken"], true);
  target.services[0].tasks[0].service_account = "migrations";
  EXPECT_EQ(pod()["serviceAccountName"], "migrations");
}

TEST(Task, GetsNoRequestsOfTheService) {
  const auto target = shop();
  const auto job = job_of(target, "example.com/shop/api:v1");
  const auto& labels = job.body["spec"]["template"]["metadata"]["labels"];
  const auto selected = selector(target, target.services.front());
  for (const auto& [name, value] : selected.items()) {
    EXPECT_FALSE(labels.contains(name)) << name;
  }
}

TEST(Task, HasANameForWhatItRuns) {
  const auto first = task_attempt(job_of(shop(), "example.com/shop/api:v1@sha256:1"), 1);
  EXPECT_THAT(first.name(), testing::MatchesRegex("api-migrate-[0-9a-f]{8}"));
  EXPECT_EQ(task_attempt(job_of(shop(), "example.com/shop/api:v1@sha256:1"), 1), first);

  const auto other_image = task_attempt(job_of(shop(), "example.com/shop/api:v2@sha256:2"), 1);
  EXPECT_NE(other_image.name(), first.name());
  auto target = shop();
  target.services[0].env[0].second = {"debug", {}};
  EXPECT_NE(task_attempt(job_of(target, "example.com/shop/api:v1@sha256:1"), 1).name(), first.name());
}

TEST(Task, IsNoOtherRunWhenOnlyTheServicesPodsChange) {
  const auto before = task_run(job_of(shop(), "example.com/shop/api:v1@sha256:1"));
  auto target = shop();
  target.services[0].replicas = 5;
  target.services[0].tasks[0].timeout = std::chrono::hours(1);
  EXPECT_EQ(task_run(job_of(target, "example.com/shop/api:v1@sha256:1")), before);
}

TEST(Task, IsTriedAgainUnderAnotherNameInTheSameSelection) {
  const auto job = job_of(shop(), "example.com/shop/api:v1@sha256:1");
  const auto second = task_attempt(job, 2);
  EXPECT_EQ(second.name(), task_attempt(job, 1).name() + "-2");
  EXPECT_EQ(second.body["metadata"]["labels"]["deployctl.dev/task-attempt"], "2");
  EXPECT_EQ(task_selector(job),
            "deployctl.dev/task-run=" + task_run(job) +
                ",app.kubernetes.io/part-of=shop,deployctl.dev/task-of=api,deployctl.dev/task=migrate");
}

}  // namespace
}  // namespace deployctl::generate
