#include "core/plan/release.hpp"

#include "core/base/text.hpp"
#include "core/generate/task.hpp"
#include "core/json/reader.hpp"
#include "core/kube/field_diff.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/canary.hpp"
#include "core/plan/prune.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace deployctl::plan {
namespace {

std::vector<std::string> service_names(const project::Target& target) {
  std::vector<std::string> names;
  for (const auto& service : target.services) {
    names.push_back(*service.name);
  }
  return names;
}

bool is_workload(const kube::Object& object) {
  const auto kind = object.kind();
  return kind == "Deployment" || kind == "StatefulSet";
}

// What every release makes anew, under a new name when it has changed: applying it touches nothing that runs.
bool is_configuration(const kube::Object& object) {
  return object.kind() == "ConfigMap";
}

// What a pod cannot start without; everything else of a service may come after its workload.
bool is_needed_by_pods(const kube::Object& object) {
  const auto kind = object.kind();
  return kind == "PersistentVolumeClaim" || kind == "Service";
}

// Release facts travel on the Deployment; its controller copies them to the ReplicaSet, where history finds them.
void annotate(kube::Object& workload, const Observation& seen) {
  auto& annotations = workload.body["metadata"]["annotations"];
  if (!seen.commit.empty()) {
    annotations[std::string(commit_annotation)] = seen.commit;
  }
  if (!seen.tag.empty()) {
    annotations[std::string(tag_annotation)] = seen.tag;
  }
}

void hold_replicas(kube::Object& deployment, std::optional<long long> replicas) {
  deployment.body["spec"].erase("replicas");
  if (replicas) {
    deployment.body["spec"]["replicas"] = *replicas;
  }
}

generate::KubernetesOptions options_for(const project::Service& service, const Observation& seen) {
  generate::KubernetesOptions options{
      .images = seen.images, .tag = seen.tag, .secret_names = seen.secret_names, .api = seen.api};
  if (service.is_built() && !options.images.contains(*service.name)) {
    options.images[*service.name] = placeholder_for(*service.name);
  }
  return options;
}

std::string apply_id(const kube::Object& object) {
  return "apply:" + kube::to_string(object.key());
}

// Adds the steps of one service and of the whole project to a plan, and knows their ids.
class ReleasePlanner {
 public:
  ReleasePlanner(const project::Target& target, const Observation& seen, const Wish& wish)
      : target_(target), seen_(seen), wish_(wish) {
    plan_.project = *target.project;
    plan_.environment = target.environment;
    plan_.name_space = target.name_space;
  }

  void add_image_steps(const project::Service& service) {
    if (!service.is_built()) {
      return;
    }
    const auto reason = seen_.commit.empty() ? std::string() : "commit " + seen_.commit.substr(0, 7);
    const AttachDocuments documents{.sbom = wish_.sbom || service.build->sbom,
                                    .provenance = wish_.provenance || service.build->provenance};
    if (wish_.build) {
      add({.id = "build:" + *service.name,
           .service = *service.name,
           .action = BuildImage{*service.image, seen_.tag, documents.provenance},
           .reason = reason});
    }
    if (wish_.push) {
      add({.id = "push:" + *service.name,
           .service = *service.name,
           .action = PushImage{*service.image, seen_.tag},
           .reason = reason,
           .after = existing({"build:" + *service.name})});
      if (documents.sbom || documents.provenance) {
        add({.id = "attach:" + *service.name,
             .service = *service.name,
             .action = documents,
             .after = {"push:" + *service.name}});
      }
    }
  }

  void add_namespace_step() {
    if (!seen_.namespace_exists) {
      add_apply("", generate::namespace_object(target_), {});
    }
  }

