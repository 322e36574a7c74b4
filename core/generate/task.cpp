#include "core/generate/task.hpp"

#include "core/base/text.hpp"
#include "core/generate/configmaps.hpp"
#include "core/generate/content_hash.hpp"
#include "core/generate/metadata.hpp"
#include "core/generate/pod.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::generate {
namespace {

using json::Value;

// Finished Jobs and their logs are kept for a week.
constexpr int seconds_kept = 7 * 24 * 3600;
// After its time is up, between SIGTERM and SIGKILL: nobody sends it requests that it would have to answer.
constexpr int grace_seconds = 5;

Value task_labels(const project::Target& target, const project::Service& service, const project::Task& task) {
  auto all = labels(target, service);
  const auto selected = selector(target, service);
  for (const auto& [name, value] : selected.items()) {
    all.erase(name);
  }
  all["app.kubernetes.io/component"] = "task";
  all[std::string(task_of_label)] = *service.name;
  all[std::string(task_label)] = task.name;
  return all;
}

// The service with another command, as far as a command that ends has use for it.
project::Service for_task(const project::Service& service, const project::Task& task) {
  auto bare = service;
  bare.command = task.command;
  if (!task.service_account.empty()) {
    bare.service_account = task.service_account;
  }
  bare.ports.clear();
  bare.service.reset();
  bare.ingress.reset();
  bare.health = {};
  bare.volumes.clear();
  bare.scale.reset();
  bare.replicas = 1;
  return bare;
}

Value task_template(const project::Target& target, const project::Service& service, const project::Task& task,
                    const ConfigMaps& maps, const KubernetesOptions& options) {
  auto pod = pod_template(target, for_task(service, task), maps, options);
  pod["metadata"]["labels"] = task_labels(target, service, task);
  auto& spec = pod["spec"];
  spec["restartPolicy"] = "Never";
  spec["terminationGracePeriodSeconds"] = grace_seconds;
  auto& container = spec["containers"][0];
  for (const auto* key : {"ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"}) {
    container.erase(key);  // known images have a port of their own
  }
  container["name"] = task.name;
  return pod;
}

std::string label_of(const kube::Object& object, std::string_view name) {
  return json::Reader(object.body).at("metadata", "labels", name).string_or();
}

}  // namespace

base::Result<kube::Object> task_job(const project::Target& target, const project::Service& service,
                                    const project::Task& task, const Inputs& inputs, const KubernetesOptions& options) {
  const auto maps = config_maps(target, service, inputs);
  if (!maps) {
    return maps.error();
  }
  auto body = object_of("batch/v1", "Job", target, service, *service.name + "-" + task.name);
  body["metadata"]["labels"] = task_labels(target, service, task);
  auto& spec = body["spec"];
  spec["backoffLimit"] = task.retries;
  spec["activeDeadlineSeconds"] = std::max<long long>(1, (task.timeout.count() + 999) / 1000);
  spec["ttlSecondsAfterFinished"] = seconds_kept;
  spec["template"] = task_template(target, service, task, *maps, options);
  return kube::Object{std::move(body)};
}

std::string task_run(const kube::Object& job) {
  return content_hash(json::to_canonical_text(job.body.at("spec").at("template")));
}

kube::Object task_attempt(const kube::Object& job, int attempt) {
  auto body = job.body;
  const auto run = task_run(job);
  const auto suffix = attempt > 1 ? fmt::format("-{}", attempt) : std::string();
  body["metadata"]["name"] = fmt::format("{}-{}{}", job.name(), run, suffix);
  for (auto* labels : {&body["metadata"]["labels"], &body["spec"]["template"]["metadata"]["labels"]}) {
    (*labels)[std::string(task_run_label)] = run;
    (*labels)[std::string(task_attempt_label)] = std::to_string(attempt);
  }
  return {std::move(body)};
}

std::string task_selector(const kube::Object& job) {
  std::vector<std::string> terms{fmt::format("{}={}", task_run_label, task_run(job))};
  for (const auto label : {std::string_view("app.kubernetes.io/part-of"), task_of_label, task_label}) {
    terms.push_back(fmt::format("{}={}", label, label_of(job, label)));
  }
  return base::join(terms, ",");
}

}  // namespace deployctl::generate
