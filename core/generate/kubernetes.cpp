#include "core/generate/kubernetes.hpp"

#include "core/base/text.hpp"
#include "core/generate/backing.hpp"
#include "core/generate/configmaps.hpp"
#include "core/generate/content_hash.hpp"
#include "core/generate/metadata.hpp"
#include "core/generate/pod.hpp"
#include "core/generate/routes.hpp"
#include "core/json/object.hpp"
#include "core/yaml/emit.hpp"

#include <algorithm>

namespace deployctl::generate {
namespace {

using json::Value;
using project::Service;
using project::ServicePort;
using project::Strategy;
using project::Target;

constexpr int kept_replica_sets = 10;
constexpr std::string_view moving_tag = "latest";  // says nothing about the version

Value claim(const Target& target, const Service& service, const project::Volume& volume) {
  auto body = object_of("v1", "PersistentVolumeClaim", target, service, claim_name(service, volume));
  auto& spec = body["spec"];
  spec["accessModes"] = Value::array({volume.access});
  spec["resources"]["requests"]["storage"] = volume.size.text();
  if (!volume.storage_class.empty()) {
    spec["storageClassName"] = volume.storage_class;
  }
  return body;
}

std::string_view type_name(ServicePort::Type type) {
  switch (type) {
    case ServicePort::Type::cluster_ip:
      return "ClusterIP";
    case ServicePort::Type::node_port:
      return "NodePort";
    case ServicePort::Type::load_balancer:
      return "LoadBalancer";
    case ServicePort::Type::external_name:
      return "ExternalName";
  }
  return "";
}

bool is_external(const Service& service) {
  return service.service && service.service->type == ServicePort::Type::external_name;
}

// The number given for the Service is its first port's; the others keep the container's.
Value service_ports(const Service& service, const ServicePort& settings) {
  auto list = Value::array();
  for (const auto& port : effective_ports(service)) {
    const bool is_first = list.empty();
    const int number = is_first && settings.port != 0 ? settings.port : port.number;
    auto entry = json::object("name", port.name, "port", number, "targetPort", port.name, "protocol", "TCP");
    if (is_first && settings.node_port) {
      entry["nodePort"] = *settings.node_port;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

int first_service_port(const Service& service) {
  const auto given = service.service ? service.service->port : 0;
  return given != 0 ? given : effective_ports(service).front().number;
}

Value service_object(const Target& target, const Service& service) {
  const auto settings = service.service.value_or(ServicePort{});
  auto body = object_of("v1", "Service", target, service, *service.name);
  auto& spec = body["spec"];
  spec["type"] = type_name(settings.type);
  if (is_external(service)) {
    spec["externalName"] = settings.external_name;
    return body;
  }
  spec["selector"] = selector(target, service);
  spec["ports"] = service_ports(service, settings);
  return body;
}

// A count, or a percentage as text.
Value count_or_percentage(const std::string& text) {
  const auto number = base::parse_integer(text);
  return number ? Value(*number) : Value(text);
}

// Canary and blue-green releases are steps of the rollout; each Deployment they use rolls like any other.
Value deployment_strategy(const Service& service) {
  if (service.strategy.type == Strategy::Type::recreate) {
    return json::object("type", "Recreate");
  }
  return json::object("type", "RollingUpdate", "rollingUpdate",
                      json::object("maxSurge", count_or_percentage(service.strategy.max_surge), "maxUnavailable",
                                   count_or_percentage(service.strategy.max_unavailable)));
}

// A worker without port and health counts as ready the moment it is started. One that gives up for want of its database
// does so a little later: until then the pods before it stay, and nothing is done.
constexpr long long proving_seconds = 5;

bool tells_when_ready(const Value& pods) {
  return std::ranges::any_of(pods["spec"]["containers"],
                             [](const Value& container) { return container.contains("readinessProbe"); });
}

Value deployment(const Target& target, const Service& service, const ConfigMaps& maps,
                 const KubernetesOptions& options) {
  auto body = object_of("apps/v1", "Deployment", target, service, *service.name);
  const auto version = options.tag == moving_tag ? "" : label_value(options.tag);
  if (service.is_built() && !version.empty()) {
    body["metadata"]["labels"][std::string(version_label)] = version;
  }
  auto& spec = body["spec"];
  if (!service.scale) {
    spec["replicas"] = service.replicas;
  }
  auto pods = pod_template(target, service, maps, options);
  const auto proving = tells_when_ready(pods) ? 0 : proving_seconds;
  spec["revisionHistoryLimit"] = kept_replica_sets;
  if (proving > 0) {
    spec["minReadySeconds"] = proving;
  }
  // The API server wants it to be the longer of the two.
  spec["progressDeadlineSeconds"] = std::max<long long>(proving + 1, (service.strategy.deadline.count() + 999) / 1000);
  spec["selector"]["matchLabels"] = selector(target, service);
  spec["strategy"] = deployment_strategy(service);
  spec["template"] = std::move(pods);
  return body;
}

Value autoscaler(const Target& target, const Service& service, const KubernetesOptions& options) {
  auto body = object_of(options.api.autoscaling, "HorizontalPodAutoscaler", target, service, *service.name);
  auto& spec = body["spec"];
  spec["scaleTargetRef"] = {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", *service.name}};
  spec["minReplicas"] = service.scale->min;
  spec["maxReplicas"] = service.scale->max;
  const Value average = {{"type", "Utilization"}, {"averageUtilization", service.scale->cpu}};
  spec["metrics"] = Value::array({{{"type", "Resource"}, {"resource", {{"name", "cpu"}, {"target", average}}}}});
  return body;
}

Value disruption_budget(const Target& target, const Service& service, const KubernetesOptions& options) {
  auto body = object_of(options.api.policy, "PodDisruptionBudget", target, service, *service.name);
  body["spec"] = json::object("maxUnavailable", 1, "selector", json::object("matchLabels", selector(target, service)));
  return body;
}

Value ingress_object(const Target& target, const Service& service) {
  const auto& settings = *service.ingress;
  auto body = object_of("networking.k8s.io/v1", "Ingress", target, service, *service.name);
  auto& spec = body["spec"];
  if (!settings.class_name.empty()) {
    spec["ingressClassName"] = settings.class_name;
  }
  if (!settings.tls_secret.empty()) {
    Value tls = {{"secretName", settings.tls_secret}};
    if (!settings.host.empty()) {
      tls["hosts"] = Value::array({settings.host});
    }
    spec["tls"] = Value::array({std::move(tls)});
  }
  auto port = json::object("name", effective_ports(service).front().name);
  auto backend = json::object("service", json::object("name", *service.name, "port", std::move(port)));
  auto rule = Value::object();
  if (!settings.host.empty()) {
    rule["host"] = settings.host;
  }
  auto path = json::object("path", settings.path, "pathType", "Prefix", "backend", std::move(backend));
  rule["http"] = json::object("paths", json::list_of(std::move(path)));
  spec["rules"] = json::list_of(std::move(rule));
  return body;
}

// Services have stricter names than everything else: they start with a letter (RFC 1035).
base::Status check_names(const Service& service) {
  const auto& name = *service.name;
  if (!base::is_dns_label(name) || (name.front() >= '0' && name.front() <= '9')) {
    return base::Error::invalid_input("'{}' cannot be the name of a Kubernetes Service", name)
        .with_hint("use lower-case letters, digits and '-', starting with a letter")
        .at(service.name.span);
  }
  if (service.ingress && effective_ports(service).empty()) {
    return base::Error::invalid_input("service '{}' has an ingress but no port", name).at(service.ingress->span);
  }
  return {};
}

std::vector<kube::Object> running_objects(const Target& target, const Service& service, const ConfigMaps& maps,
                                          const KubernetesOptions& options) {
  std::vector<kube::Object> objects;
  for (const auto& map : {maps.environment, maps.files}) {
    if (map) {
      objects.push_back(*map);
    }
  }
  for (const auto& volume : service.volumes) {
    objects.push_back({claim(target, service, volume)});
  }
  if (!effective_ports(service).empty()) {
    objects.push_back({service_object(target, service)});
  }
  objects.push_back({deployment(target, service, maps, options)});
  if (service.scale) {
    objects.push_back({autoscaler(target, service, options)});
  }
  if (lowest_replicas(service) > 1) {
    objects.push_back({disruption_budget(target, service, options)});
  }
  if (has_http_route(service)) {
    objects.push_back({http_route(target, service, first_service_port(service))});
  } else if (has_virtual_service(service)) {
    objects.push_back({virtual_service(target, service, first_service_port(service))});
  } else if (service.ingress) {
    objects.push_back({ingress_object(target, service)});
  }
  return objects;
}

}  // namespace

base::Result<std::vector<kube::Object>> kubernetes_objects(const Target& target, const Service& service,
                                                           const Inputs& inputs, const KubernetesOptions& options) {
  if (auto status = check_names(service); !status) {
    return status.error();
  }
  if (is_external(service)) {
    return std::vector<kube::Object>{{service_object(target, service)}};
  }
  const auto maps = config_maps(target, service, inputs);
  if (!maps) {
    return maps.error();
  }
  return running_objects(target, service, *maps, options);
}

kube::Object namespace_object(const Target& target) {
  Value labels = {{"app.kubernetes.io/part-of", *target.project}, {"app.kubernetes.io/managed-by", "deployctl"}};
  return {{{"apiVersion", "v1"},
           {"kind", "Namespace"},
           {"metadata", {{"name", target.name_space}, {"labels", std::move(labels)}}}}};
}

kube::Object secret_object(const Target& target, const Service& service,
                           const std::map<std::string, base::Secret>& values, std::string_view salt) {
  auto data = Value::object();
  for (const auto& [variable, value] : values) {
    data[variable] = base::base64_encode(value.reveal());
  }
  const auto hash = content_hash(fmt::format("{}\n{}\n{}", salt, *service.name, json::to_canonical_text(data)));
  auto body = object_of("v1", "Secret", target, service, default_secret_name(service) + "-" + hash);
  body["type"] = "Opaque";
  body["immutable"] = true;
  body["data"] = std::move(data);
  return {std::move(body)};
}

std::string default_secret_name(const Service& service) {
  return *service.name + "-secrets";
}

std::string image_reference(const Service& service, std::string_view tag) {
  return service.is_built() ? fmt::format("{}:{}", *service.image, tag) : *service.image;
}

std::string to_yaml_stream(std::span<const kube::Object> objects) {
  std::string text;
  for (const auto& object : objects) {
    text += text.empty() ? "" : "---\n";
    text += yaml::emit(object.body);
  }
  return text;
}

}  // namespace deployctl::generate
