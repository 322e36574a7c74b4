// What a real kubelet, scheduler and controller make of everything that can be wrong with a Deployment: all of it at
// once, in one namespace, followed by one watch.
#include "core/base/duration.hpp"
#include "core/json/reader.hpp"
#include "tests/lab_tests/cluster/lab.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <optional>

namespace deployctl::cluster {
namespace {

using kube::RolloutResult;
using kube::verdict::Weight;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::string_view serving = "trap 'exit 0' TERM; while true; do sleep 0.1; done";
constexpr auto limit = seconds(150);

struct Row {
  std::string name;
  std::string rule;    // the finding that must come; empty: none that is more than waiting
  std::string or_too;  // what is told in its place while the node is behind with what it tells
  Weight weight = Weight::permanent;
  std::optional<seconds> within;  // after the finding was first seen; measured on an idle node it is the rule's grace
  std::optional<RolloutResult> result = RolloutResult::failed;  // nothing: both may be
  std::string script = std::string(serving);
  json::Value container = json::Value::object();  // merged into the container
  json::Value pod = json::Value::object();        // merged into the pod's spec
  json::Value spec = json::Value::object();       // merged into the Deployment's
};

json::Value http_probe(std::string_view path, int port, int threshold = 2) {
  return {{"httpGet", {{"path", path}, {"port", port}}}, {"periodSeconds", 1}, {"failureThreshold", threshold}};
}
json::Value exec_probe(std::string_view command, int threshold = 2) {
  return {{"exec", {{"command", {command}}}}, {"periodSeconds", 1}, {"failureThreshold", threshold}};
}
json::Value volume(const json::Value& source) {
  json::Value of = {{"name", "v"}};
  of.merge_patch(source);
  return {{"volumes", {of}}};
}
const json::Value mounted = {{"volumeMounts", {{{"name", "v"}, {"mountPath", "/v"}}}}};

constexpr std::string_view redirecting =
    "while true; do printf 'HTTP/1.1 302 Found\\r\\nLocation: http://login.example.com/\\r\\nContent-Length: "
    "0\\r\\n\\r\\n' "
    "| nc -l -p 8080; done";

std::vector<Row> rows() {
  const auto undecided = RolloutResult::undecided;
  const auto done = RolloutResult::done;
  const json::Value nothing = json::Value::object();
  return {
      {.name = "wrong-tag", .rule = "image-not-found", .container = {{"image", "127.0.0.1:5000/no/such:tag"}}},
      {.name = "bad-name",
       .rule = "image-name-invalid",
       .within = seconds(1),
       .container = {{"image", "UPPER CASE:::"}}},
      {.name = "never-pulled",
       .rule = "image-never-pulled",
       .weight = Weight::probable,
       .within = seconds(11),
       .result = undecided,
       .container = {{"image", "not/here:1"}, {"imagePullPolicy", "Never"}}},
      {.name = "crash", .rule = "container-crashes", .script = "echo no database; exit 3"},
      {.name = "exit-zero", .rule = "command-ends", .script = "echo all done"},
      {.name = "exit-127", .rule = "command-cannot-start", .script = "no-such-program"},
      // Kubernetes reads "$$" as "$".
      {.name = "segfault", .rule = "container-aborts", .script = "sh -c 'kill -SEGV $$$$'; exit $?"},
      {.name = "bad-command", .rule = "command-cannot-start", .container = {{"command", {"/no/such/program"}}}},
      {.name = "oom",
       .rule = "out-of-memory",
       .or_too = "container-killed",  // when the runtime misses who has killed it
       .script = "tail /dev/zero",
       .container = {{"resources", {{"limits", {{"memory", "16Mi"}}}}}}},
      {.name = "secret-missing",
       .rule = "configuration-missing",
       .within = seconds(11),
       .container = {{"envFrom", {{{"secretRef", {{"name", "not-there"}}}}}}}},
      {.name = "key-missing",
       .rule = "configuration-missing",
       .within = seconds(11),
       .container = {{"env",
                      {{{"name", "A"},
                        {"valueFrom", {{"configMapKeyRef", {{"name", "settings"}, {"key", "absent"}}}}}}}}}},
      {.name = "root",
       .rule = "must-not-run-as-root",
       .within = seconds(1),
       .container = {{"securityContext", {{"runAsNonRoot", true}}}}},
      {.name = "mount-missing",
       .rule = "mount-object-missing",
       .within = seconds(21),
       .container = mounted,
       .pod = volume({{"secret", {{"secretName", "not-there"}}}})},
      {.name = "claim-missing",
       .rule = "claim-missing",
       .within = seconds(21),
       .container = mounted,
       .pod = volume({{"persistentVolumeClaim", {{"claimName", "not-there"}}}})},
      {.name = "claim-unbound",
       .rule = "claim-without-class",
       .within = seconds(61),
       .container = mounted,
       .pod = volume({{"persistentVolumeClaim", {{"claimName", "without-class"}}}})},
      {.name = "readiness-exec",
       .rule = "not-ready",
       .weight = Weight::probable,
       .result = undecided,
       .container = {{"readinessProbe", exec_probe("false")}}},
      {.name = "readiness-refused",
       .rule = "not-ready",
       .weight = Weight::probable,
       .result = undecided,
       .container = {{"readinessProbe", http_probe("/", 8080)}}},
      {.name = "readiness-404",
       .rule = "not-ready",
       .weight = Weight::probable,
       .result = undecided,
       .script = "exec httpd -f -p 8080 -h /tmp",
       .container = {{"readinessProbe", http_probe("/health", 8080)}}},
      {.name = "liveness",
       .rule = "probe-kills-container",
       .or_too = "command-ends",
       .weight = Weight::probable,
       .result = {},
       .container = {{"livenessProbe", exec_probe("false")}, {"readinessProbe", exec_probe("false")}}},
      {.name = "startup",
       .rule = "startup-probe-fails",
       .or_too = "command-ends",
       .weight = Weight::probable,
       .result = {},
       .container = {{"startupProbe", exec_probe("false", 4)}}},
      {.name = "redirect",
       .rule = "health-redirects",
       .weight = Weight::waiting,
       .result = undecided,
       .script = std::string(redirecting),
       .container = {{"livenessProbe", http_probe("/", 8080, 50)},
                     {"readinessProbe", {{"exec", {{"command", {"false"}}}}, {"initialDelaySeconds", 300}}}}},
      {.name = "hook",
       .rule = "hook-fails",
       .or_too = "command-ends",
       .weight = Weight::probable,
       .result = {},
       .container = {{"lifecycle", {{"postStart", {{"exec", {{"command", {"false"}}}}}}}}}},
      {.name = "init-fails",
       .rule = "container-crashes",
       .pod =
           {{"initContainers",
             {{{"name", "migrate"}, {"image", "busybox:1.36"}, {"command", {"sh", "-c", "echo no table; exit 1"}}}}}}},
      {.name = "init-long",
       .rule = "init-running",
       .weight = Weight::waiting,
       .result = undecided,
       .pod = {{"initContainers", {{{"name", "wait"}, {"image", "busybox:1.36"}, {"command", {"sleep", "600"}}}}}}},
      {.name = "quota",
       .rule = "quota-exceeded",
       .within = seconds(21),
       .container = {{"resources", {{"limits", {{"example.com/gpu", "1"}}}}}}},
      {.name = "limit-range",
       .rule = "pods-refused",
       .within = seconds(11),
       .container = {{"resources", {{"limits", {{"memory", "8Gi"}}}}}}},
      {.name = "priority", .rule = "pods-refused", .within = seconds(11), .pod = {{"priorityClassName", "not-there"}}},
      {.name = "account",
       .rule = "service-account-missing",
       .within = seconds(11),
       .pod = {{"serviceAccountName", "not-there"}}},
      {.name = "huge",
       .rule = "unschedulable",
       .weight = Weight::probable,
       .within = seconds(31),
       .result = undecided,
       .container = {{"resources", {{"requests", {{"cpu", "1000"}}}}}}},
      {.name = "no-scheduler",
       .rule = "scheduler-not-acting",
       .weight = Weight::probable,
       .within = seconds(21),
       .result = undecided,
       .pod = {{"schedulerName", "nobody"}}},
      {.name = "paused", .rule = "deployment-paused", .within = seconds(1), .spec = {{"paused", true}}},
      // The benign twins.
      {.name = "good", .result = done},
      {.name = "crashes-once",
       .result = done,
       .script = "if [ -e /v/again ]; then exec sleep 600; fi; touch /v/again; exit 1",
       .container = mounted,
       .pod = volume({{"emptyDir", nothing}})},
      {.name = "slow",
       .result = done,
       .script = "sleep 8; touch /tmp/up; exec sleep 600",
       .container = {{"readinessProbe",
                      {{"exec", {{"command", {"cat", "/tmp/up"}}}}, {"periodSeconds", 1}, {"failureThreshold", 20}}}}},
  };
}

kube::Object deployment_of(const Row& row, std::string_view name_space) {
  auto object = deployment(name_space, row.name, row.script, row.spec);
  auto& pod = object.body["spec"]["template"]["spec"];
  pod["containers"][0].merge_patch(row.container);
  pod.merge_patch(row.pod);
  return object;
}

struct Seen {
  std::map<std::string, Weight> weights;     // by rule
  std::map<std::string, milliseconds> ages;  // of the rule when it had that weight
  std::vector<std::string> log;
  RolloutResult result = RolloutResult::interrupted;

