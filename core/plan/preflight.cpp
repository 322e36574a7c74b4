#include "core/plan/preflight.hpp"

#include "core/base/text.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/json/reader.hpp"
#include "core/plan/preflight_parts.hpp"
#include "core/yaml/emit.hpp"

#include <algorithm>
#include <array>

namespace deployctl::plan {
namespace {

using base::ErrorCode;

std::string oci_platform(const oci::Platform& platform) {
  return platform.os + "/" + platform.architecture;
}

std::set<std::string> node_platforms(const std::vector<kube::Object>& nodes) {
  std::set<std::string> platforms;
  for (const auto& node : nodes) {
    const auto info = json::Reader(node.body).at("status", "nodeInfo");
    if (!json::Reader(node.body).at("spec", "unschedulable").boolean_or()) {
      platforms.insert(info.at("operatingSystem").string_or() + "/" + info.at("architecture").string_or());
    }
  }
  return platforms;
}

std::string joined(const std::set<std::string>& texts) {
  return base::join(std::vector<std::string>(texts.begin(), texts.end()), ", ");
}

class Preflight {
 public:
  Preflight(const Plan& plan, const project::Target& target, const PreflightFacts& facts)
      : plan_(plan), target_(target), facts_(facts) {}

  PreflightReport run() {
    report_.remarks = facts_.remarks;
    check_permissions();
    check_refusals();
    check_references(plan_, facts_, report_);
    check_images();
    check_room(plan_, facts_, report_);
    check_volumes();
    check_storage_classes();
    check_paused();
    return std::move(report_);
  }

 private:
  void find(ErrorCode code, std::string what, std::string advice) {
    report_.findings.push_back({code, std::move(what), std::move(advice)});
  }
  void remark(std::string text) { report_.remarks.push_back(std::move(text)); }

  // One Role for all that is missing, at the first that misses.
  void check_permissions() {
    std::vector<kube::Permission> missing;
    for (const auto& [permission, purpose] : facts_.missing_permissions) {
      missing.push_back(permission);
    }
    for (std::size_t i = 0; i < missing.size(); ++i) {
      const auto& [permission, purpose] = facts_.missing_permissions[i];
      const auto where =
          permission.scope == kube::Scope::cluster ? std::string("the cluster") : "namespace " + plan_.name_space;
      find(ErrorCode::unauthorized,
           fmt::format("{} may not {} in {}, which it takes {}", facts_.user.empty() ? "this user" : facts_.user,
                       kube::to_string(permission), where, purpose),
           i + 1 < missing.size() ? "" : role_advice(missing));
    }
  }

  std::string role_advice(const std::vector<kube::Permission>& missing) const {
    std::string text = "this would grant what is missing, once a binding gives it to the user:\n";
    const auto roles = kube::roles_for(*target_.project + "-deployer", plan_.name_space, missing);
    return text + generate::to_yaml_stream(roles);
  }

  // What the API server itself said of each object, asked in a dry run.
  void check_refusals() {
    for (const auto& [key, error] : facts_.refusals) {
      if (error.code == ErrorCode::unauthorized && !facts_.missing_permissions.empty()) {
        continue;  // said already, with the permission's name
      }
      find(error.code == ErrorCode::not_found ? ErrorCode::rollout_failed : error.code,
           fmt::format("{}: {}", kube::to_string(key), error.message),
           is_immutable(error) ? immutable_advice(key) : error.hint);
    }
  }

  static bool is_immutable(const base::Error& error) {
    return error.message.find("immutable") != std::string::npos ||
           error.message.find("updates to statefulset spec") != std::string::npos ||
           error.message.find("may not change once set") != std::string::npos ||
           error.message.find("forbidden after creation") != std::string::npos;
  }

  static std::string immutable_advice(const kube::ObjectKey& key) {
    const auto name = kube::to_string(key);
    if (key.kind == "PersistentVolumeClaim") {
      return fmt::format(
          "a claim keeps what it was made with (it may only grow): leave the field as it is, or give the "
          "volume another name; {} and its data then stay until you remove them",
          name);
    }
    return fmt::format(
        "the field is fixed when {} is made: leave it as it is, or give the service another name; to make "
        "it anew, with an interruption: kubectl delete {} -n {}",
        name, name, key.name_space);
  }

