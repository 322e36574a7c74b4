// The Kubernetes objects of a Target, as typed data: what `rollout` applies and what `generate kubernetes` writes.
//
// Objects hold no unset fields and no nulls, and are the same for the same input, so that server-side apply owns
// exactly what the project manifest says.
#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/generate/inputs.hpp"
#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::generate {

// What the API server serves, where there is a choice. The defaults are the newest; `rollout` passes what discovery
// says.
struct ApiVersions {
  std::string autoscaling = "autoscaling/v2";  // or v2beta2, which has the same shape
  std::string policy = "policy/v1";            // or v1beta1
  // lifecycle.preStop.sleep (on by default since Kubernetes 1.30): the drain of images that are not built by us.
  bool has_sleep_action = false;

  friend bool operator==(const ApiVersions&, const ApiVersions&) = default;
};

struct KubernetesOptions {
  // Service -> "repository:tag@sha256:…". A built service without an entry is `<image>:<tag>`.
  std::map<std::string, std::string> images;
  std::string tag = "latest";
  // Service -> name of its Secret, as secret_object() made it; `<service>-secrets` without an entry.
  std::map<std::string, std::string> secret_names;
  ApiVersions api;
};

// Every object of one service, in the order they are applied: ConfigMaps, PersistentVolumeClaims, Service, Deployment,
// HorizontalPodAutoscaler, PodDisruptionBudget, Ingress or HTTPRoute or VirtualService. A service of type ExternalName
// is its Service and nothing else. The Secret is not among them (secret_object). invalid_input for config files that no
// ConfigMap can hold and for names that no Service can have.
base::Result<std::vector<kube::Object>> kubernetes_objects(const project::Target& target,
                                                           const project::Service& service, const Inputs& inputs,
                                                           const KubernetesOptions& options = {});

// On the Deployment of a service that is built: the tag.
inline constexpr std::string_view version_label = "app.kubernetes.io/version";

kube::Object namespace_object(const project::Target& target);

// An immutable Secret "<service>-secrets-<8 hex>" named after its content; `salt` (the namespace's uid, say) keeps the
// name from telling anything about the values. `values` is variable -> value.
kube::Object secret_object(const project::Target& target, const project::Service& service,
                           const std::map<std::string, base::Secret>& values, std::string_view salt);
// The name the pods refer to when no other is given: "<service>-secrets".
std::string default_secret_name(const project::Service& service);

// app.kubernetes.io/name, instance, part-of, managed-by and deployctl/environment: what every object of a service
// carries. The selector is the first two and never changes.
json::Value labels(const project::Target& target, const project::Service& service);
json::Value selector(const project::Target& target, const project::Service& service);

// "repository:tag" of a built service, the image as it is written of any other.
std::string image_reference(const project::Service& service, std::string_view tag);

// A mention of another object in the same namespace: a pod's ConfigMap, an Ingress's Service and port.
struct Reference {
  kube::ObjectKey from;
  std::string kind;  // "ConfigMap", "Secret", "PersistentVolumeClaim", "Service", "Deployment"
  std::string name;
  std::string port;                    // Ingress -> Service: the port's name or number
  std::string path;                    // where it stands: "spec.template.spec.volumes[0].configMap.name"
  std::vector<std::string> keys = {};  // that a ConfigMap or Secret must have

  friend bool operator==(const Reference&, const Reference&) = default;
};

std::vector<Reference> references(std::span<const kube::Object> objects);

// The objects as the documents of one YAML stream.
std::string to_yaml_stream(std::span<const kube::Object> objects);

}  // namespace deployctl::generate
