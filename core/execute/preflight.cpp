// Requests, warm, for a project of one service in an existing namespace: one dry run an object (which also tells the
// live version, so that the apply itself saves a request), quotas, limits, nodes, the service account, one to the
// registry. The rules of access and the cluster's identity were asked for while observing (observe.cpp).
#include "core/execute/preflight.hpp"

#include "core/base/text.hpp"
#include "core/execute/apply.hpp"
#include "core/execute/at_once.hpp"
#include "core/execute/foreign_selector.hpp"
#include "core/execute/hidden_variables.hpp"
#include "core/execute/images.hpp"
#include "core/execute/node_ports.hpp"
#include "core/execute/preflight_images.hpp"
#include "core/execute/preflight_routers.hpp"
#include "core/execute/task_step.hpp"
#include "core/generate/sides.hpp"
#include "core/json/reader.hpp"
#include "core/kube/adoption.hpp"
#include "core/kube/applied_before.hpp"
#include "core/kube/resource.hpp"
#include "core/oci/reference.hpp"
#include "core/plan/made_beside.hpp"
#include "core/plan/preflight.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace deployctl::execute {
namespace {

using base::ErrorCode;

class Gatherer {
 public:
  Gatherer(const plan::Plan& plan, const project::Target& target, Seen& seen, const PreflightOptions& options,
           const Ports& ports)
      : plan_(plan), target_(target), seen_(seen), client_(*seen.world.cluster), options_(options), ports_(ports) {
    for (const auto& [service, reference] : seen.observation.images) {
      images_.set(service, reference);
    }
  }

  base::Result<plan::PreflightFacts> gather() {
    facts_.user = client_.connection().user_name.empty() ? "" : "user " + client_.connection().user_name;
    facts_.deployments = seen_.observation.deployments;
    for (const auto& step : plan_.steps) {
      if (const auto* apply = std::get_if<plan::ApplyObject>(&step.action)) {
        kube::add_keys(variables_, apply->object);
      }
    }
    facts_.refusals = router_refusals(plan_, seen_.observation.namespace_exists, client_, ports_.stop);
    Jobs jobs;
    add_permissions(jobs);
    jobs.emplace_back([this] { look_up_images(); });
    add_list(jobs, "Node", facts_.nodes);
    add_storage_classes(jobs);
    add_named_objects(jobs);
    if (seen_.observation.namespace_exists) {
      add_dry_runs(jobs);
      add_list(jobs, "ResourceQuota", facts_.quotas);
      add_list(jobs, "LimitRange", facts_.limit_ranges);
    }
    run_at_once(jobs);
    check_handovers();
    if (!failure_) {
      try_what_is_made_beside();
      list_pods();
      ask_for_tasks();
    }
    if (ports_.stop.stop_requested()) {
      return base::Error::interrupted();
    }
    return failure_ ? base::Result<plan::PreflightFacts>(*failure_) : std::move(facts_);
  }

 private:
  // What the rules do not allow is asked for singly when they are not the whole truth.
  void add_permissions(Jobs& jobs) {
    const auto& rules = seen_.access;
    for (const auto& needed : plan::needed_permissions(plan_)) {
      if (rules && kube::allows(*rules, needed.permission)) {
        continue;
      }
      if (rules && !rules->is_incomplete) {
        facts_.missing_permissions.push_back(needed);
      } else {
        jobs.emplace_back([this, needed] { ask_for(needed); });
      }
    }
  }

  void ask_for(const plan::NeededPermission& needed) {
    const auto& permission = needed.permission;
    const auto [resource, subresource] = base::split_once(permission.resource, '/');
    const kube::Resource asked{.group = permission.group,
                               .version = {},
                               .kind = {},
                               .plural = std::string(resource),
                               .scope = permission.scope};
    const auto name_space = permission.scope == kube::Scope::cluster ? std::string() : plan_.name_space;
    const auto allowed = client_.may(permission.verb, asked, name_space, subresource, ports_.stop);
    const std::scoped_lock lock(mutex_);
    if (!allowed) {
      note_failure(allowed.error().within("asking for our permissions"));
    } else if (!*allowed) {
      facts_.missing_permissions.push_back(needed);
    }
  }

  void add_dry_runs(Jobs& jobs) {
    for (const auto& step : plan_.steps) {
      if (const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
          apply != nullptr && apply->object.kind() != "Namespace" && !facts_.refusals.contains(apply->object.key())) {
        jobs.emplace_back([this, &step = step, &object = apply->object] { try_out(step, object); });
      }
    }
  }

