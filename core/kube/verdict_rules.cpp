// What is believed and when. The thresholds are meant to be slow enough for what mends itself (a pod that crashes once,
// a cache that is not yet filled, a node that cannot pull while others can) and no slower.
#include "core/kube/verdict.hpp"

#include <array>

namespace deployctl::kube::verdict {
namespace {

using std::chrono::seconds;

constexpr Threshold at_once{};
constexpr Threshold second_time{.attempts = 2, .after = seconds(0), .at_latest = {}};
constexpr Threshold third_time{.attempts = 3, .after = seconds(0), .at_latest = {}};
constexpr Threshold fourth_time{.attempts = 4, .after = seconds(0), .at_latest = {}};
constexpr Threshold second_pull{.attempts = 2, .after = seconds(0), .at_latest = seconds(60)};
// A crash is a loop after the third end, never ready in between, and not sooner than 15 seconds after the first start:
// kubelets may be set to back off for a second only, so that neither the number nor the time alone says enough.
constexpr Threshold crash_loop{.attempts = 3, .after = seconds(15), .at_latest = {}};

constexpr Threshold after(seconds wait) {
  return {.attempts = 1, .after = wait, .at_latest = {}};
}
constexpr Threshold second_time_or_after(seconds wait, seconds at_latest) {
  return {.attempts = 2, .after = wait, .at_latest = at_latest};
}

constexpr std::nullopt_t no = std::nullopt;
constexpr auto across = Counting::across_objects;
constexpr auto each = Counting::per_object;
constexpr auto one = Reach::one_pod;
constexpr auto every = Reach::every_pod;

// name, class, probable, permanent, counting, reach, advice
constexpr auto table = std::to_array<Rule>({
    {"superseded", Class::superseded, no, at_once, each, one,
     "look at who changed the deployment, then roll out again"},
    {"deployment-paused", Class::paused, no, at_once, each, one, "resume it: kubectl rollout resume deployment"},
    {"image-name-invalid", Class::image, no, at_once, each, one, "correct the image reference"},
    {"image-missing", Class::image, no, at_once, across, one,
     "the registry does not have it: check the image's name and tag, and push it"},
    {"image-forbidden", Class::image, no, at_once, across, one,
     "the registry refuses the pull secret: check its user, password and rights"},
    {"image-signature-invalid", Class::image, no, at_once, across, one,
     "the node's policy wants a signature that the image does not have: sign it, or change the policy"},
    {"must-not-run-as-root", Class::configuration, no, at_once, each, one,
     "give the image a numeric USER other than 0, or set runAsUser in the pod"},
    {"image-wrong-platform", Class::image, no, after(seconds(5)), across, one,
     "build the image for the platform of the nodes"},
    {"image-not-found", Class::image, no, second_pull, across, one,
     "check the image's name and tag, and that it has been pushed"},
    {"image-pull-denied", Class::image, no, second_pull, across, one,
     "check the pull secret: it must exist in this namespace and hold this registry's name"},
    {"image-registry-untrusted", Class::image, no, second_pull, across, one,
     "make the nodes trust the registry's certificate, or allow it as an insecure registry"},
    {"configuration-missing", Class::configuration, no, after(seconds(10)), each, one,
     "create the ConfigMap, Secret or key that the container names"},
    {"mount-object-missing", Class::configuration, no, after(seconds(20)), each, one,
     "create the ConfigMap, Secret or key that the volume names"},
    {"claim-missing", Class::volume, after(seconds(5)), after(seconds(20)), each, one,
     "create the PersistentVolumeClaim that the pod names"},
    {"claim-not-provisioned", Class::volume, no, after(seconds(15)), each, one,
     "check the storage class of the claim, and its provisioner"},
    {"claim-without-class", Class::volume, after(seconds(15)), after(seconds(60)), each, one,
     "name a storage class, set a default one, or make a PersistentVolume that fits"},
    {"command-cannot-start", Class::crash, second_time, second_time, each, one,
     "check that the command exists in the image, is executable, and was built for the node's platform"},
    {"namespace-terminating", Class::denied, no, after(seconds(2)), each, one,
     "the namespace is being deleted: wait until it is gone, then roll out again"},
    {"pods-refused", Class::denied, after(seconds(1)), second_time_or_after(seconds(2), seconds(10)), each, one,
     "change the pods so that the cluster's policy allows them, or the policy"},
    {"service-account-missing", Class::configuration, after(seconds(3)), after(seconds(10)), each, one,
     "create the service account that the pod names"},
    {"default-account-not-made", Class::configuration, after(seconds(20)), after(seconds(60)), each, one,
     "the cluster makes the service account 'default' of every namespace: look at kube-controller-manager"},
    {"quota-exceeded", Class::denied, after(seconds(5)), after(seconds(20)), each, one,
     "raise the quota, ask for less, or allow an old pod to go first (max_unavailable)"},
    {"out-of-memory", Class::crash, second_time, crash_loop, each, one,
     "raise the memory limit, or find out what takes the memory"},
    {"command-ends", Class::crash, second_time, crash_loop, each, one,
     "the command returns: a service must keep running in the foreground"},
    {"hook-fails", Class::crash, second_time, crash_loop, each, one,
     "the hook that runs when the container starts fails, which ends the container: mend or remove the hook"},
    {"startup-probe-fails", Class::probe, at_once, crash_loop, each, one,
     "give the container longer to start, or correct its startup probe"},
    {"probe-kills-container", Class::probe, second_time, crash_loop, each, one,
     "give the container longer to start, or correct its liveness probe"},
    {"container-aborts", Class::crash, second_time, crash_loop, each, one,
     "read its log; an illegal instruction means that it was built for another processor"},
    {"container-ends-abnormally", Class::crash, second_time, crash_loop, each, one,
     "read its log: 'exec format error' means that it was built for another processor"},
    {"container-crashes", Class::crash, second_time, crash_loop, each, one, "read what it printed before it ended"},
    {"container-killed", Class::crash, second_time, crash_loop, each, one,
     "look at the node's memory and at the container's probes"},
    {"container-unstable", Class::crash, fourth_time, no, each, one,
     "it runs for a while and then ends: read what it printed"},
    {"container-not-started", Class::crash, after(seconds(30)), no, each, one,
     "read the message of the container runtime"},
    {"container-not-created", Class::crash, second_time_or_after(seconds(15), seconds(30)), no, each, one,
     "check the command and the mounts of the container"},
    {"image-never-pulled", Class::image, after(seconds(10)), no, each, every,
     "the pull policy is Never: load the image on the nodes, or change the policy"},
    {"image-on-its-way", Class::image, after(seconds(60)), no, across, one,
     "the registry has it and the pull secret works: look at the registry the nodes use, a mirror or a replica"},
    {"image-registry-unreachable", Class::image, after(seconds(90)), no, across, one,
     "check the network from the nodes to the registry"},
    {"image-node-trouble", Class::node, after(seconds(60)), no, across, one, "check the disks of the nodes"},
    {"image-pull-fails", Class::image, after(seconds(60)), no, across, one,
     "read the message of the container runtime"},
    {"configuration-error", Class::configuration, after(seconds(30)), no, each, one,
     "read the message: the container's settings do not fit"},
    {"volume-in-use", Class::volume, after(seconds(60)), no, each, one,
     "the volume can be used by one node at a time and an old pod holds it: use 'strategy: recreate', or another "
     "access mode"},
    {"volume-not-mounted", Class::volume, after(seconds(120)), no, each, one,
     "read the message of the volume's driver"},
    {"sandbox-fails", Class::node, after(seconds(60)), no, across, one,
     "the pod gets no network or sandbox: look at the network plugin and at the container runtime of the node"},
    {"quota-exceeded-for-now", Class::denied, after(seconds(20)), no, each, one,
     "old pods are leaving and will make room"},
    {"quota-relieved", Class::denied, after(seconds(20)), no, each, one,
     "the controller tries again by itself, each time after about as long as it has tried in vain"},
    {"admission-unavailable", Class::denied, after(seconds(30)), no, each, one,
     "look at the admission webhook named in the message"},
    {"pods-not-created", Class::controller, after(seconds(30)), no, each, one, "read the message of the API server"},
    {"controller-not-acting", Class::controller, after(seconds(15)), no, each, one,
     "look at kube-controller-manager: it does not take up changes"},
    {"old-pods-ending", Class::node, after(seconds(60)), no, each, one,
     "look at what keeps the old pod: a program that does not heed SIGTERM has its terminationGracePeriodSeconds, a "
     "finalizer or a node that does not answer may hold it for ever"},
    {"unschedulable-no-scale-up", Class::unschedulable, no, after(seconds(30)), each, one,
     "ask for less, or add nodes: the autoscaler will not"},
    {"unschedulable", Class::unschedulable, after(seconds(30)), no, each, one,
     "ask for less, free capacity, or add a node that fits"},
    {"scheduler-error", Class::controller, after(seconds(30)), no, each, one, "read the scheduler's message"},
    {"scheduler-not-acting", Class::controller, after(seconds(20)), no, each, one,
     "look at kube-scheduler and at the pod's schedulerName"},
    {"unschedulable-preempting", Class::unschedulable, after(seconds(120)), no, each, one,
     "pods of lower priority are going to make room"},
    {"unschedulable-scaling-up", Class::unschedulable, after(seconds(600)), no, each, one,
     "the autoscaler is adding a node"},
    {"claim-unbound", Class::volume, after(seconds(30)), no, each, one,
     "look at the claim: kubectl describe pvc tells what it waits for"},
    {"claim-being-provisioned", Class::volume, after(seconds(120)), no, each, one,
     "the volume is being made: look at the provisioner of the storage class"},
    {"sidecar-not-started", Class::probe, at_once, no, each, one,
     "what comes after this container waits for it: check its startup probe and what it prints"},
    {"not-ready", Class::probe, at_once, no, each, one,
     "check the probe's path and port, and what the container prints"},
    {"no-progress", Class::controller, at_once, no, each, one,
     "the deployment has not come further within its progress deadline"},
    {"pods-lost", Class::node, third_time, no, across, one,
     "nodes reject or evict the pods: look at their pressure and capacity"},
    {"resize-infeasible", Class::unschedulable, after(seconds(10)), no, each, one,
     "the node can never give what the resized pod asks for: ask for less, or let it be made anew"},
    {"image-pull-limited", Class::image, no, no, across, one,
     "the registry limits pulls: wait, or pull with an account"},
    {"configuration-not-yet-read", Class::configuration, no, no, each, one,
     "the node has not read the ConfigMap or Secret yet"},
    {"container-name-reserved", Class::node, no, no, each, one, "the node still clears away the container before"},
    {"container-lost", Class::node, no, no, each, one,
     "the node has lost track of the container, which says nothing about the program"},
    {"scheduling-gated", Class::unschedulable, no, no, each, one, "a scheduling gate holds the pod back"},
    {"claim-waits-for-pod", Class::volume, no, no, each, one,
     "the volume is made once the pod has a node, as its storage class wants"},
    {"readiness-gate-unset", Class::probe, no, no, each, one,
     "something outside the pod has to say that it is ready, usually a load balancer's controller"},
    {"health-redirects", Class::probe, no, no, each, one,
     "the answer leads to another host, which counts as healthy unseen: name a path that answers itself"},
    {"pod-disrupted", Class::node, no, no, each, one, "the pod has to go and will be replaced"},
    {"node-not-ready", Class::node, no, no, each, one,
     "the pod's node does not answer; the pod moves on if it stays so"},
    {"init-running", Class::configuration, no, no, each, one, "what comes after this init container waits for it"},
    {"container-starting", Class::image, no, no, each, one, "the node is making the container"},
});

Threshold lasting(const Rule& rule, Moment wait) {
  const auto& usual = rule.permanent ? rule.permanent : rule.probable;
  const bool counts = usual && !usual->at_latest;
  return {.attempts = counts ? usual->attempts : 1, .after = wait, .at_latest = {}};
}

}  // namespace

std::vector<Rule> rules_with(const Patience& patience) {
  std::vector<Rule> rules(table.begin(), table.end());
  for (auto& rule : rules) {
    const auto given = patience.find(std::string(rule.name));
    if (given == patience.end()) {
      continue;
    }
    if (given->second) {
      rule.permanent = lasting(rule, *given->second);
    } else {
      rule.probable = rule.probable ? rule.probable : rule.permanent;
      rule.permanent.reset();
    }
  }
  return rules;
}

std::span<const Rule> default_rules() {
  return table;
}

std::string_view to_string(Class of_rule) {
  switch (of_rule) {
    case Class::image:
      return "image";
    case Class::configuration:
      return "configuration";
    case Class::crash:
      return "crash";
    case Class::probe:
      return "probe";
    case Class::unschedulable:
      return "unschedulable";
    case Class::volume:
      return "volume";
    case Class::denied:
      return "denied";
    case Class::node:
      return "node";
    case Class::controller:
      return "controller";
    case Class::paused:
      return "paused";
    case Class::superseded:
      return "superseded";
  }
  return "";
}

}  // namespace deployctl::kube::verdict