  void check_images() {
    for (const auto& [service, access] : facts_.images) {
      check_access(service, access);
      if (facts_.nodes) {
        check_platforms(service, access);
      }
    }
  }

  void check_access(const std::string& service, const ImageAccess& access) {
    switch (access.answer) {
      case ImageAccess::Answer::exists:
        return;
      case ImageAccess::Answer::missing:
        find(ErrorCode::rollout_failed, fmt::format("the image of {}: {}", service, access.words),
             "push it first ('deployctl build --push'), or check the tag");
        return;
      case ImageAccess::Answer::denied:
        if (access.has_credentials) {
          find(ErrorCode::rollout_failed, fmt::format("the image of {}: {}", service, access.words),
               "renew the pull secret: kubectl create secret docker-registry, with credentials that may pull");
        } else {
          remark(fmt::format(
              "the image of {}: {}; namespace {} has no pull secret for it, so the nodes need credentials of "
              "their own ('pull_secret' in the project manifest names one)",
              service, access.words, plan_.name_space));
        }
        return;
      case ImageAccess::Answer::unreachable:
        remark(fmt::format("whether the image of {} can be pulled is not known: {}", service, access.words));
        return;
    }
  }

  void check_platforms(const std::string& service, const ImageAccess& access) {
    const auto nodes = node_platforms(*facts_.nodes);
    if (access.platforms.empty() || nodes.empty()) {
      return;
    }
    std::set<std::string> image;
    std::ranges::transform(access.platforms, std::inserter(image, image.end()), oci_platform);
    std::set<std::string> without;
    std::ranges::set_difference(nodes, image, std::inserter(without, without.end()));
    if (without == nodes) {
      find(ErrorCode::rollout_failed,
           fmt::format("the image of {} is for {}, and the nodes are {}", service, joined(image), joined(nodes)),
           fmt::format("build it for the nodes: 'build: {{platforms: [{}]}}'", joined(nodes)));
    } else if (!without.empty()) {
      remark(fmt::format("the image of {} is for {}: its pods cannot run on the nodes that are {}", service,
                         joined(image), joined(without)));
    }
  }

  // A new pod on another node waits for the volume, and the old pod does not go before the new one is ready.
  void check_volumes() {
    const bool has_several_nodes = facts_.nodes && facts_.nodes->size() > 1;
    for (const auto* apply : applied_objects(plan_)) {
      const auto* service = target_.find(apply->object.name());
      const auto live = facts_.deployments.find(apply->object.name());
      if (apply->object.kind() != "Deployment" || service == nullptr || live == facts_.deployments.end() ||
          is_unchanged(apply->object, facts_) || !has_several_nodes) {
        continue;
      }
      const auto peak = peak_of(apply->object, &live->second);
      for (const auto& volume : service->volumes) {
        if (peak.surge > 0 && !peak.can_go_down_first && volume.access.starts_with("ReadWriteOnce")) {
          remark(fmt::format(
              "volume '{}' of {} is {}: a new pod on another node waits for it until the old pod goes, which "
              "waits for the new one; 'strategy: {{type: recreate}}' does not",
              volume.name, *service->name, volume.access));
        }
      }
    }
  }

  // A class that no provisioner has is one of volumes that somebody has made by hand, or a slip of the pen.
  void check_storage_classes() {
    if (!facts_.storage_classes) {
      return;
    }
    const auto& known = *facts_.storage_classes;
    for (const auto* apply : applied_objects(plan_)) {
      const auto name = storage_class_of(apply->object);
      const auto change = facts_.changes.find(apply->object.key());
      const bool is_new = change == facts_.changes.end() || change->second == Change::create;
      if (!is_new || name.empty() || std::ranges::find(known, name) != known.end()) {
        continue;
      }
      const auto nearest = base::did_you_mean(name, known);
      find(ErrorCode::rollout_failed,
           fmt::format("{} asks for the storage class {}, which the cluster has not, nor a volume of it",
                       kube::to_string(apply->object.key()), base::printable(name)),
           !nearest.empty() ? nearest
           : known.empty()  ? "it has none: an administrator makes one, or a PersistentVolume of this class"
                            : "it has: " + base::printable(base::join(known, ", ")));
    }
  }