  base::Status add_object_steps(const project::Service& service) {
    for (const auto& dependency : service.depends_on) {
      plan_.depends_on[*service.name].push_back(*dependency);
    }
    const auto objects = desired_objects(target_, service, seen_);
    if (!objects) {
      return objects.error();
    }
    const auto configured = add_configuration(service, *objects);
    const auto prepared = add_tasks(service, project::Task::When::before_rollout, configured, AfterFailure::is_left);
    if (!prepared) {
      return prepared.error();
    }
    const auto rolled_out = add_rollout(service, *objects, *prepared);
    const auto ended = add_tasks(service, project::Task::When::after_rollout, rolled_out, AfterFailure::is_done);
    if (!ended) {
      return ended.error();
    }
    last_steps_[*service.name] = *ended;
    return {};
  }

  // There is no way back behind them: nothing else of the run may be left that could ask for one.
  void add_contracts() {
    Ids after;
    for (const auto& step : plan_.steps) {
      if (step.phase == Phase::cluster) {
        after.push_back(step.id);
      }
    }
    for (auto& [service, task] : contracts_) {
      after = add_task(*service, std::move(task), "when the old pods are gone; no way back behind it", after,
                       AfterFailure::is_left);
    }
  }

  Plan take() && { return std::move(plan_); }

 private:
  using Ids = std::vector<std::string>;  // of the steps after which something may go on

  // What tasks and pods are configured by.
  Ids add_configuration(const project::Service& service, const std::vector<kube::Object>& objects) {
    const auto start = beginning_of(service);
    auto configured = start;
    if (const auto name = seen_.secret_names.find(*service.name); name != seen_.secret_names.end()) {
      const auto change = expected_of({"v1", "Secret", target_.name_space, name->second});
      add({.id = "apply:secret/" + name->second,
           .service = *service.name,
           .action = ApplySecret{name->second},
           .change = change,
           .reason = change == Change::create ? "new" : "",
           .after = start,
           .phase = Phase::cluster});
      configured.push_back("apply:secret/" + name->second);
    }
    for (const auto& object : objects) {
      if (is_configuration(object)) {
        add_apply(*service.name, object, start);
        configured.push_back(apply_id(object));
      }
    }
    return configured;
  }

  // One after the other, in the order of the project manifest.
  base::Result<Ids> add_tasks(const project::Service& service, project::Task::When when, Ids after,
                              AfterFailure after_failure) {
    auto tasks = desired_tasks(target_, service, when, seen_);
    if (!tasks) {
      return tasks.error();
    }
    for (auto& task : *tasks) {
      if (task.is_contract) {
        contracts_.push_back({&service, std::move(task)});
        continue;
      }
      const auto* const reason =
          when == project::Task::When::before_rollout ? "before the rollout" : "after the rollout";
      after = add_task(service, std::move(task), reason, std::move(after), after_failure);
    }
    return after;
  }

  Ids add_task(const project::Service& service, RunTask task, std::string reason, Ids after,
               AfterFailure after_failure) {
    auto id = "task:" + *service.name + "/" + task.task;
    add({.id = id,
         .service = *service.name,
         .action = std::move(task),
         .reason = std::move(reason),
         .after = std::move(after),
         .phase = Phase::cluster,
         .after_failure = after_failure});
    return {std::move(id)};
  }

  // The workload with all it needs and all that comes with it, up to the verdict.
  Ids add_rollout(const project::Service& service, const std::vector<kube::Object>& objects, const Ids& prepared) {
    auto before_pods = prepared;
    for (const auto& object : objects) {
      if (is_needed_by_pods(object) && !goes_with_the_switch(service, object)) {
        add_apply(*service.name, object, prepared);
        before_pods.push_back(apply_id(object));
      }
    }
    const auto workload = std::ranges::find_if(objects, is_workload);
    if (workload == objects.end()) {
      return before_pods;
    }
    add_apply(*service.name, *workload, before_pods, AfterFailure::is_left, reason_to_wait(service));
    const Ids applied{apply_id(*workload)};
    if (has_two_sides(service)) {
      return add_switch(service, objects, add_ending("rollout", service, AwaitRollout{}, applied));
    }
    add_attendants(service, objects, applied);
    return add_ending("rollout", service, AwaitRollout{}, applied);
  }

