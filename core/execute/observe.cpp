#include "core/execute/observe.hpp"

#include "core/base/text.hpp"
#include "core/execute/at_once.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/commit_order.hpp"
#include "core/execute/dry_run.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/lock.hpp"
#include "core/execute/preflight.hpp"
#include "core/execute/prune.hpp"
#include "core/execute/ready_images.hpp"
#include "core/execute/running.hpp"
#include "core/generate/sides.hpp"
#include "core/json/reader.hpp"
#include "core/kube/release_history.hpp"
#include "core/kube/resource.hpp"
#include "core/oci/reference.hpp"
#include "core/plan/belonging.hpp"
#include "core/plan/prune.hpp"
#include "core/plan/restore.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

namespace deployctl::execute {
namespace {

constexpr std::string_view registry_hint =
    "is the registry running, and is `registry` in the project manifest right? 'deployctl doctor' looks at every part";

constexpr std::string_view build_hint = "'deployctl build --push' makes it, 'deployctl release' does everything";

using Services = std::vector<const project::Service*>;

// The registry may be one that only the cluster reaches, or is let into.
base::Error or_left_to_the_cluster(base::Error error, const project::Service& service) {
  error.hint += fmt::format(
      "{}if the cluster can pull {} all the same, write 'pin: tag' at {}, or the digest itself: {}@sha256:…",
      error.hint.empty() ? "" : "\n", *service.image, *service.name, *service.image);
  return error;
}

// Fills a Seen part by part; each part looks at one thing outside.
class Observer {
 public:
  Observer(const project::Target& target, const plan::Wish& wish, const ObserveOptions& options, const Ports& ports)
      : target_(target), wish_(wish), options_(options), ports_(ports) {}

  base::Result<Seen> run() {
    const auto services = plan::chosen_services(target_, wish_);
    if (!services) {
      return services.error();
    }
    services_ = *services;
    if (const auto meant = check_given_images(); !meant) {
      return meant.error();
    }
    using Part = base::Status (Observer::*)();
    for (const Part part :
         {&Observer::see_sources, &Observer::see_secrets, &Observer::see_engine, &Observer::see_registry,
          &Observer::see_commit_and_cluster, &Observer::see_sides, &Observer::see_images, &Observer::see_releases,
          &Observer::see_changes, &Observer::see_leftovers}) {
      if (ports_.stop.stop_requested()) {
        return base::Error::interrupted();
      }
      if (const auto status = (this->*part)(); !status) {
        return status.error();
      }
    }
    return std::move(seen_);
  }

 private:
  // An image for nobody is a slip of the pen that would leave everything as it was, and call that done.
  base::Status check_given_images() const {
    for (const auto& [service, reference] : options_.images) {
      if (const auto exists = plan::chosen_services(target_, {.services = {service}}); !exists) {
        return exists.error().within("reading --image {}={}", base::printable(service), base::printable(reference));
      }
      if (std::ranges::none_of(services_, [&](const auto* chosen) { return *chosen->name == service; })) {
        return base::Error::usage("--image {}={} is for a service that this run is not about", base::printable(service),
                                  base::printable(reference))
            .with_hint("name it too: 'deployctl rollout {} …'", service);
      }
    }
    return {};
  }

  base::Status see_sources() {
    auto inputs = generate::read_inputs(target_, ports_.files);
    if (!inputs) {
      return inputs.error();
    }
    seen_.observation.inputs = std::move(*inputs);
    return {};
  }

  // Reading the commit takes as long as connecting to a cluster nearby.
  base::Status see_commit_and_cluster() {
    std::array<base::Status, 2> outcomes;
    run_at_once({[&] { outcomes[0] = see_commit(); }, [&] { outcomes[1] = see_cluster(); }});
    return outcomes[0] ? outcomes[1] : outcomes[0];
  }

