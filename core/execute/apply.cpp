#include "core/execute/apply.hpp"

namespace deployctl::execute {
namespace {

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

}  // namespace

base::Result<cluster::Applied> apply_object(cluster::Client& client, const kube::Object& object,
                                            const ApplyPlace& place, const Ports& ports) {
  const auto name = kube::to_string(object.key());
  auto applied = client.apply(object, {.force = place.force, .known_version = place.known_version, .stop = ports.stop});
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

}  // namespace deployctl::execute
