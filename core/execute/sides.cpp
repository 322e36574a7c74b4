#include "core/execute/sides.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/execute/find.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/same_pods.hpp"
#include "core/execute/step_report.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"
#include "core/kube/rollout_status.hpp"
#include "core/kube/selector.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace deployctl::execute {
namespace {

using generate::Side;
using Outcome = events::StepFinished::Outcome;

// The endpoints controller follows within a second; nodes read its word a moment later.
constexpr std::chrono::milliseconds time_for_endpoints{15'000};
constexpr std::chrono::milliseconds between_looks{200};
// Until every node sends new connections elsewhere, which nothing tells (docs/decisions/0004-drain-before-stop.md).
constexpr std::chrono::milliseconds drain{5'000};

kube::ObjectKey deployment_key(std::string name_space, const std::string& service, Side side) {
  return {.api_version = "apps/v1",
          .kind = "Deployment",
          .name_space = std::move(name_space),
          .name = generate::side_name(service, side)};
}

long long replicas_of(const kube::Object& deployment) {
  return json::Reader(deployment.body).at("spec", "replicas").integer_or(1);
}

std::string kept_until(const kube::Object& deployment) {
  return json::Reader(deployment.body).at("metadata", "annotations", generate::kept_until_annotation).string_or();
}

// A side that is to go.
struct Leaving {
  kube::ObjectKey left;
  bool was_live = false;  // until a moment ago
  bool for_good = false;
  base::Milliseconds keep{0};
};

// What became of it.
struct Gone {
  bool is_unchanged = false;
  std::string result;
};

class SideWriter {
 public:
  SideWriter(cluster::Client& client, const Ports& ports) : client_(client), ports_(ports) {}

  // Requests go to the old pods for as long as endpoints name them: they must not be taken away before.
  // Of a side without pods there are none.
  [[nodiscard]] base::Status wait_for_endpoints(const kube::Object& service, long long pods) const {
    const auto end = ports_.clock.steady_now() + time_for_endpoints;
    while (true) {
      const auto is_followed = leads_only_to(service, pods);
      if (!is_followed) {
        return is_followed.error();
      }
      if (*is_followed) {
        return {};
      }
      if (ports_.clock.steady_now() >= end) {
        return base::Error::make(base::ErrorCode::rollout_undecided, "the endpoints of {} have not followed after {}",
                                 kube::to_string(service.key()), base::to_string(time_for_endpoints))
            .with_hint("look at kube-controller-manager; the old pods are still there");
      }
      ports_.clock.sleep_for(between_looks, ports_.stop);
      if (ports_.stop.stop_requested()) {
        return base::Error::interrupted();
      }
    }
  }

  // Before the switch: whoever goes on after a run that was killed knows that the side is to be kept.
  [[nodiscard]] base::Status mark(const kube::ObjectKey& deployment, base::Milliseconds keep) const {
    const auto until = io::to_rfc3339(ports_.clock.now() + keep);
    const auto patched = patch(
        deployment, {{"metadata", {{"annotations", {{std::string(generate::kept_until_annotation), until}}}}}}, {});
    return patched ? base::Status() : patched.error();
  }

  // A side that gets new pods is not kept to go back to any more.
  [[nodiscard]] base::Status unmark(const kube::ObjectKey& deployment) const {
    const auto patched = patch(
        deployment, {{"metadata", {{"annotations", {{std::string(generate::kept_until_annotation), nullptr}}}}}}, {});
    const bool is_well = patched || patched.error().code == base::ErrorCode::not_found;
    return is_well ? base::Status() : patched.error();
  }

  [[nodiscard]] base::Status retire(const std::string& step, const std::string& service, const Leaving& leaving) const {
    StepReport report(ports_.events, ports_.clock, step, service, fmt::format("letting {} go", leaving.left.name));
    const auto gone = let_go(leaving);
    if (!gone) {
      report.finish(Outcome::failed, gone.error().message);
      return gone.error().within("letting {} go", leaving.left.name);
    }
    report.finish(gone->is_unchanged ? Outcome::unchanged : Outcome::done, gone->result);
    return {};
  }

 private:
  [[nodiscard]] base::Result<bool> leads_only_to(const kube::Object& service, long long wanted_pods) const {
    const auto endpoints = find_object(
        client_, {.api_version = "v1", .kind = "Endpoints", .name_space = service.name_space(), .name = service.name()},
        ports_.stop);
    const auto pods = client_.list({.resource = kube::resource_of("Pod"),
                                    .name_space = service.name_space(),
                                    .label_selector = kube::to_query(kube::selector_of(service))},
                                   ports_.stop);
    if (!endpoints || !pods) {
      return endpoints ? pods.error() : endpoints.error();
    }
    std::set<std::string> names;
    for (const auto& pod : pods->items) {
      names.insert(pod.name());
    }
    const auto found = addresses_of(*endpoints);
    return (wanted_pods == 0 || !found.empty()) &&
           std::ranges::all_of(found, [&](const auto& pod) { return names.contains(pod); });
  }

  // The pods that endpoints name.
  static std::vector<std::string> addresses_of(const std::optional<kube::Object>& endpoints) {
    std::vector<std::string> pods;
    if (!endpoints) {
      return pods;
    }
    for (const auto& subset : json::Reader(endpoints->body).at("subsets").elements()) {
      for (const auto& address : subset.at("addresses").elements()) {
        pods.push_back(address.at("targetRef", "name").string_or());
      }
    }
    return pods;
  }

  [[nodiscard]] base::Result<Gone> let_go(const Leaving& leaving) const {
    const auto found = find_object(client_, leaving.left, ports_.stop);
    if (!found) {
      return found.error();
    }
    if (!*found) {
      return Gone{true, "there is no " + leaving.left.name};
    }
    const auto until = kept_until(**found);
    if (leaving.was_live && leaving.keep.count() > 0 && !leaving.for_good) {
      return Gone{false, fmt::format("{} is kept to go back to; the first rollout after {} scales it down",
                                     leaving.left.name, until)};
    }
    if (leaving.was_live) {
      ports_.clock.sleep_for(drain, ports_.stop);
    }
    if (leaving.for_good) {
      return remove(**found);
    }
    if (!leaving.was_live && until > io::to_rfc3339(ports_.clock.now())) {
      return Gone{true, fmt::format("{} is kept until {}", leaving.left.name, until)};
    }
    return replicas_of(**found) == 0
               ? base::Result<Gone>(Gone{true, leaving.left.name + " has no pods"})
               : patch(leaving.left, {{"spec", {{"replicas", 0}}}}, leaving.left.name + " is scaled down");
  }

  [[nodiscard]] base::Result<Gone> remove(const kube::Object& deployment) const {
    const auto removed =
        client_.remove(deployment.key(), {.uid = json::Reader(deployment.body).at("metadata", "uid").string_or(),
                                          .resource_version = {},
                                          .stop = ports_.stop});
    return removed ? base::Result<Gone>(Gone{false, deployment.name() + " is deleted"}) : removed.error();
  }

  [[nodiscard]] base::Result<Gone> patch(const kube::ObjectKey& deployment, const json::Value& change,
                                         std::string result) const {
    const auto patched = client_.patch(deployment, cluster::PatchType::merge, change, cluster::DryRun::no, ports_.stop);
    return patched ? base::Result<Gone>(Gone{false, std::move(result)}) : patched.error();
  }

  cluster::Client& client_;
  const Ports& ports_;
};

}  // namespace

Sides::Sides(const std::vector<plan::Step>& steps, cluster::Client* client, const Ports& ports)
    : client_(client), ports_(ports) {
  for (const auto& step : steps) {
    if (const auto* action = std::get_if<plan::SwitchTraffic>(&step.action)) {
      auto& state = states_[step.service];
      state.goes_home = action->goes_home;
      state.waits_for_promote = action->waits_for_promote;
    } else if (const auto* retire = std::get_if<plan::RetireSide>(&step.action)) {
      states_[step.service].keep = retire->keep;
    }
  }
  for (const auto& step : steps) {
    const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
    const auto state = states_.find(step.service);
    if (apply != nullptr && state != states_.end() && apply->object.kind() == "Service") {
      state->second.service = apply->object;
    }
  }
}

base::Result<kube::Object> Sides::placed(const std::string& service, const kube::Object& object) {
  const auto found = states_.find(service);
  const auto kind = object.kind();
  if (found == states_.end() || kind == "ConfigMap" || kind == "PersistentVolumeClaim") {
    return object;
  }
  auto& state = found->second;
  if (const auto looked = look(service, object, state); !looked) {
    return looked.error();
  }
  return kind == "Deployment" ? choose(object, state) : generate::on_side(object, state.chosen);
}

base::Status Sides::look(const std::string& service, const kube::Object& like, State& state) {
  if (state.is_known) {
    return {};
  }
  const auto address =
      find_object(*client_, {.api_version = "v1", .kind = "Service", .name_space = like.name_space(), .name = service},
                  ports_.stop);
  if (!address) {
    return address.error();
  }
  state.live = *address ? generate::live_side(**address) : Side::blue;
  auto deployment = find_object(*client_, deployment_key(like.name_space(), service, state.live), ports_.stop);
  if (!deployment) {
    return deployment.error();
  }
  state.live_deployment = std::move(*deployment);
  state.chosen = state.live;
  state.is_known = true;
  return {};
}

// An autoscaler owns the number of pods of the live side: the new one begins with as many.
base::Result<kube::Object> Sides::choose(const kube::Object& deployment, State& state) {
  auto object = deployment;
  if (!object.body["spec"].contains("replicas") && state.live_deployment) {
    object.body["spec"]["replicas"] = std::max(1LL, replicas_of(*state.live_deployment));
  }
  if (state.goes_home) {
    state.chosen = Side::blue;
  } else if (state.live_deployment) {
    const auto is_same =
        keeps_pods(*client_, generate::on_side(object, state.live), *state.live_deployment, ports_.stop);
    if (!is_same) {
      return is_same.error().within("comparing with the side that is live");
    }
    state.chosen = *is_same ? state.live : generate::other(state.live);
  }
  auto placed = generate::on_side(object, state.chosen);
  state.wanted_pods = replicas_of(placed);
  if (state.chosen != state.live) {
    if (const auto unmarked = SideWriter(*client_, ports_).unmark(placed.key()); !unmarked) {
      return unmarked.error();
    }
  }
  return placed;
}

base::Status Sides::switch_traffic(const plan::Step& step) {
  auto& state = states_.at(step.service);
  StepReport report(ports_.events, ports_.clock, step.id, step.service, "switching " + step.service);
  if (!state.service || state.chosen == state.live) {
    report.finish(Outcome::unchanged, fmt::format("{} is live", to_string(state.chosen)));
    return {};
  }
  if (state.waits_for_promote) {
    const auto name = generate::side_name(step.service, state.chosen);
    state.chosen = state.live;
    state.is_held = true;
    report.finish(Outcome::open, fmt::format("{0} is ready and gets no request yet: 'deployctl promote {1}' switches "
                                             "to it, 'deployctl abort {1}' lets it go",
                                             name, step.service));
    return {};
  }
  const auto switched = switch_over(step, state);
  if (!switched) {
    report.finish(Outcome::failed, switched.error().message);
    return switched.error().within("switching {} to {}", step.service, to_string(state.chosen));
  }
  report.finish(Outcome::done, *switched);
  return {};
}

base::Result<std::string> Sides::switch_over(const plan::Step& step, State& state) {
  auto service = generate::on_side(*state.service, state.chosen);
  const auto live = find_object(*client_, service.key(), ports_.stop);
  if (!live) {
    return live.error();
  }
  if (*live && generate::live_side(**live) != state.live) {
    return base::Error::make(base::ErrorCode::conflict, "service/{} leads to {} already: another run was faster",
                             step.service, to_string(generate::live_side(**live)));
  }
  const SideWriter writer(*client_, ports_);
  if (state.keep.count() > 0 && !state.goes_home) {
    const auto left = deployment_key(service.name_space(), step.service, state.live);
    if (const auto marked = writer.mark(left, state.keep); !marked) {
      return marked.error();
    }
  }
  const auto version = *live ? (*live)->resource_version() : std::string();
  auto exactly = service;
  if (!version.empty()) {
    exactly.body["metadata"]["resourceVersion"] = version;
  }
  const auto applied =
      client_->apply(exactly, {.force = cluster::Force::yes, .known_version = version, .stop = ports_.stop});
  if (!applied) {
    return applied.error();
  }
  state.switched = service;
  ports_.events.emit(events::ObjectApplied{.step = step.id,
                                           .service = step.service,
                                           .object = kube::to_string(service.key()),
                                           .change = events::ObjectApplied::Change::configured});
  if (const auto followed = writer.wait_for_endpoints(service, state.wanted_pods); !followed) {
    return followed.error();
  }
  return fmt::format("from {} to {}", to_string(state.live), to_string(state.chosen));
}

base::Status Sides::retire(const plan::Step& step, const plan::RetireSide& action) {
  const auto& state = states_.at(step.service);
  if (!state.service || state.is_held) {
    return {};
  }
  return SideWriter(*client_, ports_)
      .retire(step.id, step.service,
              {.left = deployment_key(state.service->name_space(), step.service, generate::other(state.chosen)),
               .was_live = state.live != state.chosen,
               .for_good = state.goes_home,
               .keep = action.keep});
}

bool Sides::has_written(const std::string& service, const kube::Object& object) const {
  const auto state = states_.find(service);
  return state != states_.end() && state->second.switched == object;
}

bool Sides::waits(const std::string& service) const {
  return states_.at(service).is_held;
}

base::Status abort_side(const project::Target& target, const std::string& service, cluster::Client& client,
                        const Ports& ports) {
  const auto live = live_side(client, target, service, ports.stop);
  if (!live) {
    return live.error();
  }
  return SideWriter(client, ports)
      .retire("retire:" + service, service,
              {.left = deployment_key(target.name_space, service, generate::other(*live))});
}

}  // namespace deployctl::execute