  [[nodiscard]] const std::string& stronger(const std::string& rule, const std::string& other) const {
    const auto of_rule = weights.find(rule);
    const auto of_other = weights.find(other);
    const bool is_other = of_other != weights.end() && (of_rule == weights.end() || of_rule->second < of_other->second);
    return is_other ? other : rule;
  }
};

class Verdicts : public LabTest {
 protected:
  static void prepare() {
    const std::vector<json::Value> objects = {
        {{"apiVersion", "v1"},
         {"kind", "ConfigMap"},
         {"metadata", {{"name", "settings"}}},
         {"data", {{"present", "1"}}}},
        {{"apiVersion", "v1"},
         {"kind", "PersistentVolumeClaim"},
         {"metadata", {{"name", "without-class"}}},
         {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}},
        {{"apiVersion", "v1"},
         {"kind", "ResourceQuota"},
         {"metadata", {{"name", "no-gpu"}}},
         {"spec", {{"hard", {{"requests.example.com/gpu", "0"}}}}}},
        {{"apiVersion", "v1"},
         {"kind", "LimitRange"},
         {"metadata", {{"name", "small"}}},
         {"spec",
          {{"limits",
            {{{"type", "Container"},
              {"max", {{"memory", "4Gi"}}},
              {"default", {{"memory", "256Mi"}}},
              {"defaultRequest", {{"memory", "1Mi"}}}}}}}}}};
    for (auto object : objects) {
      object["metadata"]["namespace"] = name_space();
      const auto applied = admin().apply({.body = object});
      ASSERT_TRUE(applied) << to_string(applied.error());
    }
  }

