#include "core/base/text.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/json/reader.hpp"
#include "core/plan/preflight_parts.hpp"

#include <algorithm>
#include <array>

namespace deployctl::plan {
namespace {

// Those whose pods read what others hold: of tasks too.
std::vector<const kube::Object*> objects_with_references(const Plan& plan) {
  std::vector<const kube::Object*> objects;
  for (const auto& step : plan.steps) {
    if (const auto* apply = std::get_if<ApplyObject>(&step.action)) {
      objects.push_back(&apply->object);
    } else if (const auto* task = std::get_if<RunTask>(&step.action)) {
      objects.push_back(&task->job);
    }
  }
  return objects;
}

bool makes_pods(std::string_view kind) {
  return kind == "Deployment" || kind == "StatefulSet" || kind == "Job";
}

bool selects(const json::Reader& selector, const kube::Object& workload) {
  const auto labels = json::Reader(workload.body).at("spec", "template", "metadata", "labels");
  return std::ranges::all_of(selector.members(), [&](const json::Reader::Member& member) {
    return labels.at(member.key).string() == member.value.string();
  });
}

bool has_port(const kube::Object& workload, const std::string& name) {
  for (const auto& container : json::Reader(workload.body).at("spec", "template", "spec", "containers").elements()) {
    for (const auto& port : container.at("ports").elements()) {
      if (port.at("name").string_or() == name) {
        return true;
      }
    }
  }
  return false;
}

class References {
 public:
  References(const Plan& plan, const PreflightFacts& facts, PreflightReport& report)
      : plan_(plan), facts_(facts), report_(report) {}

  void run() {
    check_names_between_objects();
    for (const auto* object : objects_with_references(plan_)) {
      const std::array one{*object};
      for (const auto& reference : generate::references(one)) {
        const auto found = facts_.named_objects.find({reference.kind, reference.name});
        if (found == facts_.named_objects.end()) {
          continue;
        }
        if (found->second) {
          check_keys(reference, *found->second);
        } else {
          report_missing(reference);
        }
      }
    }
  }

 private:
  void report_missing(const generate::Reference& reference) {
    tell(reference,
         fmt::format("{} names the {} {}, which is not in namespace {} ({})", kube::to_string(reference.from),
                     reference.kind, reference.name, plan_.name_space, reference.path),
         "make it first, or correct its name in the project manifest");
  }

  void check_keys(const generate::Reference& reference, const std::set<std::string>& there) {
    for (const auto& key : reference.keys) {
      if (!there.contains(key)) {
        tell(reference,
             fmt::format("{} takes the key '{}' from the {} {}, which has no such key ({})",
                         kube::to_string(reference.from), key, reference.kind, reference.name, reference.path),
             fmt::format("add the key to the {}; it has: {}", reference.kind,
                         base::join(std::vector<std::string>(there.begin(), there.end()), ", ")));
      }
    }
  }

  // Pods wait for what they mount or read; an Ingress and a pull do without.
  void tell(const generate::Reference& reference, std::string what, std::string advice) {
    const bool is_vital =
        makes_pods(reference.from.kind) && reference.path.find("imagePullSecrets") == std::string::npos;
    if (is_vital) {
      find(std::move(what), std::move(advice));
    } else {
      report_.remarks.push_back(std::move(what));
    }
  }

  // Selectors and ports that lead nowhere: nothing would complain, and nothing would work.
  void check_names_between_objects() {
    for (const auto* apply : applied_objects(plan_)) {
      if (apply->object.kind() == "Service") {
        check_service(apply->object);
      }
    }
  }

  void check_service(const kube::Object& service) {
    const auto selector = json::Reader(service.body).at("spec", "selector");
    if (selector.size() == 0) {
      return;
    }
    const kube::Object* selected = nullptr;
    for (const auto* apply : applied_objects(plan_)) {
      if (is_workload(apply->object) && selects(selector, apply->object)) {
        selected = &apply->object;
      }
    }
    if (selected == nullptr) {
      if (has_workload_named(service.name())) {
        find(fmt::format("service/{} selects no pods of this project", service.name()),
             "its selector must be among the labels of the pods");
      }
      return;
    }
    for (const auto& port : json::Reader(service.body).at("spec", "ports").elements()) {
      const auto target = port.at("targetPort").string_or();
      if (!target.empty() && !has_port(*selected, target)) {
        find(fmt::format("service/{} leads to the port '{}', which {} does not have", service.name(), target,
                         kube::to_string(selected->key())),
             "name a port of the service");
      }
    }
  }

  bool has_workload_named(const std::string& name) const {
    return std::ranges::any_of(applied_objects(plan_), [&](const ApplyObject* apply) {
      return is_workload(apply->object) && apply->object.name() == name;
    });
  }

  void find(std::string what, std::string advice) {
    report_.findings.push_back({base::ErrorCode::invalid_input, std::move(what), std::move(advice)});
  }

  const Plan& plan_;
  const PreflightFacts& facts_;
  PreflightReport& report_;
};

}  // namespace

void check_references(const Plan& plan, const PreflightFacts& facts, PreflightReport& report) {
  References(plan, facts, report).run();
}

std::set<std::pair<std::string, std::string>> named_elsewhere(const Plan& plan) {
  std::set<std::pair<std::string, std::string>> made;
  std::set<std::pair<std::string, std::string>> named;
  for (const auto& step : plan.steps) {
    if (const auto* secret = std::get_if<ApplySecret>(&step.action)) {
      made.emplace("Secret", secret->name);
    } else if (const auto* apply = std::get_if<ApplyObject>(&step.action)) {
      made.emplace(apply->object.kind(), apply->object.name());
    }
  }
  for (const auto* object : objects_with_references(plan)) {
    const std::array one{*object};
    for (const auto& reference : generate::references(one)) {
      if (reference.kind == "Secret" || reference.kind == "ConfigMap" || reference.kind == "ServiceAccount") {
        named.emplace(reference.kind, reference.name);
      }
    }
  }
  std::set<std::pair<std::string, std::string>> elsewhere;
  std::ranges::set_difference(named, made, std::inserter(elsewhere, elsewhere.end()));
  return elsewhere;
}

}  // namespace deployctl::plan