  // One that is paused takes the new template and does nothing, until somebody resumes it: then that goes live.
  void check_paused() {
    for (const auto* apply : applied_objects(plan_)) {
      const auto live = facts_.deployments.find(apply->object.name());
      if (apply->object.kind() == "Deployment" && live != facts_.deployments.end() &&
          json::Reader(live->second.body).at("spec", "paused").boolean_or()) {
        const auto name = kube::to_string(live->second.key());
        find(ErrorCode::rollout_failed, name + " is paused, and would not take up the change",
             fmt::format("resume it: kubectl rollout resume {} -n {}", name, plan_.name_space));
      }
    }
  }

  const Plan& plan_;
  const project::Target& target_;
  const PreflightFacts& facts_;
  PreflightReport report_;
};

constexpr std::array gravest_first{ErrorCode::refused, ErrorCode::unauthorized, ErrorCode::invalid_input,
                                   ErrorCode::rollout_failed, ErrorCode::conflict};

ErrorCode gravest(const std::vector<PreflightFinding>& findings) {
  for (const auto code : gravest_first) {
    if (std::ranges::find(findings, code, &PreflightFinding::code) != findings.end()) {
      return code;
    }
  }
  return findings.front().code;
}

}  // namespace

std::vector<const ApplyObject*> applied_objects(const Plan& plan) {
  std::vector<const ApplyObject*> objects;
  for (const auto& step : plan.steps) {
    if (const auto* apply = std::get_if<ApplyObject>(&step.action)) {
      objects.push_back(apply);
    }
  }
  return objects;
}

bool is_workload(const kube::Object& object) {
  return object.kind() == "Deployment" || object.kind() == "StatefulSet";
}

bool is_unchanged(const kube::Object& object, const PreflightFacts& facts) {
  const auto change = facts.changes.find(object.key());
  return change != facts.changes.end() && change->second == Change::none;
}

std::string storage_class_of(const kube::Object& claim) {
  return claim.kind() == "PersistentVolumeClaim" ? json::Reader(claim.body).at("spec", "storageClassName").string_or()
                                                 : "";
}

bool is_class_of(const kube::Object& ingress_class, const kube::Object& ingress) {
  const auto named = json::Reader(ingress.body).at("spec", "ingressClassName").string_or();
  const auto is_default = json::Reader(ingress_class.body)
                              .at("metadata", "annotations", "ingressclass.kubernetes.io/is-default-class")
                              .string_or();
  return named.empty() ? is_default == "true" : ingress_class.name() == named;
}

bool is_ingress_nginx(std::string_view controller) {
  return controller.find("ingress-nginx") != std::string_view::npos;
}

PreflightReport preflight(const Plan& plan, const project::Target& target, const PreflightFacts& facts) {
  return Preflight(plan, target, facts).run();
}

base::Error to_error(const std::vector<PreflightFinding>& findings) {
  const auto code = gravest(findings);
  if (findings.size() == 1) {
    return base::Error::make(code, "{}; nothing was changed", findings.front().what)
        .with_hint("{}", findings.front().advice);
  }
  std::string lines;
  std::vector<std::string> advice;
  for (const auto& finding : findings) {
    lines += "\n" + finding.what;
    if (!finding.advice.empty() && std::ranges::find(advice, finding.advice) == advice.end()) {
      advice.push_back(finding.advice);
    }
  }
  return base::Error::make(code, "{} things stand against it, and nothing was changed:{}", findings.size(), lines)
      .with_hint("{}", base::join(advice, "\n"));
}

}  // namespace deployctl::plan
