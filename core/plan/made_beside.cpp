#include "core/plan/made_beside.hpp"

#include "core/canary/parts.hpp"
#include "core/json/reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace deployctl::plan {
namespace {

using generate::Side;

constexpr int any_weight = 1;

class Collector {
 public:
  Collector(const Plan& plan, const std::map<std::string, Side>& live_sides, const PreflightFacts& facts)
      : plan_(plan), live_sides_(live_sides), facts_(facts) {}

  std::vector<MadeBeside> run() {
    for (const auto& step : plan_.steps) {
      if (const auto* canary = std::get_if<RunCanary>(&step.action)) {
        add_canary(step.service, *canary);
      } else if (const auto* change = std::get_if<SwitchTraffic>(&step.action)) {
        add_side(step.service, *change);
      }
    }
    return std::move(made_);
  }

 private:
  // A project manifest whose canary has nothing to work with is another check's to find.
  void add_canary(const std::string& service, const RunCanary& canary) {
    const auto parts = canary::parts_of(canary.objects, service);
    if (!parts || is_unchanged(parts->deployment)) {
      return;
    }
    made_.push_back({canary::canary_service(*parts), true, service});
    made_.push_back({canary::canary_deployment(*parts, 1), true, service, pods_of(canary.settings, service)});
    for (auto& route : canary::routes_at(*parts, canary.settings, any_weight)) {
      const bool is_canarys = route.name() == canary::canary_name(service);
      made_.push_back({std::move(route), is_canarys, service});
    }
  }

  void add_side(const std::string& service, const SwitchTraffic& change) {
    const auto side = new_side(service, change);
    if (!side) {
      return;
    }
    for (const auto& step : plan_.steps) {
      const auto* apply = std::get_if<ApplyObject>(&step.action);
      if (apply != nullptr && step.service == service && apply->object.kind() == "Deployment" &&
          !is_unchanged(apply->object)) {
        made_.push_back({generate::on_side(apply->object, *side), false, service, replicas_of(apply->object, service)});
      }
    }
  }

  // Nothing where the pods go to the side that is live, which has been tried already.
  std::optional<Side> new_side(const std::string& service, const SwitchTraffic& change) const {
    const auto found = live_sides_.find(service);
    const auto live = found == live_sides_.end() ? Side::blue : found->second;
    const bool is_first = live == Side::blue && !facts_.deployments.contains(service);
    const auto next = change.goes_home ? Side::blue : generate::other(live);
    return is_first || next == live ? std::nullopt : std::optional(next);
  }

  // A canary needs pods to be compared with.
  int pods_of(const project::Canary& settings, const std::string& service) const {
    int most = 0;
    for (const auto& step :
         facts_.deployments.contains(service) ? settings.steps : std::vector<project::CanaryStep>()) {
      const auto wanted = replicas_of(facts_.deployments.at(service), service);
      most = std::max(most, canary::shares_at(settings.router, step.weight, wanted).canary);
    }
    return most;
  }

  // Those that an autoscaler has are as many as there are.
  int replicas_of(const kube::Object& deployment, const std::string& service) const {
    const auto live = facts_.deployments.find(service);
    const auto now = live == facts_.deployments.end() ? 1 : replicas_in(live->second, 1);
    return replicas_in(deployment, now);
  }

  static int replicas_in(const kube::Object& deployment, int otherwise) {
    return static_cast<int>(json::Reader(deployment.body).at("spec", "replicas").integer_or(otherwise));
  }

  bool is_unchanged(const kube::Object& object) const {
    const auto change = facts_.changes.find(object.key());
    return change != facts_.changes.end() && change->second == Change::none;
  }

  const Plan& plan_;
  const std::map<std::string, Side>& live_sides_;
  const PreflightFacts& facts_;
  std::vector<MadeBeside> made_;
};

}  // namespace

std::vector<MadeBeside> made_beside(const Plan& plan, const std::map<std::string, Side>& live_sides,
                                    const PreflightFacts& facts) {
  return Collector(plan, live_sides, facts).run();
}

}  // namespace deployctl::plan
