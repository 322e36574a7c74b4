#include "core/execute/canary_writer.hpp"

#include "core/base/duration.hpp"
#include "core/execute/apply.hpp"
#include "core/execute/find.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using cluster::Force;
using events::Note;

constexpr std::chrono::milliseconds between_questions{200};
constexpr std::chrono::milliseconds time_for_routes{60'000};
constexpr std::chrono::milliseconds time_without_a_word{2'000};
constexpr int attempts = 5;  // at an object that somebody keeps changing

}  // namespace

kube::ObjectKey CanaryWriter::deployment_key() const {
  auto key = run_.parts.deployment.key();
  key.name = canary::canary_name(run_.parts.name);
  return key;
}

Result<kube::Object> CanaryWriter::make(int replicas) {
  if (const auto served = apply(canary::canary_service(run_.parts), Force::yes); !served) {
    return served.error();
  }
  return apply(canary::canary_deployment(run_.parts, replicas), Force::yes);
}

Status CanaryWriter::hold_autoscaler(int replicas) {
  if (!run_.parts.live.autoscaler) {
    return {};
  }
  const auto held = apply(canary::held(*run_.parts.live.autoscaler, replicas), Force::no);
  return held ? Status() : held.error();
}

// Its minimum is nothing that the way back may fail of.
void CanaryWriter::release_autoscaler() {
  if (!run_.parts.live.autoscaler) {
    return;
  }
  if (const auto released = apply(*run_.parts.live.autoscaler, Force::no); !released) {
    note(Note::Level::warning, "the autoscaler may still be held at its minimum: " + base::to_string(released.error()));
  }
}

Status CanaryWriter::route(const project::Canary& settings, int weight) {
  for (const auto& object : canary::routes_at(run_.parts, settings, weight)) {
    const auto applied = apply(object, is_canarys_own(object.key()) ? Force::yes : run_.force);
    if (!applied) {
      return applied.error();
    }
    if (const auto taken_up = wait_for_gateways(*applied); !taken_up) {
      return taken_up;
    }
  }
  return {};
}

Status CanaryWriter::route_to_stable(const project::Canary& settings, canary::End end) {
  const auto routes = canary::routes_after(run_.parts, settings, end);
  for (const auto& route : routes) {
    if (const auto given = give_back(route); !given) {
      return given;
    }
  }
  // A route that the stable pods did not have goes later: until then it leads to them.
  for (const auto& route : routes.empty() ? canary::routes_at(run_.parts, settings, 1) : std::vector<kube::Object>()) {
    if (const auto out = take_out_of(route.key()); !out) {
      return out;
    }
  }
  return {};
}

Status CanaryWriter::give_back(const kube::Object& route) {
  if (is_canarys_own(route.key())) {
    const auto there = find_object(run_.client, route.key(), run_.ports.stop);
    if (!there || !*there) {
      return there ? Status() : there.error();
    }
    const auto closed = apply(route, Force::yes);
    return closed ? Status() : closed.error();
  }
  const auto applied = apply(route, Force::no);
  if (applied) {
    return wait_for_gateways(*applied);
  }
  if (applied.error().code != ErrorCode::conflict) {
    return applied.error();
  }
  note(Note::Level::warning,
       fmt::format("{} was changed by somebody else meanwhile; only the canary is taken out of it: {}",
                   kube::to_string(route.key()), applied.error().message));
  return take_out_of(route.key());
}

Status CanaryWriter::take_out_of(const kube::ObjectKey& key) {
  const auto served = run_.client.served(key, run_.ports.stop);
  if (!served) {
    return served.error().code == ErrorCode::not_found ? Status() : served.error();
  }
  for (int attempt = 1;; ++attempt) {
    const auto live = find_object(run_.client, *served, run_.ports.stop);
    if (!live || !*live) {
      return live ? Status() : live.error();
    }
    auto patch = canary::patch_without_canary(**live, run_.parts.name);
    if (patch.is_null()) {
      return wait_for_gateways(**live);
    }
    patch["metadata"] = {{"resourceVersion", (*live)->resource_version()}};
    const auto patched =
        run_.client.patch(*served, cluster::PatchType::merge, patch, cluster::DryRun::no, run_.ports.stop);
    if (patched) {
      return wait_for_gateways(*patched);
    }
    if (patched.error().code != ErrorCode::conflict || attempt == attempts) {
      return patched.error().within("taking the canary out of {}", kube::to_string(key));
    }
  }
}

Status CanaryWriter::remove_all(const project::Canary& settings, canary::End end) {
  for (const auto& key : canary::made_for_canary(run_.parts, settings, end)) {
    if (const auto removed = remove(key); !removed) {
      return removed.error().within("deleting {}", kube::to_string(key));
    }
  }
  return {};
}

void CanaryWriter::note(Note::Level level, std::string text) {
  run_.ports.events.emit(Note{level, std::move(text)});
}

Result<kube::Object> CanaryWriter::apply(const kube::Object& object, Force force) {
  auto applied =
      apply_object(run_.client, object,
                   {.step = run_.step, .service = run_.parts.name, .known_version = {}, .force = force}, run_.ports);
  return applied ? Result<kube::Object>(std::move(applied->object)) : applied.error();
}

bool CanaryWriter::is_canarys_own(const kube::ObjectKey& key) const {
  return key.name == canary::canary_name(run_.parts.name);
}

Status CanaryWriter::remove(const kube::ObjectKey& key) {
  const auto served = run_.client.served(key, run_.ports.stop);
  const auto removed = served
                           ? run_.client.remove(*served, {.uid = {}, .resource_version = {}, .stop = run_.ports.stop})
                           : served.error();
  return removed || removed.error().code == ErrorCode::not_found ? Status() : removed.error();
}

// Gateways tell whether they have taken a route up; no other router does.
Status CanaryWriter::wait_for_gateways(const kube::Object& applied) {
  if (applied.kind() != "HTTPRoute") {
    return {};
  }
  const auto begun = run_.ports.clock.steady_now();
  const auto end = begun + time_for_routes;
  std::string told;
  auto route = Result<kube::Object>(applied);
  while (true) {
    const auto why = canary::why_not_taken_up(*route);
    if (why.empty()) {
      return {};
    }
    if (run_.ports.clock.steady_now() >= end) {
      return Error::make(ErrorCode::rollout_undecided, "the route of {} does not hold after {}: {}", run_.parts.name,
                         base::to_string(time_for_routes), why);
    }
    if (why != told && run_.ports.clock.steady_now() >= begun + time_without_a_word) {
      told = why;
      note(Note::Level::info, fmt::format("waiting until the route of {} holds, at most {}: {}", run_.parts.name,
                                          base::to_string(time_for_routes), why));
    }
    if (!run_.ports.clock.sleep_for(between_questions, run_.ports.stop)) {
      return Error::interrupted();
    }
    route = run_.client.get(applied.key(), run_.ports.stop);
    if (!route) {
      return route.error();
    }
  }
}

}  // namespace deployctl::execute