  bool has_two_sides(const project::Service& service) const {
    return service.strategy.type == project::Strategy::Type::blue_green || seen_.live_sides.contains(*service.name);
  }

  // The old pods get the requests until then, in the ways that they know.
  bool goes_with_the_switch(const project::Service& service, const kube::Object& object) const {
    return object.kind() == "Service" && has_two_sides(service);
  }

  // From the verdict on the new pods to the end of the old ones.
  Ids add_switch(const project::Service& service, const std::vector<kube::Object>& objects, const Ids& rolled_out) {
    const bool goes_home = service.strategy.type != project::Strategy::Type::blue_green;
    const bool waits = !goes_home && service.strategy.blue_green.waits_for_promote;
    const auto switched = add_ending("switch", service, SwitchTraffic{goes_home, waits}, rolled_out);
    auto done = switched;
    for (const auto& object : objects) {
      if (goes_with_the_switch(service, object)) {
        add_apply(*service.name, object, switched, AfterFailure::is_done);
        done.push_back(apply_id(object));
      }
    }
    add_attendants(service, objects, switched);
    add_ending("retire", service, RetireSide{service.strategy.blue_green.keep}, switched);
    return done;
  }

  // What refers to the workload: its autoscaler, its disruption budget, its Ingress.
  void add_attendants(const project::Service& service, const std::vector<kube::Object>& objects, const Ids& after) {
    for (const auto& object : objects) {
      if (!is_configuration(object) && !is_workload(object) && !is_needed_by_pods(object)) {
        add_apply(*service.name, object, after, AfterFailure::is_done);
      }
    }
  }

  // A step that ends what was begun.
  Ids add_ending(std::string_view what, const project::Service& service, Action action, Ids after) {
    auto id = fmt::format("{}:{}", what, *service.name);
    add({.id = id,
         .service = *service.name,
         .action = std::move(action),
         .after = std::move(after),
         .phase = Phase::cluster,
         .after_failure = AfterFailure::is_done});
    return {std::move(id)};
  }

  void add(Step step) {
    ids_.insert(step.id);
    plan_.steps.push_back(std::move(step));
  }

  void add_apply(const std::string& service, const kube::Object& object, std::vector<std::string> after,
                 AfterFailure after_failure = AfterFailure::is_left, std::string reason = {}) {
    const auto expected = seen_.expected.find(object.key());
    add({.id = apply_id(object),
         .service = service,
         .action = ApplyObject{object},
         .change = expected_of(object.key()),
         .reason = joined(expected == seen_.expected.end() ? "" : reason_for(object.key(), expected->second), reason),
         .after = std::move(after),
         .phase = Phase::cluster,
         .after_failure = after_failure});
  }

  Change expected_of(const kube::ObjectKey& key) const {
    const auto expected = seen_.expected.find(key);
    return expected == seen_.expected.end() ? Change::unknown : expected->second.change;
  }

  // What must have happened before the first step of a service: the Namespace is there, and the services it depends on
  // are rolled out.
  std::vector<std::string> beginning_of(const project::Service& service) const {
    auto before = existing({namespace_id()});
    for (const auto& dependency : service.depends_on) {
      if (const auto last = last_steps_.find(*dependency); last != last_steps_.end()) {
        before.insert(before.end(), last->second.begin(), last->second.end());
      }
    }
    return before;
  }

  static std::string joined(std::string first, const std::string& second) {
    const bool needs_both = !first.empty() && !second.empty();
    return std::move(first) + (needs_both ? "; " : "") + second;
  }

  std::string reason_to_wait(const project::Service& service) const {
    std::vector<std::string> names;
    for (const auto& dependency : service.depends_on) {
      if (last_steps_.contains(*dependency)) {
        names.push_back(*dependency);
      }
    }
    return names.empty() ? std::string() : "after " + base::join(names, ", ");
  }

