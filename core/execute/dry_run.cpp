#include "core/execute/dry_run.hpp"

#include "core/base/text.hpp"
#include "core/execute/apply.hpp"
#include "core/execute/at_once.hpp"
#include "core/execute/find.hpp"
#include "core/execute/node_ports.hpp"
#include "core/kube/hidden_variables.hpp"

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <set>

namespace deployctl::execute {
namespace {

void replace_text(json::Value& value, const std::string& from, const std::string& to) {
  if (value.is_string() && value.get_ref<const std::string&>() == from) {
    value = to;
  } else if (value.is_structured()) {
    std::ranges::for_each(value, [&](json::Value& inner) { replace_text(inner, from, to); });
  }
}

// The placeholder of an image that is not there yet, as a reader understands it.
void put_image_into_words(plan::ExpectedChange& expected, const project::Service& service, const std::string& tag) {
  const auto words = fmt::format("{}:{} (its digest is known once it is pushed)", *service.image, tag);
  for (auto& field : expected.fields) {
    if (field.after) {
      replace_text(*field.after, plan::placeholder_for(*service.name), words);
    }
  }
}

// What gives a canary its share, or keeps the stable pods as many as they are, by changing an object of theirs.
bool is_lent_to_canary(const kube::Object& object) {
  const auto kind = object.kind();
  return kind == "Service" || kind == "HTTPRoute" || kind == "VirtualService" || kind == "HorizontalPodAutoscaler";
}

// The object as it is, with the canary taken out of it when one is under way: as the server would have it if what the
// live release says were applied again. Nothing when it is there for the canary alone.
base::Result<std::optional<kube::Object>> as_without_canary(kube::Object live, const std::string& service,
                                                            const plan::Observation& seen, cluster::Client& client,
                                                            const Ports& ports) {
  const auto before = seen.without_canary.find(service);
  if (before == seen.without_canary.end() || !is_lent_to_canary(live)) {
    return std::optional(std::move(live));
  }
  const auto same = std::ranges::find_if(before->second, [&](const kube::Object& object) {
    return object.kind() == live.kind() && object.name() == live.name();
  });
  if (same == before->second.end()) {
    const bool is_made_for_it = live.kind() == "HTTPRoute" || live.kind() == "VirtualService";
    return is_made_for_it ? std::nullopt : std::optional(std::move(live));
  }
  auto given_back = try_apply(client, *same, cluster::Force::no, ports.stop);
  if (given_back) {
    auto& object = given_back->object;
    object.body["metadata"] = live.body["metadata"];  // who manages which field is told of what is there
    return std::optional(std::move(object));
  }
  const bool is_changed_by_others = given_back.error().code == base::ErrorCode::conflict;
  return is_changed_by_others ? base::Result<std::optional<kube::Object>>(std::move(live)) : given_back.error();
}

// Fields that others manage are taken over in the trial: that they would be is what the answer tells.
base::Result<plan::ExpectedChange> try_out(const kube::Object& object, const std::string& service,
                                           const kube::VariableMaps& variables, const plan::Observation& seen,
                                           cluster::Client& client, const Ports& ports) {
  const auto tried = try_apply(client, object, cluster::Force::yes, ports.stop);
  if (!tried) {
    return is_trial_refused(tried.error())
               ? tried.error()
               : tried.error().within("asking what applying {} would change", kube::to_string(object.key()));
  }
  const auto& applied = tried->object;
  if (applied.resource_version().empty()) {
    return plan::expected_change(nullptr, applied);
  }
  if (const auto live = seen.deployments.find(object.name());
      object.kind() == "Deployment" && live != seen.deployments.end()) {
    const auto hidden = kube::hidden_variables(object, applied, variables, cluster::field_manager);
    return plan::expected_change(&live->second, kube::without(applied, hidden));
  }
  // The answer names the version that the server has; ours may be newer (autoscaling, policy).
  auto live = client.get(applied.key(), ports.stop);
  if (!live) {
    return live.error().code == base::ErrorCode::not_found ? plan::expected_change(nullptr, applied)
                                                           : base::Result<plan::ExpectedChange>(live.error());
  }
  const auto before = as_without_canary(std::move(*live), service, seen, client, ports);
  if (!before) {
    return before.error().within("asking what {} is without its canary", kube::to_string(object.key()));
  }
  return plan::expected_change(*before ? &**before : nullptr, applied);
}

// Of an object that the server takes only once another one has gone.
base::Result<plan::ExpectedChange> without_its_port(const kube::Object& object, cluster::Client& client,
                                                    const Ports& ports) {
  const auto live = find_object(client, object.key(), ports.stop);
  if (!live) {
    return live.error();
  }
  return plan::ExpectedChange{*live ? plan::Change::update : plan::Change::create, {}, {}};
}

}  // namespace

base::Status dry_run(const project::Target& target, const std::vector<const project::Service*>& services,
                     const std::vector<std::string>& named, plan::Observation& observation, cluster::Client& client,
                     const Ports& ports) {
  if (!observation.namespace_exists) {
    observation.expected[generate::namespace_object(target).key()] = {plan::Change::create, {}, {}};
  }
  std::mutex mutex;
  std::optional<base::Error> failure;
  Jobs jobs;
  const auto& seen = observation;
  std::map<kube::ObjectKey, plan::ExpectedChange> expected;
  std::map<kube::ObjectKey, kube::Object> made;
  const auto planned = [&](const kube::ObjectKey& key) {
    const auto found = made.find(key);
    return found == made.end() ? nullptr : &found->second;
  };
  for (const auto* service : services) {
    auto objects = plan::desired_objects(target, *service, observation);
    if (!objects) {
      return objects.error();
    }
    kube::VariableMaps variables;
    std::ranges::for_each(*objects, [&](const kube::Object& object) { kube::add_keys(variables, object); });
    for (auto& object : *objects) {
      made.emplace(object.key(), object);
      if (!observation.namespace_exists) {
        expected[object.key()] = {plan::Change::create, {}, {}};
        continue;
      }
      jobs.emplace_back([&, service, variables, object = std::move(object)] {
        // A blue-green release is compared with what is live, not with what is left of the release before that.
        const auto side = seen.live_sides.find(*service->name);
        const auto compared = side == seen.live_sides.end() ? object : generate::on_side(object, side->second);
        auto change = try_out(compared, *service->name, variables, seen, client, ports);
        const auto old = change || !is_port_taken(change.error())
                             ? std::optional<base::Result<kube::ObjectKey>>()
                             : taken_port({.wanted = object, .target = target, .services = named, .planned = planned},
                                          change.error(), client, ports);
        if (!change && is_trial_refused(change.error())) {
          ports.events.emit(events::Note{events::Note::Level::warning, change.error().message});
          change = plan::ExpectedChange();
        }
        if (old) {
          change = *old ? without_its_port(object, client, ports) : (*old).error();
        }
        const std::scoped_lock lock(mutex);
        if (old && *old) {
          observation.moved_ports.insert_or_assign(object.key(), **old);
        }
        if (!change) {
          failure = failure.value_or(change.error());
          return;
        }
        put_image_into_words(*change, *service, seen.tag);
        expected[object.key()] = std::move(*change);
      });
    }
  }
  run_at_once(jobs);
  observation.expected.merge(expected);
  return failure ? base::Status(*failure) : base::Status();
}

}  // namespace deployctl::execute