  base::Status see_commit() {
    auto commit = ports_.git.head(target_.directory);
    if (commit) {
      seen_.observation.commit = commit->id;
      seen_.commit = std::move(*commit);
    } else if (commit.error().code != base::ErrorCode::not_found) {
      return commit.error().within("looking for the commit");
    }
    if (options_.commit) {
      seen_.observation.commit = *options_.commit;
    }
    seen_.observation.tag = options_.tag.empty() ? default_tag(seen_.commit) : options_.tag;
    if (const auto reason = oci::why_not_tag(seen_.observation.tag); !reason.empty()) {
      return base::Error::usage("'{}' is not an image tag: {}", base::printable(seen_.observation.tag), reason);
    }
    return {};
  }

  base::Status see_secrets() {
    if (!wish_.rollout) {
      return {};
    }
    auto secrets = read_secrets(target_, services_, ports_.environment, ports_.files);
    if (!secrets) {
      return secrets.error();
    }
    seen_.secrets = std::move(*secrets);
    for (const auto& [service, values] : seen_.secrets) {
      seen_.observation.secret_names[service] = secret_for(target_, service, values).name();
    }
    return {};
  }

  base::Status see_engine() {
    const bool needs_engine = std::ranges::any_of(
        services_, [](const auto* service) { return service->is_built() && !service->build->is_native(); });
    if (!(wish_.build || wish_.push) || !needs_engine) {
      return {};
    }
    auto engine = engine::detect(ports_.processes, ports_.environment, ports_.files, ports_.stop);
    if (!engine) {
      return engine.error();
    }
    seen_.world.engine = std::move(*engine);
    return {};
  }

  base::Status see_registry() {
    if (!(wish_.push || wish_.rollout) || !is_anything_built()) {
      return {};
    }
    seen_.world.registry = open_registry(target_, ports_);
    if (!wish_.push) {
      return {};
    }
    const auto hosts = registries_to_push_to();
    if (!hosts) {
      return hosts.error();
    }
    if (!is_worth_a_ping(*hosts)) {
      return {};
    }
    for (const auto& host : *hosts) {
      if (const auto answer = seen_.world.registry->client.ping(host, ports_.stop); !answer) {
        return answer.error().within("asking the registry").with_hint("{}", registry_hint);
      }
    }
    return {};
  }

  base::Result<std::set<std::string>> registries_to_push_to() const {
    std::set<std::string> hosts;
    for (const auto* service : services_) {
      if (service->is_built()) {
        const auto reference = oci::Reference::parse(*service->image);
        if (!reference) {
          return reference.error().at(service->image.span);
        }
        hosts.insert(reference->registry);
      }
    }
    return hosts;
  }

  // A push to one registry begins with a question to it anyway.
  [[nodiscard]] bool is_worth_a_ping(const std::set<std::string>& hosts) const {
    return wish_.build || wish_.rollout || hosts.size() > 1;
  }

  base::Status see_cluster() {
    if (!wish_.rollout) {
      return {};
    }
    auto client = connect_cluster(target_, ports_);
    if (!client) {
      return client.error();
    }
    seen_.world.cluster = std::move(*client);
    std::array<base::Status, 4> outcomes;
    run_at_once({[&] { outcomes[0] = see_identity(); }, [&] { outcomes[1] = see_deployments(); },
                 [&] { outcomes[2] = see_access(); }, [&] { outcomes[3] = see_autoscalers(); },
                 [&] { see_lock_and_releases(); }});
    const auto failed = std::ranges::find_if(outcomes, [](const base::Status& outcome) { return !outcome; });
    if (failed != outcomes.end()) {
      return *failed;
    }
    settle_replicas();
    return {};
  }

  // Only to save questions later: what goes wrong here is told by whoever takes the lock.
  void see_lock_and_releases() {
    if (options_.with_dry_run) {
      return;
    }
    auto lease = read_lock(*seen_.world.cluster, ledger_scope(), ports_.stop);
    if (!lease) {
      return;
    }
    seen_.lock = std::move(*lease);
    if (!seen_.lock->holder.empty()) {
      return;
    }
    seen_.ledger = std::make_shared<Ledger>(*seen_.world.cluster, ledger_scope());
    if (auto releases = seen_.ledger->list_with_inventories(ports_.stop)) {
      seen_.releases = std::move(*releases);
    }
  }