  std::string namespace_id() const { return apply_id(generate::namespace_object(target_)); }

  // Those of the ids that are steps of the plan already.
  std::vector<std::string> existing(std::vector<std::string> ids) const {
    std::erase_if(ids, [&](const std::string& id) { return !ids_.contains(id); });
    return ids;
  }

  const project::Target& target_;
  const Observation& seen_;
  const Wish& wish_;
  Plan plan_;
  std::set<std::string> ids_;
  std::map<std::string, std::vector<std::string>> last_steps_;  // of the services so far: with them it is rolled out
  struct Contract {
    const project::Service* service = nullptr;
    RunTask task;
  };
  std::vector<Contract> contracts_;
};

// Each after the services it depends on, otherwise in the order they came in.
class DependencyOrder {
 public:
  explicit DependencyOrder(const std::vector<const project::Service*>& services) : services_(services) {}

  std::vector<const project::Service*> sorted() {
    for (const auto* service : services_) {
      visit(*service);
    }
    return std::move(sorted_);
  }

 private:
  // There are no circles: the project manifest has been checked.
  void visit(const project::Service& service) {
    if (!seen_.insert(*service.name).second) {
      return;
    }
    for (const auto& dependency : service.depends_on) {
      const auto found = std::ranges::find_if(services_, [&](const auto* each) { return *each->name == *dependency; });
      if (found != services_.end()) {
        visit(**found);
      }
    }
    sorted_.push_back(&service);
  }

  const std::vector<const project::Service*>& services_;
  std::set<std::string> seen_;
  std::vector<const project::Service*> sorted_;
};

// Nothing is recorded where every object is as it is wanted.
bool becomes_a_release(const Plan& plan) {
  return std::ranges::any_of(plan.steps, [](const Step& step) {
    const bool writes =
        std::holds_alternative<ApplyObject>(step.action) || std::holds_alternative<ApplySecret>(step.action);
    return writes && step.change != Change::none;
  });
}

// The release that the plan is to become counts as the newest of the ledger.
void add_prune_steps(Plan& plan, const Observation& seen, const std::vector<std::string>& services) {
  auto desired = desired_keys(plan);
  if (seen.left_alone) {
    desired.insert(desired.end(), seen.left_alone->begin(), seen.left_alone->end());
  }
  auto releases = seen.releases;
  if (becomes_a_release(plan)) {
    releases.insert(releases.begin(), {.state = kube::ReleaseState::deployed, .inventory = desired});
  }
  auto leftovers = to_prune(releases, desired);
  std::erase_if(leftovers, [&](const kube::ObjectKey& key) { return seen.not_pruned.contains(key); });
  for (auto& step : make_way(plan.steps, prune_steps(leftovers, services), seen.moved_ports)) {
    plan.steps.push_back(std::move(step));
  }
}

}  // namespace

std::optional<long long> held_replicas(const kube::Object& deployment) {
  const auto managers = kube::managers_of(deployment.body, {"spec", "replicas"});
  const bool is_ours = std::ranges::any_of(managers, [](const auto& each) { return each.name == "deployctl"; });
  return is_ours ? json::Reader(deployment.body).at("spec", "replicas").integer() : std::nullopt;
}

base::Result<std::vector<const project::Service*>> chosen_services(const project::Target& target, const Wish& wish) {
  std::vector<const project::Service*> chosen;
  for (const auto& name : wish.services) {
    if (target.find(name) == nullptr) {
      const auto names = service_names(target);
      const auto nearest = base::did_you_mean(name, names);
      return base::Error::usage("the project manifest has no service '{}'", base::printable(name))
          .with_hint("{}", nearest.empty() ? "it has: " + base::join(names, ", ") : nearest);
    }
  }
  for (const auto& service : target.services) {
    if (wish.services.empty() || std::ranges::find(wish.services, *service.name) != wish.services.end()) {
      chosen.push_back(&service);
    }
  }
  return chosen;
}

