#include "core/execute/dry_run.hpp"

#include "core/base/text.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::execute {
namespace {

// What the server changes by itself at every write says nothing about the plan.
json::Value without_bookkeeping(json::Value body) {
  body.erase("status");
  for (const auto* field : {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}) {
    body["metadata"].erase(field);
  }
  return body;
}

// The placeholder of an image that is not there yet, as a reader understands it.
void put_image_into_words(std::vector<json::Difference>& fields, const project::Service& service,
                          const std::string& tag) {
  const auto placeholder = json::to_compact_text(plan::placeholder_for(*service.name));
  const auto words = fmt::format("{}:{} (its digest is known once it is pushed)", *service.image, tag);
  for (auto& field : fields) {
    field.after = base::replace_all(field.after, placeholder, json::to_compact_text(words));
  }
}

base::Result<plan::ExpectedChange> expected_change(const kube::Object& object, cluster::Client& client,
                                                   const Ports& ports) {
  const auto result = client.apply(object, {.dry_run = cluster::DryRun::yes, .stop = ports.stop});
  if (!result) {
    return result.error().within("asking what applying {} would change", kube::to_string(object.key()));
  }
  // The answer names the version that the server has; ours may be newer (autoscaling, policy).
  const auto live = client.get(result->object.key(), ports.stop);
  if (!live && live.error().code != base::ErrorCode::not_found) {
    return live.error();
  }
  plan::ExpectedChange expected;
  expected.fields = json::diff(live ? without_bookkeeping(live->body) : json::Value::object(),
                               without_bookkeeping(result->object.body));
  expected.change = !live ? plan::Change::create : expected.fields.empty() ? plan::Change::none : plan::Change::update;
  if (!live) {
    expected.fields.clear();  // the whole object is new
  }
  return expected;
}

}  // namespace

base::Status dry_run(const project::Target& target, const std::vector<const project::Service*>& services,
                     plan::Observation& observation, cluster::Client& client, const Ports& ports) {
  if (!observation.namespace_exists) {
    observation.expected[generate::namespace_object(target).key()] = {plan::Change::create, {}};
  }
  for (const auto* service : services) {
    const auto objects = plan::desired_objects(target, *service, observation);
    if (!objects) {
      return objects.error();
    }
    for (const auto& object : *objects) {
      // A blue-green release is compared with what is live, not with what is left of the release before that.
      const auto side = observation.live_sides.find(*service->name);
      const auto compared = side == observation.live_sides.end() ? object : generate::on_side(object, side->second);
      auto expected = observation.namespace_exists ? expected_change(compared, client, ports)
                                                   : base::Result(plan::ExpectedChange{plan::Change::create, {}});
      if (!expected) {
        return expected.error();
      }
      put_image_into_words(expected->fields, *service, observation.tag);
      observation.expected[object.key()] = std::move(*expected);
    }
  }
  return {};
}

}  // namespace deployctl::execute