  [[nodiscard]] LedgerScope ledger_scope() const { return {*target_.project, target_.environment, target_.name_space}; }

  // Version 1 is served by every server and has all that is needed here. Who may not list them, or has none, goes
  // without.
  base::Status see_autoscalers() {
    auto resource = kube::resource_of("HorizontalPodAutoscaler");
    resource.version = "v1";
    const auto listed =
        seen_.world.cluster->list({.resource = resource, .name_space = target_.name_space}, ports_.stop);
    if (!listed) {
      const auto code = listed.error().code;
      const bool are_none = code == base::ErrorCode::unauthorized || code == base::ErrorCode::not_found;
      return are_none ? base::Status() : base::Status(listed.error());
    }
    for (const auto& autoscaler : listed->items) {
      if (goes_with_this_run(autoscaler)) {
        continue;
      }
      const auto scaled = json::Reader(autoscaler.body).at("spec", "scaleTargetRef");
      if (scaled.at("kind").string_or() == "Deployment") {
        scaled_.insert(scaled.at("name").string_or());
      }
    }
    return {};
  }

  // Ours, of a service that has replicas of its own now: it is pruned before they are applied.
  [[nodiscard]] bool goes_with_this_run(const kube::Object& autoscaler) const {
    const auto service =
        std::ranges::find_if(services_, [&](const auto* each) { return *each->name == plan::service_of(autoscaler); });
    return service != services_.end() && !(*service)->scale &&
           plan::why_not_pruned(autoscaler, *target_.project, cluster::field_manager).empty();
  }

  void settle_replicas() {
    for (const auto* service : services_) {
      const auto& name = *service->name;
      const auto live = seen_.observation.deployments.find(name);
      if (live == seen_.observation.deployments.end() || !(service->scale || scaled_.contains(name))) {
        continue;
      }
      seen_.observation.held_replicas[name] = plan::held_replicas(live->second);
      if (!service->scale) {
        ports_.events.emit(events::Note{
            events::Note::Level::warning,
            fmt::format("an autoscaler has the replicas of {}: 'replicas' of the project manifest is not applied; "
                        "'scale' in its place says what the autoscaler may do",
                        name)});
      }
    }
  }

  // Everything else is beside the point in another cluster.
  base::Status see_identity() {
    const auto seen = read_identity(*seen_.world.cluster, ports_.stop);
    if (!seen) {
      return seen.error();
    }
    seen_.cluster = *seen;
    const auto binding = check_binding(target_, *seen, seen_.world.cluster->connection(), options_.record, ports_);
    return binding ? base::Status() : binding.error();
  }

  // Who may not read namespaces works in one that somebody else made.
  base::Status see_namespace() {
    const auto found = seen_.world.cluster->get(generate::namespace_object(target_).key(), ports_.stop);
    if (found || found.error().code == base::ErrorCode::unauthorized) {
      return {};
    }
    seen_.observation.namespace_exists = found.error().code != base::ErrorCode::not_found;
    return seen_.observation.namespace_exists ? base::Status(found.error()) : base::Status();
  }

  base::Status see_access() {
    auto access = read_access(*seen_.world.cluster, target_.name_space, ports_.stop);
    if (!access) {
      return access.error();
    }
    seen_.access = std::move(*access);
    return {};
  }

