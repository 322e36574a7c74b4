#include "core/execute/apply.hpp"

#include "core/execute/find.hpp"
#include "core/kube/adoption.hpp"
#include "core/kube/dropped_fields.hpp"

namespace deployctl::execute {
namespace {

constexpr int attempts_at_adoption = 3;

events::ObjectApplied::Change change_of(cluster::Change change) {
  switch (change) {
    case cluster::Change::created:
      return events::ObjectApplied::Change::created;
    case cluster::Change::configured:
      return events::ObjectApplied::Change::configured;
    case cluster::Change::unchanged:
      return events::ObjectApplied::Change::unchanged;
  }
  return events::ObjectApplied::Change::unchanged;
}

// Before what kubectl has made is applied to by force (kube/adoption.hpp). Answers with the version that is then live;
// "" when the object is not there.
base::Result<std::string> adopt(cluster::Client& client, kube::Object object, const std::vector<kube::FieldPath>& also,
                                const Ports& ports) {
  const auto key = client.served(object.key(), ports.stop);
  if (!key) {
    return key.error();
  }
  object.body["apiVersion"] = key->api_version;
  for (int attempt = 1;; ++attempt) {
    const auto live = client.get(*key, ports.stop);
    if (!live) {
      return live.error().code == base::ErrorCode::not_found ? base::Result<std::string>("") : live.error();
    }
    const auto patch = kube::adoption_patch(live->body, object.body, cluster::field_manager, also);
    if (!patch) {
      return live->resource_version();
    }
    const auto adopted = client.patch(object.key(), cluster::PatchType::json, *patch, cluster::DryRun::no, ports.stop);
    if (adopted) {
      return adopted->resource_version();
    }
    // A JSON patch whose test fails is answered with 422, or with 409: somebody has written meanwhile.
    if (attempt == attempts_at_adoption) {
      return adopted.error().within("taking the fields of kubectl over");
    }
  }
}

// What the apply after adopt() would make of it. It drops fields that only the adoption makes ours, which no dry run of
// an apply can know: a patch does the same. Nothing when there is nothing to adopt or to drop.
base::Result<std::optional<kube::Object>> try_adopted(cluster::Client& client, kube::Object object,
                                                      std::stop_token stop) {
  const auto key = client.served(object.key(), stop);
  const auto live = key ? find_object(client, *key, stop) : base::Result<std::optional<kube::Object>>(key.error());
  if (!live || !*live) {
    return live;
  }
  object.body["apiVersion"] = key->api_version;
  const auto adopted = kube::adopted((*live)->body, object.body, cluster::field_manager);
  const auto dropped =
      adopted ? kube::dropped_fields(*adopted, object.body, cluster::field_manager) : std::vector<kube::FieldPath>();
  if (dropped.empty()) {
    return std::optional<kube::Object>();
  }
  auto patched = client.patch(*key, cluster::PatchType::strategic_merge,
                              kube::patch_dropping(object.body, dropped, (*live)->resource_version()),
                              cluster::DryRun::yes, std::move(stop));
  return patched ? base::Result<std::optional<kube::Object>>(std::move(*patched)) : patched.error();
}

}  // namespace

base::Result<cluster::Applied> apply_object(cluster::Client& client, const kube::Object& object,
                                            const ApplyPlace& place, const Ports& ports) {
  const auto name = kube::to_string(object.key());
  auto known_version = place.known_version;
  if (place.force == cluster::Force::yes && known_version != "") {
    const auto adopted = adopt(client, object, place.taken, ports);
    if (!adopted) {
      return adopted.error().within("applying {}", name);
    }
    known_version = *adopted;
  }
  auto applied = client.apply(object, {.force = place.force, .known_version = known_version, .stop = ports.stop});
  if (!applied) {
    return applied.error().within("applying {}", name);
  }
  for (const auto& warning : applied->warnings) {
    ports.events.emit(events::Note{events::Note::Level::warning, name + ": " + warning});
  }
  ports.events.emit(events::ObjectApplied{
      .step = place.step, .service = place.service, .object = name, .change = change_of(applied->change)});
  return applied;
}

base::Result<cluster::Applied> try_apply(cluster::Client& client, const kube::Object& object, cluster::Force force,
                                         std::stop_token stop) {
  auto applied = client.apply(
      object, {.force = force, .dry_run = cluster::DryRun::yes, .known_version = std::string(), .stop = stop});
  if (applied || force == cluster::Force::no || applied.error().code != base::ErrorCode::invalid_input) {
    return applied;
  }
  auto adopted = try_adopted(client, object, std::move(stop));
  if (!adopted) {
    return adopted.error();
  }
  if (!*adopted) {
    return applied.error();
  }
  return cluster::Applied{
      .change = cluster::Change::configured, .object = **std::move(adopted), .warnings = {}, .time = {}};
}

bool is_trial_refused(const base::Error& error) {
  return error.message.find("does not support dry run") != std::string::npos;
}

}  // namespace deployctl::execute