  // An image that this run makes stands in the object as a placeholder, which the server takes for any other.
  void try_out(const plan::Step& step, const kube::Object& planned) {
    const auto object = on_live_side(step, with_images(planned));
    const auto result = try_apply(client_, object, options_.force, ports_.stop);
    if (!result && is_port_taken(result.error())) {
      look_for_port(planned, result.error());
      return;
    }
    const std::scoped_lock lock(mutex_);
    if (!result) {
      note_refusal(planned.key(), result.error());
      return;
    }
    const auto& answer = result->object;
    if (const auto finds = check_selector(object, answer); !finds && !will_be_adopted(object, answer)) {
      facts_.refusals.emplace(planned.key(), finds.error());
    }
    const auto version = answer.resource_version();
    seen_.live_versions[object.key()] = version;
    facts_.changes[planned.key()] = expected_change(object, version, answer);
    note_settled(step, object, *result);
    note_hidden(step, planned, object, answer);
  }

  // A workload is always applied: the moment of it is what its pods are judged by. What a canary or a side changes in
  // the run is not what it was before.
  void note_settled(const plan::Step& step, const kube::Object& object, const cluster::Applied& answer) {
    const bool may_be_left = options_.force == cluster::Force::no && object.kind() != "Deployment" &&
                             !plan::changes_routes(plan_, step.service);
    if (may_be_left && kube::was_applied_before(answer.object, cluster::field_manager, answer.time)) {
      seen_.settled.push_back({.object = object, .at = ports_.clock.steady_now()});
    }
  }

  // Where a release has two sides, new pods are made without them.
  void note_hidden(const plan::Step& step, const kube::Object& planned, const kube::Object& wanted,
                   const kube::Object& answer) {
    const bool is_made_anew =
        seen_.observation.live_sides.contains(step.service) && facts_.changes.at(planned.key()) != plan::Change::none;
    if (wanted.kind() != "Deployment" || is_made_anew) {
      return;
    }
    const auto hidden = kube::hidden_variables(wanted, answer, variables_, cluster::field_manager);
    if (hidden.empty()) {
      return;
    }
    if (options_.force == cluster::Force::no) {
      facts_.refusals.emplace(planned.key(), hidden_variables_error(wanted, hidden));
      return;
    }
    std::ranges::transform(hidden, std::back_inserter(seen_.hiding[wanted.key()]), &kube::HiddenVariable::path);
  }

  // What kubectl has made is taken over whole.
  bool will_be_adopted(const kube::Object& wanted, const kube::Object& live) const {
    return options_.force == cluster::Force::yes && kube::adopted(live.body, wanted.body, cluster::field_manager);
  }

  // A Service that the run prunes hands its node port over.
  void look_for_port(const kube::Object& wanted, const base::Error& refusal) {
    const auto planned = [this](const kube::ObjectKey& key) -> const kube::Object* {
      for (const auto& step : plan_.steps) {
        const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
        if (apply != nullptr && apply->object.key() == key) {
          return &apply->object;
        }
      }
      return nullptr;
    };
    const auto old =
        taken_port({.wanted = wanted, .target = target_, .services = options_.services, .planned = planned}, refusal,
                   client_, ports_);
    const std::scoped_lock lock(mutex_);
    if (old) {
      seen_.observation.moved_ports.insert_or_assign(wanted.key(), *old);
    } else {
      note_refusal(wanted.key(), old.error());
    }
  }

  void check_handovers() {
    auto& moved = seen_.observation.moved_ports;
    for (const auto& blocked : plan::blocked_handovers(plan_.steps, moved)) {
      note_refusal(blocked, base::Error::invalid_input("its node port is that of {}, which gives it up no sooner than "
                                                       "this one is there",
                                                       kube::to_string(moved.at(blocked)))
                                .with_hint("release one of them without its 'node_port' first: they exchange ports, or "
                                           "one depends on the other"));
    }
  }

  // A second Deployment is refused for what the first is refused for, which need not be said twice.
  void try_what_is_made_beside() {
    if (!facts_.refusals.empty() || !seen_.observation.namespace_exists) {
      return;
    }
    const auto made = plan::made_beside(plan_, seen_.observation.live_sides, facts_);
    Jobs jobs;
    for (const auto& each : made) {
      jobs.emplace_back([this, &each] {
        const auto force = each.is_ours_alone ? cluster::Force::yes : options_.force;
        const auto result = try_apply(client_, with_images(each.object), force, ports_.stop);
        const std::scoped_lock lock(mutex_);
        if (!result) {
          note_refusal(each.object.key(), result.error());
        } else if (each.most_pods > 0) {
          facts_.beside.emplace(each.service, pods_beside(each, result->object));
        }
      });
    }
    run_at_once(jobs);
  }