std::vector<std::string> names_of(const std::vector<const project::Service*>& services) {
  std::vector<std::string> names;
  for (const auto* service : services) {
    names.push_back(*service->name);
  }
  return names;
}

base::Result<std::vector<RunTask>> desired_tasks(const project::Target& target, const project::Service& service,
                                                 project::Task::When when, const Observation& seen) {
  std::vector<RunTask> tasks;
  for (const auto& task : service.tasks) {
    if (task.when != when) {
      continue;
    }
    auto job = generate::task_job(target, service, task, seen.inputs, options_for(service, seen));
    if (!job) {
      return job.error();
    }
    tasks.push_back({.task = task.name,
                     .is_contract = task.compatible == project::Task::Compatible::contract,
                     .job = std::move(*job)});
  }
  return tasks;
}

base::Result<std::vector<kube::Object>> desired_objects(const project::Target& target, const project::Service& service,
                                                        const Observation& seen) {
  const auto options = options_for(service, seen);
  auto objects = generate::kubernetes_objects(target, service, seen.inputs, options);
  if (objects) {
    const auto held = seen.held_replicas.find(*service.name);
    for (auto& object : *objects) {
      if (held != seen.held_replicas.end() && object.kind() == "Deployment") {
        hold_replicas(object, held->second);
      }
      if (is_workload(object) && service.is_built()) {
        annotate(object, seen);
      }
      if (is_workload(object) && service.strategy.type == project::Strategy::Type::blue_green) {
        object.body["metadata"]["annotations"][std::string(strategy_annotation)] = blue_green_strategy;
      }
    }
  }
  return objects;
}

std::vector<kube::ObjectKey> desired_keys(const Plan& plan) {
  std::vector<kube::ObjectKey> keys;
  for (const auto& step : plan.steps) {
    if (const auto* apply = std::get_if<ApplyObject>(&step.action)) {
      keys.push_back(apply->object.key());
    } else if (const auto* secret = std::get_if<ApplySecret>(&step.action)) {
      keys.push_back({"v1", "Secret", plan.name_space, secret->name});
    } else if (std::holds_alternative<RetireSide>(step.action)) {
      keys.push_back(
          {"apps/v1", "Deployment", plan.name_space, generate::side_name(step.service, generate::Side::green)});
    }
  }
  return keys;
}

namespace {

// A canary needs something to be compared with.
bool is_live(const std::string& service, const Observation& seen) {
  const auto* live = kube::live_release(seen.releases);
  return live != nullptr && (!live->inventory || std::ranges::any_of(*live->inventory, [&](const kube::ObjectKey& key) {
           return key.kind == "Deployment" && key.name == service;
         }));
}

}  // namespace

base::Result<Plan> release(const project::Target& target, const Observation& seen, const Wish& wish) {
  const auto services = chosen_services(target, wish);
  if (!services) {
    return services.error();
  }
  ReleasePlanner planner(target, seen, wish);
  for (const auto* service : *services) {
    planner.add_image_steps(*service);
  }
  if (wish.rollout) {
    planner.add_namespace_step();
    for (const auto* service : DependencyOrder(*services).sorted()) {
      if (const auto added = planner.add_object_steps(*service); !added) {
        return added.error().within("planning {}", *service->name);
      }
    }
    planner.add_contracts();
  }
  auto plan = std::move(planner).take();
  for (const auto* service : *services) {
    if (wish.rollout && service->strategy.type == project::Strategy::Type::canary && is_live(*service->name, seen)) {
      add_canary(plan, *service->name, service->strategy.canary);
    }
  }
  if (wish.rollout && (wish.services.empty() || seen.left_alone)) {
    add_prune_steps(plan, seen, wish.services);
  }
  return plan;
}

}  // namespace deployctl::plan
