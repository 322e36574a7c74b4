// The API server is asked what applying each object would change, in a dry run that takes every field over: what it
// answers has its defaults, so that only what somebody changed differs. What others added stands in managedFields.
#include "core/execute/drift.hpp"

#include "core/base/text.hpp"
#include "core/canary/parts.hpp"
#include "core/execute/apply.hpp"
#include "core/execute/at_once.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/ready_images.hpp"
#include "core/execute/running.hpp"
#include "core/execute/secrets.hpp"
#include "core/execute/used_secret.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/json/reader.hpp"
#include "core/kube/release_history.hpp"
#include "core/kube/resource.hpp"
#include "core/plan/release.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace deployctl::execute {
namespace {

using Services = std::vector<const project::Service*>;

// Kinds that hold nothing of their own: ConfigMaps and Secrets stay for releases one can go back to, claims hold data.
constexpr std::array<std::string_view, 6> scanned_kinds{
    "Deployment", "StatefulSet", "Service", "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget"};
constexpr std::array<std::string_view, 3> kept_kinds{"ConfigMap", "PersistentVolumeClaim", "Secret"};

using Place = std::pair<std::string, std::string>;  // kind and name

std::string annotation(const kube::Object& object, std::string_view name) {
  return json::Reader(object.body).at("metadata", "annotations", name).string_or();
}

std::string running_image(const std::string& service, const kube::Object& deployment) {
  for (const auto& container : json::Reader(deployment.body).at("spec", "template", "spec", "containers").elements()) {
    if (container.at("name").string_or() == service) {
      return container.at("image").string_or();
    }
  }
  return {};
}

std::string selector_of_project(const project::Target& target) {
  auto selector = fmt::format("app.kubernetes.io/part-of={},app.kubernetes.io/managed-by=deployctl", *target.project);
  if (!target.environment.empty()) {
    selector += ",deployctl.dev/environment=" + target.environment;
  }
  return selector;
}

class DriftFinder {
 public:
  DriftFinder(const project::Target& target, const Ports& ports) : target_(target), ports_(ports) {}

  base::Result<Drift> run(const std::vector<std::string>& names) {
    const auto services = plan::chosen_services(target_, {.services = names});
    if (!services) {
      return services.error();
    }
    services_ = *services;
    is_whole_ = names.empty();
    for (const auto part :
         {&DriftFinder::read_sources, &DriftFinder::connect, &DriftFinder::read_cluster, &DriftFinder::read_objects,
          &DriftFinder::compare, &DriftFinder::look_for_secrets, &DriftFinder::look_for_extras}) {
      if (const auto status = (this->*part)(); !status) {
        return status.error();
      }
    }
    return Drift{std::move(differences_), std::move(removals_), open_ ? open_->open_in_words() : std::string()};
  }

 private:
  base::Status read_sources() {
    auto inputs = generate::read_inputs(target_, ports_.files);
    if (!inputs) {
      return inputs.error();
    }
    seen_.inputs = std::move(*inputs);
    return {};
  }

  base::Status connect() {
    auto client = connect_cluster(target_, ports_);
    if (!client) {
      return client.error();
    }
    client_ = std::move(*client);
    return warn_of_another_cluster(target_, *client_, ports_);
  }

  // What runs, what scales it, and what was released last.
  base::Status read_cluster() {
    const auto read = try_at_once(
        {[this] { return read_running(); }, [this] { return read_autoscalers(); }, [this] { return read_release(); }});
    if (!read) {
      return read;
    }
    settle_images();
    settle_secrets();
    return read_sides();
  }

  base::Status read_running() {
    auto running = execute::read_running(plan::names_of(services_), *client_, target_.name_space, ports_.stop);
    if (!running) {
      return running.error();
    }
    seen_.deployments = std::move(running->deployments);
    return {};
  }

  // Version 1 is served by every server and has all that is needed here.
  base::Status read_autoscalers() {
    auto resource = kube::resource_of("HorizontalPodAutoscaler");
    resource.version = "v1";
    const auto listed = client_->list({.resource = resource, .name_space = target_.name_space}, ports_.stop);
    if (!listed) {
      return listed.error().code == base::ErrorCode::unauthorized ? base::Status() : base::Status(listed.error());
    }
    for (const auto& autoscaler : listed->items) {
      const auto scaled = json::Reader(autoscaler.body).at("spec", "scaleTargetRef");
      if (scaled.at("kind").string_or() == "Deployment") {
        scaled_.insert(scaled.at("name").string_or());
      }
    }
    return {};
  }

  base::Status read_release() {
    Ledger ledger(*client_,
                  {.project = *target_.project, .environment = target_.environment, .name_space = target_.name_space});
    const auto releases = ledger.list(ports_.stop);
    if (!releases) {
      return releases.error().code == base::ErrorCode::unauthorized ? base::Status() : base::Status(releases.error());
    }
    if (const auto* live = kube::live_release(*releases)) {
      released_ = *live;
    }
    if (const auto* open = release_under_way(*releases)) {
      open_.emplace(open->progress, CanaryRecord::Write());
      open_release_ = *open;
    }
    return {};
  }