  // Those of a side that is kept, and of a canary that is gone on with, are there already.
  static plan::PodsBeside pods_beside(const plan::MadeBeside& made, const kube::Object& tried) {
    return {.deployment = made.object,
            .most = made.most_pods,
            .there = static_cast<int>(json::Reader(tried.body).at("status", "replicas").integer_or()),
            .is_side = !made.is_ours_alone};
  }

  // A task that has been done needs no room. Of one whose image this run makes that is not known yet.
  void ask_for_tasks() {
    for (const auto& [id, why] : plan::tasks_without_room(plan_, facts_)) {
      const auto& step = *std::ranges::find(plan_.steps, id, &plan::Step::id);
      const auto job = images_.filled_in(std::get<plan::RunTask>(step.action).job);
      const auto done = job ? has_been_done(*job, client_, ports_) : base::Result<bool>(job.error());
      facts_.tasks[id] = !done ? plan::TaskState::unknown : *done ? plan::TaskState::done : plan::TaskState::due;
    }
  }

  kube::Object with_images(const kube::Object& planned) const {
    auto filled = images_.filled_in(planned);
    return filled ? *std::move(filled) : planned;
  }

  void note_refusal(const kube::ObjectKey& key, const base::Error& error) {
    if (is_trial_refused(error)) {
      facts_.remarks.push_back(error.message);
    } else if (is_about_the_object(error)) {
      facts_.refusals.emplace(key, error);
    } else {
      note_failure(error.within("trying out {}", kube::to_string(key)));
    }
  }

  // A blue-green release is compared with what is live.
  kube::Object on_live_side(const plan::Step& step, const kube::Object& object) const {
    const auto side = seen_.observation.live_sides.find(step.service);
    return side == seen_.observation.live_sides.end() ? object : generate::on_side(object, side->second);
  }

  // The generation of a Deployment moves with its spec, in a dry run too.
  plan::Change expected_change(const kube::Object& object, const std::string& version,
                               const kube::Object& result) const {
    if (version.empty()) {
      return plan::Change::create;
    }
    const auto* live = object.kind() == "Deployment" ? live_deployment(object.name()) : nullptr;
    if (live == nullptr) {
      return plan::Change::unknown;
    }
    const auto generation = [](const kube::Object& each) {
      return json::Reader(each.body).at("metadata", "generation").integer_or();
    };
    return generation(result) == generation(*live) ? plan::Change::none : plan::Change::update;
  }

  const kube::Object* live_deployment(const std::string& name) const {
    for (const auto* sides : {&facts_.deployments, &std::as_const(seen_.green)}) {
      for (const auto& [service, deployment] : *sides) {
        if (deployment.name() == name) {
          return &deployment;
        }
      }
    }
    return nullptr;
  }

  static bool is_about_the_object(const base::Error& error) {
    return error.code != ErrorCode::unreachable && error.code != ErrorCode::interrupted;
  }

  [[nodiscard]] bool may_list(const kube::Resource& resource) const {
    return !seen_.access || seen_.access->is_incomplete ||
           kube::allows(*seen_.access, kube::permission("list", resource));
  }

  // Who may not list them goes without.
  void add_list(Jobs& jobs, std::string_view kind, std::optional<std::vector<kube::Object>>& out) {
    const auto resource = kube::resource_of(kind);
    if (!may_list(resource)) {
      return;
    }
    jobs.emplace_back([this, resource, &out] {
      const auto name_space = resource.scope == kube::Scope::cluster ? std::string() : plan_.name_space;
      auto listed = client_.list({.resource = resource, .name_space = name_space}, ports_.stop);
      const std::scoped_lock lock(mutex_);
      if (listed) {
        out = std::move(listed->items);
      } else if (listed.error().code == ErrorCode::unreachable) {
        note_failure(listed.error());
      }
    });
  }

  // Of the whole cluster, which is much: only where pods are to be added that say what they take. Who may not list them
  // goes without.
  void list_pods() {
    if (!facts_.nodes || std::ranges::none_of(plan::loads_of(plan_, facts_), plan::asks_for_room)) {
      return;
    }
    auto listed = client_.list({.resource = kube::resource_of("Pod"),
                                .name_space = {},
                                .field_selector = "status.phase!=Succeeded,status.phase!=Failed"},
                               ports_.stop);
    if (listed) {
      facts_.pods = std::move(listed->items);
    } else if (listed.error().code == ErrorCode::unreachable) {
      note_failure(listed.error());
    }
  }