  static std::map<std::string, Seen> follow_all(const std::vector<Row>& rows, int& requests) {
    std::map<std::string, Seen> seen;
    RolloutWatch watch(admin(), name_space());
    for (const auto& row : rows) {
      const auto applied = admin().apply(deployment_of(row, name_space()), {.known_version = ""});
      EXPECT_TRUE(applied) << row.name << ": " << to_string(applied.error());
      if (applied) {
        watch.follow(target_of(row.name, applied->object));
      }
    }
    const auto before = transport_.count();
    RolloutObserver observer;
    observer.on_finding = [&](const std::string& service, const ExplainedFinding& explained) {
      auto& of = seen[service];
      const auto& finding = explained.finding;
      of.weights[finding.rule] = finding.weight;
      of.ages[finding.rule] = explained.seen_for;
      of.log = explained.log.empty() ? explained.previous_log : explained.log;
      std::cout << fmt::format("{:18} {:9} {:22} {:>7} {}: {}\n", service, to_string(finding.weight), finding.rule,
                               base::to_string(explained.seen_for), finding.reason, finding.message.substr(0, 90));
    };
    observer.on_outcome = [&](const kube::RolloutOutcome& outcome) { seen[outcome.service].result = outcome.result; };
    const auto outcomes = watch.wait(steady_clock::now() + limit, observer, {});
    EXPECT_TRUE(outcomes);
    requests = transport_.count() - before;
    return seen;
  }
};

TEST_F(Verdicts, OfEverythingAtOnce) {
  prepare();
  const auto all = rows();
  for (const std::string_view refused : {"quota", "limit-range"}) {
    const auto row = std::find_if(all.begin(), all.end(), [&](const Row& each) { return each.name == refused; });
    wait_until_refused(pod_of(deployment_of(*row, name_space())));
  }
  int requests = 0;
  auto seen = follow_all(all, requests);
  std::cout << requests << " requests while waiting\n";
  for (const auto& row : all) {
    const auto& of = seen[row.name];
    if (row.result) {
      EXPECT_EQ(of.result, *row.result) << row.name << " is " << to_string(of.result);
    }
    if (row.rule.empty()) {
      continue;
    }
    const auto& rule = of.stronger(row.rule, row.or_too);
    if (!of.weights.contains(rule)) {
      ADD_FAILURE() << row.name << " never showed " << row.rule;
      continue;
    }
    EXPECT_GE(of.weights.at(rule), row.weight) << row.name;
    if (row.within) {
      EXPECT_LE(of.ages.at(rule), *row.within) << row.name;
    }
  }
  EXPECT_THAT(seen["crash"].log, testing::ElementsAre("no database"));
  EXPECT_THAT(seen["init-fails"].log, testing::ElementsAre("no table"));
}

}  // namespace
}  // namespace deployctl::cluster