  // A blue-green service is what its live side is.
  base::Status read_sides() {
    for (const auto* service : services_) {
      if (service->strategy.type != project::Strategy::Type::blue_green) {
        continue;
      }
      const auto side = live_side(*client_, target_, *service->name, ports_.stop);
      if (!side) {
        return side.error();
      }
      seen_.live_sides[*service->name] = *side;
    }
    return {};
  }

  void settle_images() {
    if (released_) {
      seen_.images = released_->images;
      seen_.tag = released_->tag;
      seen_.commit = released_->commit;
    }
    for (const auto* service : services_) {
      const auto live = seen_.deployments.find(*service->name);
      if (live == seen_.deployments.end()) {
        continue;
      }
      if (!seen_.images.contains(*service->name)) {
        settle_image(*service, running_image(*service->name, live->second));
      }
      if (!released_) {
        seen_.tag = annotation(live->second, plan::tag_annotation);
        seen_.commit = annotation(live->second, plan::commit_annotation);
      }
    }
  }

  // Without a release to go by, any version of the image is the one that is meant, and no other image is.
  void settle_image(const project::Service& service, const std::string& running) {
    const bool is_version_of_it =
        running.starts_with(*service.image + "@") || (service.is_built() && running.starts_with(*service.image + ":"));
    if (is_version_of_it) {
      seen_.images[*service.name] = running;
    } else if (service.is_built()) {
      seen_.images[*service.name] = *service.image;
    }
  }

  // Values may not be at hand where somebody only looks: then the Secret that is used is the one that is meant.
  void settle_secrets() {
    for (const auto* service : services_) {
      const auto live = seen_.deployments.find(*service->name);
      if (const auto values = read_secrets(target_, {service}, ports_.environment, ports_.files); values) {
        for (const auto& [name, secrets] : *values) {
          seen_.secret_names[name] = secret_for(target_, name, secrets).name();
        }
      } else if (live != seen_.deployments.end()) {
        if (auto used = used_secret(*service, live->second); !used.empty()) {
          seen_.secret_names[*service->name] = std::move(used);
        }
      }
    }
  }

