// How a pod stops decides whether a rolling update loses requests. Kubernetes removes a pod from its Services and sends
// it SIGTERM at the same time, and the removal takes a moment to reach every node: a program that exits at once is
// still being sent connections. The preStop hook holds SIGTERM back for `drain_seconds`, in which the program serves
// on. The program that waits is in every image whose Dockerfile is ours (docs/decisions/0004-drain-before-stop.md).
#include "core/generate/pod.hpp"

#include "core/base/text.hpp"
#include "core/generate/backing.hpp"
#include "core/generate/dockerfile.hpp"
#include "core/generate/metadata.hpp"
#include "core/json/object.hpp"
#include "core/kube/labels.hpp"

#include <algorithm>

namespace deployctl::generate {
namespace {

using json::Value;

constexpr int drain_seconds = 5;
constexpr int termination_grace_seconds = 45;  // the drain, then time for requests that are under way
constexpr int startup_period_seconds = 2;
constexpr int startup_failures = 60;
constexpr std::string_view temporary_volume = "tmp-dir";
constexpr std::string_view files_volume = "config-files";
constexpr std::string_view temporary_folder = "/tmp";

int whole_seconds(base::Milliseconds duration, int least) {
  return std::max(least, static_cast<int>((duration.count() + 999) / 1000));
}

// Kubernetes replaces $(NAME) in commands; a doubled dollar sign stands for itself (API reference, "Container").
Value literal_words(const std::vector<std::string>& words) {
  auto list = Value::array();
  for (const auto& word : words) {
    list.push_back(base::replace_all(word, "$", "$$"));
  }
  return list;
}

// Our own Dockerfile's ENTRYPOINT is replaced by the whole command; of any other image, the arguments are, as Compose
// has it.
void add_command(Value& container, const project::Service& service) {
  if (service.command.empty()) {
    return;
  }
  if (has_image_of_ours(service)) {
    container["command"] = literal_words(entrypoint(service));
  } else {
    container["args"] = literal_words(service.command);
  }
}

Value container_ports(const std::vector<project::Port>& ports) {
  auto list = Value::array();
  for (const auto& port : ports) {
    list.push_back(json::object("name", port.name, "containerPort", port.number, "protocol", "TCP"));
  }
  return list;
}

Value secret_variables(const project::Service& service, const KubernetesOptions& options) {
  const auto given = options.secret_names.find(*service.name);
  const auto secret = given == options.secret_names.end() ? default_secret_name(service) : given->second;
  auto list = Value::array();
  for (const auto& [variable, source, span] : service.secrets) {
    list.push_back({{"name", variable}, {"valueFrom", {{"secretKeyRef", {{"name", secret}, {"key", variable}}}}}});
  }
  return list;
}

void add_environment(Value& container, const project::Service& service, const ConfigMaps& maps,
                     const KubernetesOptions& options) {
  if (maps.environment) {
    auto name = json::object("name", maps.environment->body["metadata"]["name"]);
    container["envFrom"] = json::list_of(json::object("configMapRef", std::move(name)));
  }
  if (!service.secrets.empty()) {
    container["env"] = secret_variables(service, options);
  }
}

void add_amounts(Value& resources, std::string_view what, const std::optional<base::Quantity>& cpu,
                 const std::optional<base::Quantity>& memory) {
  auto amounts = Value::object();
  if (cpu) {
    amounts["cpu"] = cpu->text();
  }
  if (memory) {
    amounts["memory"] = memory->text();
  }
  if (!amounts.empty()) {
    resources[std::string(what)] = std::move(amounts);
  }
}

void add_resources(Value& container, const project::Resources& amounts) {
  auto resources = Value::object();
  add_amounts(resources, "requests", amounts.cpu_request, amounts.memory_request);
  add_amounts(resources, "limits", amounts.cpu_limit, amounts.memory_limit);
  if (!resources.empty()) {
    container["resources"] = std::move(resources);
  }
}

void add_question(Value& out, const project::Probe& probe, const std::vector<project::Port>& ports) {
  if (!probe.command.empty()) {
    out["exec"] = json::object("command", probe.command);
    return;
  }
  const auto port = probe.port.empty() && !ports.empty() ? ports.front().name : probe.port;
  if (probe.path.empty()) {
    out["tcpSocket"] = json::object("port", port);
  } else {
    out["httpGet"] = json::object("path", probe.path, "port", port);
  }
}

Value probe_of(const project::Probe& probe, const std::vector<project::Port>& ports) {
  auto out = Value::object();
  add_question(out, probe, ports);
  if (probe.initial_delay.count() > 0) {
    out["initialDelaySeconds"] = whole_seconds(probe.initial_delay, 1);
  }
  out["periodSeconds"] = whole_seconds(probe.period, 1);
  out["timeoutSeconds"] = whole_seconds(probe.timeout, 1);
  out["failureThreshold"] = std::max(1, probe.threshold);
  return out;
}

// Until it succeeds once, liveness is not asked: a slow start is not a failure.
project::Probe startup_from(project::Probe liveness) {
  liveness.initial_delay = base::Milliseconds{0};
  liveness.period = std::chrono::seconds(startup_period_seconds);
  liveness.threshold = startup_failures;
  return liveness;
}

void add_probes(Value& container, const project::Health& health, const std::vector<project::Port>& ports) {
  if (health.startup) {
    container["startupProbe"] = probe_of(*health.startup, ports);
  } else if (health.liveness) {
    container["startupProbe"] = probe_of(startup_from(*health.liveness), ports);
  }
  if (health.liveness) {
    container["livenessProbe"] = probe_of(*health.liveness, ports);
  }
  if (health.readiness) {
    container["readinessProbe"] = probe_of(*health.readiness, ports);
  } else if (!ports.empty()) {
    container["readinessProbe"] = probe_of(project::Probe{}, ports);
  }
}

bool drains(const project::Service& service, const KubernetesOptions& options) {
  return !effective_ports(service).empty() && (has_image_of_ours(service) || options.api.has_sleep_action);
}

void add_drain(Value& container, const project::Service& service, const KubernetesOptions& options) {
  if (!drains(service, options)) {
    return;
  }
  if (has_image_of_ours(service)) {
    container["lifecycle"]["preStop"]["exec"]["command"] =
        Value::array({drain_sleep_path, std::to_string(drain_seconds)});
  } else {
    container["lifecycle"]["preStop"]["sleep"]["seconds"] = drain_seconds;
  }
}

// Images of others may start as root and change user themselves (databases do): they keep what that needs.
Value container_security(const project::Service& service) {
  auto context = json::object("allowPrivilegeEscalation", false);
  if (has_image_of_ours(service)) {
    context["readOnlyRootFilesystem"] = true;
    context["capabilities"]["drop"] = Value::array({"ALL"});
  }
  return context;
}

Value pod_security(const project::Service& service) {
  auto context = Value::object();
  if (has_image_of_ours(service)) {
    context["runAsNonRoot"] = true;
    context["runAsUser"] = runtime_user;
    context["runAsGroup"] = runtime_user;
    if (!service.volumes.empty()) {
      context["fsGroup"] = runtime_user;
    }
  }
  context["seccompProfile"]["type"] = "RuntimeDefault";
  return context;
}

bool needs_temporary_folder(const project::Service& service) {
  return has_image_of_ours(service) &&
         std::ranges::none_of(service.volumes, [](const auto& volume) { return volume.mount == temporary_folder; });
}

void add_mounts(Value& container, const project::Service& service, const ConfigMaps& maps) {
  auto mounts = Value::array();
  if (needs_temporary_folder(service)) {
    mounts.push_back({{"name", temporary_volume}, {"mountPath", temporary_folder}});
  }
  for (const auto& volume : service.volumes) {
    mounts.push_back({{"name", volume.name}, {"mountPath", volume.mount}});
  }
  for (const auto& [path, key] : maps.mounts) {
    mounts.push_back({{"name", files_volume}, {"mountPath", path}, {"subPath", key}, {"readOnly", true}});
  }
  if (!mounts.empty()) {
    container["volumeMounts"] = std::move(mounts);
  }
}

void add_volumes(Value& pod, const project::Service& service, const ConfigMaps& maps) {
  auto volumes = Value::array();
  if (needs_temporary_folder(service)) {
    volumes.push_back({{"name", temporary_volume}, {"emptyDir", Value::object()}});
  }
  for (const auto& volume : service.volumes) {
    volumes.push_back({{"name", volume.name}, {"persistentVolumeClaim", {{"claimName", claim_name(service, volume)}}}});
  }
  if (maps.files) {
    volumes.push_back({{"name", files_volume}, {"configMap", {{"name", maps.files->body["metadata"]["name"]}}}});
  }
  if (!volumes.empty()) {
    pod["volumes"] = std::move(volumes);
  }
}

Value container_of(const project::Service& service, const ConfigMaps& maps, const KubernetesOptions& options) {
  const auto ports = effective_ports(service);
  const auto image = options.images.find(*service.name);
  auto container = json::object("name", *service.name, "image",
                                image == options.images.end() ? image_reference(service, options.tag) : image->second);
  add_command(container, service);
  if (!ports.empty()) {
    container["ports"] = container_ports(ports);
  }
  add_environment(container, service, maps, options);
  add_resources(container, service.resources);
  add_probes(container, service.health, ports);
  add_drain(container, service, options);
  container["securityContext"] = container_security(service);
  add_mounts(container, service, maps);
  return container;
}

// Spread over nodes where there are several, without refusing to run on one.
Value spread(const project::Target& target, const project::Service& service) {
  return json::list_of(json::object("maxSkew", 1, "topologyKey", "kubernetes.io/hostname", "whenUnsatisfiable",
                                    "ScheduleAnyway", "labelSelector",
                                    json::object("matchLabels", selector(target, service))));
}

Value pod_labels(const project::Target& target, const project::Service& service) {
  auto all = labels(target, service);
  if (service.strategy.type == project::Strategy::Type::canary) {
    all[std::string(kube::service_label)] = *service.name;
  }
  return all;
}

}  // namespace

json::Value pod_template(const project::Target& target, const project::Service& service, const ConfigMaps& maps,
                         const KubernetesOptions& options) {
  const bool has_account = !service.service_account.empty();
  auto pod = json::object("automountServiceAccountToken", has_account, "enableServiceLinks", false);
  if (has_account) {
    pod["serviceAccountName"] = service.service_account;
  }
  if (!target.pull_secret.empty()) {
    pod["imagePullSecrets"] = Value::array({{{"name", target.pull_secret}}});
  }
  if (drains(service, options)) {
    pod["terminationGracePeriodSeconds"] = termination_grace_seconds;
  }
  pod["securityContext"] = pod_security(service);
  if (lowest_replicas(service) > 1 || service.scale) {
    pod["topologySpreadConstraints"] = spread(target, service);
  }
  pod["containers"] = json::list_of(container_of(service, maps, options));
  add_volumes(pod, service, maps);
  return json::object("metadata", json::object("labels", pod_labels(target, service)), "spec", std::move(pod));
}

std::string claim_name(const project::Service& service, const project::Volume& volume) {
  return *service.name + "-" + volume.name;
}

int lowest_replicas(const project::Service& service) {
  return service.scale ? service.scale->min : service.replicas;
}

}  // namespace deployctl::generate