  // The namespace is asked for only when nothing is in it.
  base::Status see_deployments() {
    auto running = read_running(plan::names_of(services_), *seen_.world.cluster, target_.name_space, ports_.stop);
    // Not being allowed is preflight's to say, with everything else that is not.
    if (!running && running.error().code != base::ErrorCode::unauthorized) {
      return running.error();
    }
    if (running) {
      seen_.observation.deployments = std::move(running->deployments);
      with_green_side_ = std::move(running->with_green_side);
    }
    if (const auto ours = check_belonging(); !ours) {
      return ours;
    }
    return seen_.observation.deployments.empty() && with_green_side_.empty() ? see_namespace() : base::Status();
  }

  base::Status check_belonging() const {
    for (const auto& [service, deployment] : seen_.observation.deployments) {
      const auto ours = options_.take_over ? base::Status() : plan::check_belonging(target_, deployment);
      if (!ours) {
        return ours;
      }
    }
    return {};
  }

  // A service that was blue-green once may be live on its green side, whatever its strategy is now.
  base::Status see_sides() {
    for (const auto& service : with_green_side_) {
      const auto side = live_side(*seen_.world.cluster, target_, service, ports_.stop);
      if (!side) {
        return side.error();
      }
      seen_.observation.live_sides[service] = *side;
    }
    return {};
  }

  // Images that this run does not make must be in their registry already.
  base::Status see_images() {
    if (!wish_.rollout) {
      return {};
    }
    if (options_.ready_images == ReadyImages::keep) {
      seen_.observation.images = running_pins(services_, seen_.observation.deployments);
    }
    for (const auto* service : services_) {
      if (const auto status = see_image(*service); !status) {
        return status;
      }
    }
    return {};
  }

  // Nothing for an image that this run makes, that is known, or that the cluster is to find by itself.
  std::optional<std::string> image_to_look_up(const project::Service& service) const {
    if (const auto given = options_.images.find(*service.name); given != options_.images.end()) {
      return given->second;
    }
    if (service.is_built()) {
      return wish_.push ? std::nullopt : std::optional(*service.image + ":" + seen_.observation.tag);
    }
    const bool is_known = seen_.observation.images.contains(*service.name);
    return is_pinned_at_rollout(service) && !is_known ? std::optional(*service.image) : std::nullopt;
  }

  base::Status see_image(const project::Service& service) {
    const auto text = image_to_look_up(service);
    if (!text) {
      return {};
    }
    const auto reference = oci::Reference::parse(*text);
    if (!reference) {
      return reference.error();
    }
    if (!seen_.world.registry) {
      seen_.world.registry = open_registry(target_, ports_);
    }
    const auto digest = seen_.world.registry->client.resolve(*reference, ports_.stop);
    if (digest) {
      seen_.observation.images[*service.name] = pinned(*text, *digest);
      return {};
    }
    const bool is_missing = digest.error().code == base::ErrorCode::not_found;
    if (is_missing && service.is_built() && options_.missing_images == MissingImages::expected) {
      return {};  // a plan may be made before the image is
    }
    return no_image(service, digest.error());
  }

  // An image that is not there would fail the rollout, and the cause is known already.
  base::Error no_image(const project::Service& service, base::Error error) const {
    const bool is_missing = error.code == base::ErrorCode::not_found;
    if (is_missing) {
      error.code = base::ErrorCode::rollout_failed;
    }
    error = error.within("looking for the image of {}", *service.name);
    if (options_.images.contains(*service.name)) {
      return is_missing ? error : error.with_hint("{}", registry_hint);
    }
    if (service.is_built()) {
      return error.with_hint("{}", is_missing ? build_hint : registry_hint);
    }
    return (is_missing ? error : or_left_to_the_cluster(error, service)).at(service.image.span);
  }