  // All of the project that is there, kind by kind, so that nothing has to be read by itself.
  base::Status read_objects() {
    std::vector<std::string_view> kinds(scanned_kinds.begin(), scanned_kinds.end());
    kinds.insert(kinds.end(), kept_kinds.begin(), kept_kinds.end());
    std::vector<base::Result<std::optional<std::vector<kube::Object>>>> found(
        kinds.size(), std::optional<std::vector<kube::Object>>());
    Jobs jobs;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      jobs.emplace_back([&, i] { found[i] = list_ours(kinds[i]); });
    }
    run_at_once(jobs);
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      if (!found[i]) {
        return found[i].error();
      }
      if (*found[i]) {
        known_kinds_.emplace(kinds[i]);
        for (auto& object : **found[i]) {
          Place place{object.kind(), object.name()};
          live_.emplace(std::move(place), std::move(object));
        }
      }
    }
    return {};
  }

  base::Status compare() {
    std::vector<std::pair<const project::Service*, kube::Object>> wanted;
    const auto opened = open_release_ ? std::optional(as_in_open_release()) : std::nullopt;
    for (const auto* service : services_) {
      auto objects = plan::desired_objects(target_, *service, is_done_in_open_release(*service) ? *opened : seen_);
      if (!objects) {
        return objects.error();
      }
      for (auto& object : *objects) {
        const auto side = seen_.live_sides.find(*service->name);
        auto placed = side == seen_.live_sides.end() ? object : generate::on_side(object, side->second);
        wanted_keys_.emplace(placed.kind(), placed.name());
        wanted.emplace_back(service, std::move(placed));
      }
    }
    std::vector<base::Result<ObjectDrift>> found(wanted.size(), ObjectDrift());
    Jobs jobs;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      jobs.emplace_back([&, i] { found[i] = compare_object(*wanted[i].first, wanted[i].second); });
    }
    run_at_once(jobs);
    for (auto& each : found) {
      if (!each) {
        return each.error();
      }
      std::ranges::move(each->differences, std::back_inserter(differences_));
      if (each->removal) {
        removals_.push_back(*std::move(each->removal));
      }
    }
    return {};
  }

  // For the services whose part of the release that is open is done.
  [[nodiscard]] plan::Observation as_in_open_release() const {
    auto seen = seen_;
    for (const auto& [service, image] : open_release_->images) {
      seen.images[service] = image;
    }
    seen.tag = open_release_->tag;
    seen.commit = open_release_->commit;
    return seen;
  }

  [[nodiscard]] bool is_done_in_open_release(const project::Service& service) const {
    const auto& name = *service.name;
    if (!open_release_ || !open_release_->images.contains(name) || has_canary(name)) {
      return false;
    }
    const auto side = seen_.live_sides.find(name);
    const auto running =
        live_.find({"Deployment",
                    generate::side_name(name, side == seen_.live_sides.end() ? generate::Side::blue : side->second)});
    return running != live_.end() && running_image(name, running->second) == open_release_->images.at(name) &&
           (!service.is_built() || annotation(running->second, plan::commit_annotation) == open_release_->commit);
  }

  base::Result<ObjectDrift> compare_object(const project::Service& service, const kube::Object& wanted) const {
    const auto name = kube::to_string(wanted.key());
    const auto applied = try_apply(*client_, wanted, cluster::Force::yes, ports_.stop);
    const bool is_absent =
        applied ? applied->object.resource_version().empty() : applied.error().code == base::ErrorCode::not_found;
    if (is_absent) {
      return ObjectDrift{{missing_object(*service.name, name)}, {}};
    }
    if (!applied) {
      return applied.error().within("comparing {}", name);
    }
    const auto live = live_object(applied->object);
    if (!live) {
      return live.error().within("comparing {}", name);
    }
    return object_drift({.service = *service.name,
                         .wanted = wanted,
                         .live = *live,
                         .applied = applied->object,
                         .has_autoscaler = scaled_.contains(wanted.name()),
                         .has_canary = has_canary(*service.name)},
                        *target_.context);
  }

  // Read again when it has changed since it was listed.
  base::Result<kube::Object> live_object(const kube::Object& applied) const {
    const auto listed = live_.find({applied.kind(), applied.name()});
    const bool is_this_one = listed != live_.end() && listed->second.api_version() == applied.api_version() &&
                             listed->second.resource_version() == applied.resource_version();
    return is_this_one ? base::Result<kube::Object>(listed->second) : client_->get(applied.key(), ports_.stop);
  }

  // The pods read them; what they hold nobody compares, as they are named after it.
  base::Status look_for_secrets() {
    if (!known_kinds_.contains("Secret")) {
      return {};
    }
    for (const auto* service : services_) {
      const auto named = seen_.secret_names.find(*service->name);
      if (!service->secrets.empty() && named != seen_.secret_names.end() &&
          !live_.contains({"Secret", named->second})) {
        differences_.push_back(missing_object(*service->name, "secret/" + named->second));
      }
    }
    return {};
  }

  base::Status look_for_extras() {
    if (!is_whole_) {
      return {};
    }
    for (const auto& [place, object] : live_) {
      const bool is_scanned = std::ranges::find(scanned_kinds, place.first) != scanned_kinds.end();
      if (is_scanned && !wanted_keys_.contains(place) && !is_other_side(object) && !is_of_canary(object)) {
        differences_.push_back(extra_object(object));
      }
    }
    return {};
  }

  // In the newest version the server has; nothing where the kind may not be listed. Of Secrets no more than their names
  // is asked for.
  base::Result<std::optional<std::vector<kube::Object>>> list_ours(std::string_view kind) const {
    auto resource = kube::resource_of(kind);
    for (const auto& version : kube::known_versions(resource.group, resource.kind)) {
      resource.version = version;
      auto listed = client_->list({.resource = resource,
                                   .name_space = target_.name_space,
                                   .label_selector = selector_of_project(target_),
                                   .field_selector = {},
                                   .detail = kind == "Secret" ? cluster::Detail::metadata : cluster::Detail::whole},
                                  ports_.stop);
      if (listed) {
        return std::optional(std::move(listed->items));
      }
      if (listed.error().code == base::ErrorCode::unauthorized) {
        return std::optional<std::vector<kube::Object>>();
      }
      if (listed.error().code != base::ErrorCode::not_found) {
        return listed.error();
      }
    }
    return std::optional(std::vector<kube::Object>());
  }

  // The side that is not live is kept to go back to.
  bool is_other_side(const kube::Object& object) const {
    const auto service = json::Reader(object.body).at("metadata", "labels", "app.kubernetes.io/name").string_or();
    return object.kind() == "Deployment" && seen_.live_sides.contains(service);
  }

  bool has_canary(const std::string& service) const {
    const auto kept = open_ ? open_->find(service) : std::nullopt;
    return kept && !kept->is_over();
  }

  bool is_of_canary(const kube::Object& object) const {
    const auto all = open_ ? open_->all() : std::vector<KeptCanary>();
    return std::ranges::any_of(all, [&](const KeptCanary& kept) {
      return !kept.is_over() && object.name() == canary::canary_name(kept.service);
    });
  }

  const project::Target& target_;
  const Ports& ports_;
  Services services_;
  bool is_whole_ = false;
  plan::Observation seen_;
  std::unique_ptr<cluster::Client> client_;
  std::set<std::string> scaled_;  // Deployments whose replicas an autoscaler has
  std::optional<kube::ReleaseSummary> released_;
  std::optional<CanaryRecord> open_;  // of the release after it of which something waits or is under way
  std::optional<kube::ReleaseSummary> open_release_;
  std::map<Place, kube::Object> live_;
  std::set<std::string> known_kinds_;  // that could be listed
  std::set<Place> wanted_keys_;
  std::vector<Difference> differences_;
  std::vector<Removal> removals_;
};

}  // namespace

base::Result<Drift> find_differences(const project::Target& target, const std::vector<std::string>& services,
                                     const Ports& ports) {
  return DriftFinder(target, ports).run(services);
}

}  // namespace deployctl::execute
