#include "core/plan/restore.hpp"

#include "core/generate/kubernetes.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace deployctl::plan {
namespace {

bool is_workload(const kube::Object& object) {
  return object.kind() == "Deployment" || object.kind() == "StatefulSet";
}

bool is_needed_by_pods(const kube::Object& object) {
  const auto phase = kube::apply_phase(object.kind());
  return phase < kube::ApplyPhase::workload;
}

std::string apply_id(const kube::Object& object) {
  return "apply:" + kube::to_string(object.key());
}

// Whether a text that is exactly `name` stands anywhere in the value.
bool mentions(const json::Value& value, const std::string& name) {
  if (value.is_string()) {
    return value.get_ref<const std::string&>() == name;
  }
  return std::ranges::any_of(value, [&](const json::Value& member) {
    return (member.is_structured() || member.is_string()) && mentions(member, name);
  });
}

bool is_used(const std::string& secret, const std::vector<kube::Object>& objects) {
  return std::ranges::any_of(objects, [&](const kube::Object& object) { return mentions(object.body, secret); });
}

void leave_out(json::Value& metadata, const char* part, std::string_view name) {
  const auto found = metadata.find(part);
  if (found == metadata.end()) {
    return;
  }
  found->erase(std::string(name));
  if (found->empty()) {
    metadata.erase(part);
  }
}

json::Value without_commit(const kube::Object& object) {
  auto body = object.body;
  if (const auto metadata = body.find("metadata"); metadata != body.end()) {
    leave_out(*metadata, "annotations", commit_annotation);
    leave_out(*metadata, "annotations", tag_annotation);
    leave_out(*metadata, "labels", generate::version_label);
  }
  return body;
}

}  // namespace

std::string service_of(const kube::Object& object) {
  return json::Reader(object.body).at("metadata", "labels", "app.kubernetes.io/name").string_or();
}

std::vector<std::string> services_of(const kube::Release& release) {
  std::set<std::string> services;
  for (const auto& object : release.objects) {
    if (auto service = service_of(object); !service.empty()) {
      services.insert(std::move(service));
    }
  }
  return {services.begin(), services.end()};
}

namespace {

// Adds the steps of one service after the other.
class Restorer {
 public:
  Restorer(const kube::Release& release, const kube::LedgerScope& scope, const std::vector<std::string>& sided)
      : release_(release),
        sided_(sided),
        plan_{.project = scope.project,
              .environment = scope.environment,
              .name_space = scope.name_space,
              .steps = {},
              .kept_secrets = release.secrets,
              .depends_on = release.depends_on} {
    auto objects = release.objects;
    kube::sort_for_apply(objects);
    for (auto& object : objects) {
      const auto service = service_of(object);
      if (!objects_.contains(service)) {
        order_.push_back(service);
      }
      objects_[service].push_back(std::move(object));
    }
  }

  Plan run() {
    for (const auto& service : order_) {
      visit(service);
    }
    return std::move(plan_);
  }

 private:
  using Ids = std::vector<std::string>;

  // Those it depends on first. A circle, which only somebody else can have written into the record, is cut.
  void visit(const std::string& service) {
    if (!visited_.insert(service).second || !objects_.contains(service)) {
      return;
    }
    Ids before;
    if (const auto named = release_.depends_on.find(service); named != release_.depends_on.end()) {
      for (const auto& dependency : named->second) {
        visit(dependency);
        if (const auto last = last_steps_.find(dependency); last != last_steps_.end()) {
          before.insert(before.end(), last->second.begin(), last->second.end());
        }
      }
    }
    add_service(service, before);
  }

  void add_service(const std::string& service, const Ids& before) {
    auto before_pods = before;
    auto& last = last_steps_[service];
    std::vector<const kube::Object*> addresses;  // that go with the switch
    for (const auto& object : objects_[service]) {
      const auto id = apply_id(object);
      if (object.kind() == "Service" && has_two_sides(service)) {
        addresses.push_back(&object);
      } else if (is_needed_by_pods(object)) {
        add_apply(service, object, before);
        before_pods.push_back(id);
        last = before_pods;
      } else if (is_workload(object)) {
        add_apply(service, object, before_pods);
        last = add_ending(service, "rollout", AwaitRollout{}, {id});
        last = add_switch(service, last, addresses);
      } else if (has_two_sides(service)) {
        add_apply(service, object, {"switch:" + service});  // it belongs to the side that is live then
      } else {
        add_apply(service, object, before_pods);
      }
    }
  }

  bool has_two_sides(const std::string& service) const {
    return release_.two_sides.contains(service) || std::ranges::find(sided_, service) != sided_.end();
  }