  // For showing what would be pruned, for not building an older commit in vain, and for knowing whether a canary has
  // anything to be compared with. The run itself looks again where another one may have been at work meanwhile.
  base::Status see_releases() {
    const bool is_worth_it = options_.with_dry_run || wish_.build || wish_.push || has_canary();
    if (!wish_.rollout || !is_worth_it || !seen_.observation.namespace_exists) {
      return {};
    }
    Ledger ledger(*seen_.world.cluster, ledger_scope());
    auto releases = seen_.releases ? base::Result<std::vector<kube::ReleaseSummary>>(*seen_.releases)
                                   : ledger.list_with_inventories(ports_.stop);
    if (!releases && options_.with_dry_run && releases.error().code == base::ErrorCode::unauthorized) {
      ports_.events.emit(events::Note{events::Note::Level::warning,
                                      "what would be pruned cannot be told: " + base::to_string(releases.error())});
      return {};
    }
    if (!releases) {
      return releases.error();
    }
    seen_.observation.releases = std::move(*releases);
    const auto* live = kube::live_release(seen_.observation.releases);
    if (options_.with_dry_run && !wish_.services.empty()) {
      if (const auto seen = see_what_is_left_alone(ledger, live); !seen) {
        return seen;
      }
    }
    if (const auto seen = options_.with_dry_run ? see_open_canaries(ledger, live) : base::Status(); !seen) {
      return seen;
    }
    return live == nullptr ? base::Status() : see_commit_order(*live);
  }

  base::Status see_commit_order(const kube::ReleaseSummary& live) {
    if (options_.older_commits == OlderCommits::allowed) {
      return {};
    }
    auto order = check_commit_order(live, seen_.observation.commit, target_.directory, ports_.git);
    const bool is_refused = !order && order.error().code == base::ErrorCode::refused;
    if (!is_refused || options_.older_commits == OlderCommits::refused) {
      return order;
    }
    ports_.events.emit(
        events::Note{events::Note::Level::warning,
                     fmt::format("a rollout would be refused: {} ({})", order.error().message, order.error().hint)});
    return {};
  }

  // What a canary has changed of a route is no difference to what is planned: it is given back, or the run is its own.
  base::Status see_open_canaries(Ledger& ledger, const kube::ReleaseSummary* live) {
    const auto* open = release_under_way(seen_.observation.releases);
    if (open == nullptr || live == nullptr) {
      return {};
    }
    auto& without = seen_.observation.without_canary;
    for (const auto& kept : CanaryRecord(open->progress, {}).all()) {
      if (!kept.is_over()) {
        without[kept.service] = {};
      }
    }
    const auto release =
        without.empty() ? base::Result<kube::Release>(kube::Release()) : ledger.read(live->number, ports_.stop);
    if (!release) {
      return release.error();
    }
    for (const auto& object : release->objects) {
      if (const auto service = without.find(plan::service_of(object)); service != without.end()) {
        service->second.push_back(object);
      }
    }
    return {};
  }

  // Of a run about some services; what it prunes is what neither it nor the others have.
  base::Status see_what_is_left_alone(Ledger& ledger, const kube::ReleaseSummary* live) {
    seen_.observation.left_alone.emplace();
    if (live == nullptr) {
      return {};
    }
    auto release = ledger.read(live->number, ports_.stop);
    if (!release) {
      return release.error();
    }
    std::vector<std::string> others;
    for (const auto& object : release->objects) {
      if (auto service = plan::service_of(object); std::ranges::find(wish_.services, service) == wish_.services.end()) {
        others.push_back(std::move(service));
      }
    }
    plan::keep_services(*release, others);
    seen_.observation.left_alone = kube::inventory(*release, target_.name_space);
    return {};
  }

  bool has_canary() const {
    return std::ranges::any_of(services_, [](const project::Service* service) {
      return service->strategy.type == project::Strategy::Type::canary;
    });
  }

  base::Status see_changes() {
    if (!options_.with_dry_run) {
      return {};
    }
    const auto tried = dry_run(target_, services_, wish_.services, seen_.observation, *seen_.world.cluster, ports_);
    return tried ? see_secrets_there() : tried;
  }