  void look_up_images() {
    auto found = execute::look_up_images(
        {.plan = plan_,
         .target = target_,
         .settled = seen_.observation.images,
         .namespace_exists = seen_.observation.namespace_exists,
         .with_platforms = may_list(kube::resource_of("Node")) ? WithPlatforms::yes : WithPlatforms::no},
        client_, ports_);
    const std::scoped_lock lock(mutex_);
    if (!found) {
      note_failure(found.error());
      return;
    }
    facts_.images = std::move(found->images);
    std::ranges::copy(found->problems, std::back_inserter(facts_.remarks));
  }

  void add_named_objects(Jobs& jobs) {
    for (const auto& named : plan::named_elsewhere(plan_)) {
      jobs.emplace_back([this, named] { look_for(named); });
    }
  }

  // Who may not list both goes without.
  void add_storage_classes(Jobs& jobs) {
    const bool is_any_asked_for = std::ranges::any_of(plan_.steps, [](const plan::Step& step) {
      const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
      return apply != nullptr && !plan::storage_class_of(apply->object).empty();
    });
    if (is_any_asked_for) {
      jobs.emplace_back([this] { list_storage_classes(); });
    }
  }

  void list_storage_classes() {
    const auto list = [this](kube::Resource resource) {
      resource.scope = kube::Scope::cluster;
      return client_.list({.resource = resource, .name_space = {}}, ports_.stop);
    };
    const auto classes = list({"storage.k8s.io", "v1", "StorageClass", "storageclasses"});
    const auto volumes = list({"", "v1", "PersistentVolume", "persistentvolumes"});
    if (!classes || !volumes) {
      return;
    }
    std::vector<std::string> names;
    for (const auto& each : classes->items) {
      names.push_back(each.name());
    }
    for (const auto& each : volumes->items) {
      names.push_back(json::Reader(each.body).at("spec", "storageClassName").string_or());
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::erase(names, "");
    const std::scoped_lock lock(mutex_);
    facts_.storage_classes = std::move(names);
  }

  void look_for(const std::pair<std::string, std::string>& named) {
    const auto found = client_.get({"v1", named.first, plan_.name_space, named.second}, ports_.stop);
    const std::scoped_lock lock(mutex_);
    if (found) {
      std::set<std::string> keys;
      for (const auto* part : {"data", "binaryData"}) {
        for (const auto& [key, value] : json::Reader(found->body).at(part).members()) {
          keys.insert(key);
        }
      }
      facts_.named_objects[named] = std::move(keys);
    } else if (found.error().code == ErrorCode::not_found) {
      facts_.named_objects[named] = std::nullopt;
    } else if (found.error().code == ErrorCode::unreachable) {
      note_failure(found.error());
    } else {
      facts_.remarks.push_back(fmt::format("whether the {} {} is there with all its keys is not known: {}", named.first,
                                           named.second, found.error().message));
    }
  }

  void note_failure(base::Error error) {
    if (!failure_) {
      failure_ = std::move(error);
    }
  }

  const plan::Plan& plan_;
  const project::Target& target_;
  Seen& seen_;
  cluster::Client& client_;
  const PreflightOptions& options_;
  const Ports& ports_;
  Images images_;
  kube::VariableMaps variables_;
  std::mutex mutex_;
  plan::PreflightFacts facts_;
  std::optional<base::Error> failure_;
};

}  // namespace

base::Result<std::optional<kube::AccessRules>> read_access(cluster::Client& client, const std::string& name_space,
                                                           std::stop_token stop) {
  auto access = client.access_rules(name_space, std::move(stop));
  if (access) {
    return std::optional(std::move(*access));
  }
  return access.error().code == ErrorCode::unreachable ? base::Result<std::optional<kube::AccessRules>>(access.error())
                                                       : std::optional<kube::AccessRules>();
}

base::Status preflight(const plan::Plan& plan, const project::Target& target, Seen& seen,
                       const PreflightOptions& options, const Ports& ports) {
  Gatherer gatherer(plan, target, seen, options, ports);
  const auto facts = gatherer.gather();
  if (!facts) {
    return facts.error();
  }
  auto report = plan::preflight(plan, target, *facts);
  for (auto& remark : report.remarks) {
    ports.events.emit(events::Note{events::Note::Level::warning, std::move(remark)});
  }
  return report.findings.empty() ? base::Status() : plan::to_error(report.findings);
}

}  // namespace deployctl::execute