  // What follows the verdict on a service with two sides.
  Ids add_switch(const std::string& service, const Ids& rolled_out, const std::vector<const kube::Object*>& addresses) {
    if (!has_two_sides(service)) {
      return rolled_out;
    }
    const auto sides = release_.two_sides.find(service);
    const bool goes_home = sides == release_.two_sides.end();
    const auto switched = add_ending(service, "switch", SwitchTraffic{.goes_home = goes_home}, rolled_out);
    auto done = switched;
    for (const auto* address : addresses) {
      add_apply(service, *address, switched);
      done.push_back(apply_id(*address));
    }
    add_ending(service, "retire", RetireSide{goes_home ? base::Milliseconds(0) : sides->second.keep}, switched);
    return done;
  }

  void add_apply(const std::string& service, const kube::Object& object, Ids after) {
    plan_.steps.push_back({.id = apply_id(object),
                           .service = service,
                           .action = ApplyObject{object},
                           .after = std::move(after),
                           .phase = Phase::cluster});
  }

  Ids add_ending(const std::string& service, std::string_view what, Action action, Ids after) {
    auto id = fmt::format("{}:{}", what, service);
    plan_.steps.push_back({.id = id,
                           .service = service,
                           .action = std::move(action),
                           .after = std::move(after),
                           .phase = Phase::cluster,
                           .after_failure = AfterFailure::is_done});
    return {std::move(id)};
  }

  const kube::Release& release_;
  const std::vector<std::string>& sided_;
  Plan plan_;
  std::vector<std::string> order_;  // services as their objects come
  std::map<std::string, std::vector<kube::Object>> objects_;
  std::set<std::string> visited_;
  std::map<std::string, Ids> last_steps_;  // with them a service is rolled out
};

}  // namespace

Plan restore(const kube::Release& release, const kube::LedgerScope& scope, const std::vector<std::string>& sided) {
  return Restorer(release, scope, sided).run();
}

void keep_services(kube::Release& release, const std::vector<std::string>& services) {
  const auto is_other = [&](const std::string& service) {
    return std::ranges::find(services, service) == services.end();
  };
  std::erase_if(release.objects, [&](const kube::Object& object) { return is_other(service_of(object)); });
  std::erase_if(release.images, [&](const auto& image) { return is_other(image.first); });
  std::erase_if(release.services, is_other);
  std::erase_if(release.two_sides, [&](const auto& sides) { return is_other(sides.first); });
  std::erase_if(release.depends_on, [&](const auto& each) { return is_other(each.first); });
  std::erase_if(release.secrets, [&](const std::string& secret) { return !is_used(secret, release.objects); });
}

bool bring_the_same(const kube::Release& one, const kube::Release& other) {
  return one.secrets == other.secrets &&
         std::ranges::equal(one.objects, other.objects, {}, without_commit, without_commit);
}

void carry_forward(kube::Release& record, const kube::Release& live, const std::vector<std::string>& touched) {
  const auto is_left_alone = [&](const std::string& service) {
    return std::ranges::find(touched, service) == touched.end();
  };
  std::vector<kube::Object> carried;
  std::ranges::copy_if(live.objects, std::back_inserter(carried),
                       [&](const kube::Object& object) { return is_left_alone(service_of(object)); });
  for (const auto& [service, image] : live.images) {
    if (is_left_alone(service)) {
      record.images.emplace(service, image);
    }
  }
  for (const auto& [service, sides] : live.two_sides) {
    if (is_left_alone(service)) {
      record.two_sides.emplace(service, sides);
    }
  }
  for (const auto& [service, dependencies] : live.depends_on) {
    if (is_left_alone(service)) {
      record.depends_on.emplace(service, dependencies);
    }
  }
  for (const auto& secret : live.secrets) {
    const bool is_new = std::ranges::find(record.secrets, secret) == record.secrets.end();
    if (is_new && is_used(secret, carried)) {
      record.secrets.push_back(secret);
    }
  }
  record.objects.insert(record.objects.end(), carried.begin(), carried.end());
}

kube::Release what_stays(kube::Release release, const kube::Release& live, const std::vector<std::string>& taken_back) {
  auto gone = taken_back;
  const auto is_gone = [&](const std::string& service) { return std::ranges::find(gone, service) != gone.end(); };
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for (const auto& [service, needed] : release.depends_on) {
      if (!is_gone(service) && std::ranges::any_of(needed, is_gone)) {
        gone.push_back(service);
        has_grown = true;
      }
    }
  }
  auto staying = release.services;
  std::erase_if(staying, is_gone);
  keep_services(release, staying);
  carry_forward(release, live, staying);
  return release;
}

}  // namespace deployctl::plan