  // A Secret is named after what it holds: one that is there is the one that is wanted.
  base::Status see_secrets_there() {
    for (const auto& [service, name] : seen_.observation.secret_names) {
      const kube::ObjectKey key{"v1", "Secret", target_.name_space, name};
      const auto there = is_there(key);
      if (!there && there.error().code != base::ErrorCode::unauthorized) {
        return there.error();
      }
      if (there) {
        seen_.observation.expected[key].change = *there ? plan::Change::none : plan::Change::create;
      }
    }
    return {};
  }

  base::Result<bool> is_there(const kube::ObjectKey& key) {
    if (!seen_.observation.namespace_exists) {
      return false;
    }
    const auto live = seen_.world.cluster->get(key, ports_.stop);
    if (!live && live.error().code != base::ErrorCode::not_found) {
      return live.error().within("looking for {}", kube::to_string(key));
    }
    return live.has_value();
  }

  // The ledger knows what releases have made, not what has become of it.
  base::Status see_leftovers() {
    if (!options_.with_dry_run) {
      return {};
    }
    const auto plan = plan::release(target_, seen_.observation, wish_);
    if (!plan) {
      return plan.error();
    }
    tell_kept(*plan);
    std::mutex mutex;
    base::Status outcome;
    Jobs jobs;
    for (const auto& step : plan->steps) {
      if (const auto* prune = std::get_if<plan::PruneObject>(&step.action)) {
        jobs.emplace_back([&, prune] {
          const auto goes = would_go(*prune);
          const std::scoped_lock lock(mutex);
          if (!goes) {
            outcome = goes.error().within("looking for what would be pruned");
          } else if (!*goes) {
            seen_.observation.not_pruned.insert(prune->key);
          }
        });
      }
    }
    run_at_once(jobs);
    return outcome;
  }

  void tell_kept(const plan::Plan& plan) {
    const auto& left_alone = seen_.observation.left_alone;
    const auto* live = kube::live_release(seen_.observation.releases);
    if (live == nullptr || !(wish_.services.empty() || left_alone)) {
      return;
    }
    auto desired = plan::desired_keys(plan);
    if (left_alone) {
      desired.insert(desired.end(), left_alone->begin(), left_alone->end());
    }
    tell_kept_claims(*seen_.world.cluster, plan::kept_claims(*live, desired), ports_);
  }

  // What cannot be looked at counts as there.
  base::Result<bool> would_go(const plan::PruneObject& prune) {
    const auto served = seen_.world.cluster->served(prune.key, ports_.stop);
    const auto live =
        served ? seen_.world.cluster->get(*served, ports_.stop) : base::Result<kube::Object>(served.error());
    if (live) {
      return !plan::is_of_another_service(*live, prune.services) &&
             plan::why_not_pruned(*live, *target_.project, cluster::field_manager).empty();
    }
    const auto code = live.error().code;
    if (code == base::ErrorCode::not_found || code == base::ErrorCode::unauthorized) {
      return code == base::ErrorCode::unauthorized;
    }
    return live.error();
  }

  bool is_anything_built() const {
    return std::ranges::any_of(services_, [&](const auto* service) { return service->is_built(); }) ||
           !options_.images.empty();
  }

  const project::Target& target_;
  const plan::Wish& wish_;
  const ObserveOptions& options_;
  const Ports& ports_;
  Services services_;
  std::set<std::string> scaled_;           // Deployments whose replicas an autoscaler has
  std::set<std::string> with_green_side_;  // services
  Seen seen_;
};

}  // namespace

base::Result<Seen> observe(const project::Target& target, const plan::Wish& wish, const ObserveOptions& options,
                           const Ports& ports) {
  return Observer(target, wish, options, ports).run();
}

std::string default_tag(const std::optional<io::Commit>& commit) {
  if (!commit) {
    return "dev";
  }
  std::string tag;
  for (const char byte : commit->description) {
    const bool fits = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                      byte == '.' || byte == '_' || byte == '-';
    tag += fits ? byte : '-';
  }
  return tag.substr(0, 100) + (commit->is_dirty ? "-dirty" : "");
}

}  // namespace deployctl::execute
