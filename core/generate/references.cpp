// Every place of the objects we make in which one object is named by another.
#include "core/generate/kubernetes.hpp"

namespace deployctl::generate {
namespace {

using json::Value;

const Value& member(const Value& value, const char* name) {
  static const Value nothing;
  const auto found = value.is_object() ? value.find(name) : value.end();
  return value.is_object() && found != value.end() ? *found : nothing;
}

std::string text_of(const Value& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string text_member(const Value& value, const char* name) {
  const auto& text = member(value, name);
  return text.is_string() ? text.get<std::string>() : "";
}

kube::ObjectKey key_of(const Value& body) {
  const auto& metadata = member(body, "metadata");
  return {text_member(body, "apiVersion"), text_member(body, "kind"), text_member(metadata, "namespace"),
          text_member(metadata, "name")};
}

// Collects the references of one object.
class Finder {
 public:
  Finder(const Value& body, std::vector<Reference>& found) : from_(key_of(body)), found_(found) {}

  void add(std::string kind, const Value& name, std::string path, std::string port = {}) {
    if (name.is_string()) {
      found_.push_back({from_, std::move(kind), name.get<std::string>(), std::move(port), std::move(path)});
    }
  }

  void add_with_keys(std::string kind, const Value& name, std::string path, std::vector<std::string> keys) {
    if (name.is_string()) {
      found_.push_back({from_, std::move(kind), name.get<std::string>(), {}, std::move(path), std::move(keys)});
    }
  }

  static std::vector<std::string> keys_of_items(const Value& volume_source) {
    std::vector<std::string> keys;
    for (const auto& item : member(volume_source, "items")) {
      keys.push_back(text_member(item, "key"));
    }
    return keys;
  }

  void volumes(const Value& pod, const std::string& path) {
    int index = 0;
    for (const auto& volume : member(pod, "volumes")) {
      const auto place = fmt::format("{}.volumes[{}]", path, index++);
      const auto& map = member(volume, "configMap");
      const auto& secret = member(volume, "secret");
      add_with_keys("ConfigMap", member(map, "name"), place + ".configMap.name", keys_of_items(map));
      add_with_keys("Secret", member(secret, "secretName"), place + ".secret.secretName", keys_of_items(secret));
      add("PersistentVolumeClaim", member(member(volume, "persistentVolumeClaim"), "claimName"),
          place + ".persistentVolumeClaim.claimName");
    }
  }

  void environment(const Value& container, const std::string& path) {
    int index = 0;
    for (const auto& source : member(container, "envFrom")) {
      const auto place = fmt::format("{}.envFrom[{}]", path, index++);
      add("ConfigMap", member(member(source, "configMapRef"), "name"), place + ".configMapRef.name");
      add("Secret", member(member(source, "secretRef"), "name"), place + ".secretRef.name");
    }
    index = 0;
    for (const auto& variable : member(container, "env")) {
      const auto place = fmt::format("{}.env[{}].valueFrom.secretKeyRef.name", path, index++);
      const auto& reference = member(member(variable, "valueFrom"), "secretKeyRef");
      add_with_keys("Secret", member(reference, "name"), place, {text_member(reference, "key")});
    }
  }

  void pod(const Value& body) {
    const std::string path = "spec.template.spec";
    const auto& pod = member(member(member(body, "spec"), "template"), "spec");
    add("ServiceAccount", member(pod, "serviceAccountName"), path + ".serviceAccountName");
    int index = 0;
    for (const auto& secret : member(pod, "imagePullSecrets")) {
      add("Secret", member(secret, "name"), fmt::format("{}.imagePullSecrets[{}].name", path, index++));
    }
    index = 0;
    for (const auto& container : member(pod, "containers")) {
      environment(container, fmt::format("{}.containers[{}]", path, index++));
    }
    volumes(pod, path);
  }

  void autoscaler(const Value& body) {
    const auto& scaled = member(member(body, "spec"), "scaleTargetRef");
    add(text_member(scaled, "kind"), member(scaled, "name"), "spec.scaleTargetRef.name");
  }

  void ingress(const Value& body) {
    const auto& spec = member(body, "spec");
    int index = 0;
    for (const auto& tls : member(spec, "tls")) {
      add_with_keys("Secret", member(tls, "secretName"), fmt::format("spec.tls[{}].secretName", index++),
                    {"tls.crt", "tls.key"});
    }
    int rule_index = 0;
    for (const auto& rule : member(spec, "rules")) {
      index = 0;
      for (const auto& path : member(member(rule, "http"), "paths")) {
        const auto& service = member(member(path, "backend"), "service");
        const auto& port = member(service, "port");
        add("Service", member(service, "name"),
            fmt::format("spec.rules[{}].http.paths[{}].backend.service.name", rule_index, index++),
            text_of(port.contains("name") ? port["name"] : member(port, "number")));
      }
      ++rule_index;
    }
  }

  void http_route(const Value& body) {
    int rule_index = 0;
    for (const auto& rule : member(member(body, "spec"), "rules")) {
      int index = 0;
      for (const auto& backend : member(rule, "backendRefs")) {
        add("Service", member(backend, "name"), fmt::format("spec.rules[{}].backendRefs[{}].name", rule_index, index++),
            text_of(member(backend, "port")));
      }
      ++rule_index;
    }
  }

  void virtual_service(const Value& body) {
    int rule_index = 0;
    for (const auto& rule : member(member(body, "spec"), "http")) {
      int index = 0;
      for (const auto& route : member(rule, "route")) {
        const auto& destination = member(route, "destination");
        add("Service", member(destination, "host"),
            fmt::format("spec.http[{}].route[{}].destination.host", rule_index, index++),
            text_of(member(member(destination, "port"), "number")));
      }
      ++rule_index;
    }
  }

 private:
  kube::ObjectKey from_;
  std::vector<Reference>& found_;
};

}  // namespace

std::vector<Reference> references(std::span<const kube::Object> objects) {
  std::vector<Reference> found;
  for (const auto& object : objects) {
    Finder finder(object.body, found);
    const auto kind = text_member(object.body, "kind");
    if (kind == "Deployment" || kind == "Job") {
      finder.pod(object.body);
    } else if (kind == "HorizontalPodAutoscaler") {
      finder.autoscaler(object.body);
    } else if (kind == "Ingress") {
      finder.ingress(object.body);
    } else if (kind == "HTTPRoute") {
      finder.http_route(object.body);
    } else if (kind == "VirtualService") {
      finder.virtual_service(object.body);
    }
  }
  return found;
}

}  // namespace deployctl::generate
