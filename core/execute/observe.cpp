#include "core/execute/observe.hpp"

#include "core/base/text.hpp"
#include "core/execute/commit_order.hpp"
#include "core/execute/dry_run.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/ready_images.hpp"
#include "core/generate/sides.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"
#include "core/oci/reference.hpp"

#include <algorithm>
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
    using Part = base::Status (Observer::*)();
    for (const Part part :
         {&Observer::see_sources, &Observer::see_commit, &Observer::see_secrets, &Observer::see_engine,
          &Observer::see_registry, &Observer::see_cluster, &Observer::see_sides, &Observer::see_images,
          &Observer::see_releases, &Observer::see_changes}) {
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
  base::Status see_sources() {
    auto inputs = generate::read_inputs(target_, ports_.files);
    if (!inputs) {
      return inputs.error();
    }
    seen_.observation.inputs = std::move(*inputs);
    return {};
  }

  base::Status see_commit() {
    auto commit = ports_.git.head(target_.directory);
    if (commit) {
      seen_.observation.commit = commit->id;
      seen_.commit = std::move(*commit);
    } else if (commit.error().code != base::ErrorCode::not_found) {
      return commit.error().within("looking for the commit");
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
    const auto found = seen_.world.cluster->get(generate::namespace_object(target_).key(), ports_.stop);
    if (found) {
      return {};
    }
    if (found.error().code == base::ErrorCode::not_found) {
      seen_.observation.namespace_exists = false;
      return {};
    }
    // Who may not read namespaces works in one that somebody else made.
    return found.error().code == base::ErrorCode::unauthorized && is_allowed_in_namespace() ? base::Status{}
                                                                                            : found.error();
  }

  bool is_allowed_in_namespace() {
    const auto allowed =
        seen_.world.cluster->may("patch", kube::resource_of("Deployment"), target_.name_space, {}, ports_.stop);
    return allowed && *allowed;
  }

  // A service that was blue-green once may be live on its green side, whatever its strategy is now.
  base::Status see_sides() {
    if (!wish_.rollout || !seen_.observation.namespace_exists) {
      return {};
    }
    const auto green =
        seen_.world.cluster->list({.resource = kube::resource_of("Deployment"),
                                   .name_space = target_.name_space,
                                   .label_selector = fmt::format("{}=green,app.kubernetes.io/part-of={}",
                                                                 generate::side_label, *target_.project)},
                                  ports_.stop);
    if (!green) {
      return green.error();
    }
    for (const auto& deployment : green->items) {
      const auto labels = json::Reader(deployment.body).at("metadata", "labels");
      if (labels.at(generate::side_label).string_or() != "green") {
        continue;
      }
      const auto service = labels.at("app.kubernetes.io/name").string_or();
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
    if (const auto status = see_running_pins(); !status) {
      return status;
    }
    for (const auto* service : services_) {
      if (const auto status = see_image(*service); !status) {
        return status;
      }
    }
    return {};
  }

  base::Status see_running_pins() {
    if (options_.ready_images == ReadyImages::look_up || !seen_.observation.namespace_exists) {
      return {};
    }
    auto pins = running_pins(services_, *seen_.world.cluster, target_.name_space, ports_.stop);
    if (!pins) {
      return pins.error();
    }
    seen_.observation.images = std::move(*pins);
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
    if (is_missing && service.is_built() && options_.with_dry_run) {
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

  // For showing what would be pruned, and for not building an older commit in vain. The run itself looks again, under
  // the lock.
  base::Status see_releases() {
    const bool is_worth_it = options_.with_dry_run || wish_.build || wish_.push;
    if (!wish_.rollout || !is_worth_it || !seen_.observation.namespace_exists) {
      return {};
    }
    auto releases = Ledger(*seen_.world.cluster, {*target_.project, target_.environment, target_.name_space})
                        .list_with_inventories(ports_.stop);
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
    const bool is_checked = options_.older_commits == OlderCommits::refused && !options_.with_dry_run;
    return live != nullptr && is_checked
               ? check_commit_order(*live, seen_.observation.commit, target_.directory, ports_.git)
               : base::Status();
  }

  base::Status see_changes() {
    if (!options_.with_dry_run) {
      return {};
    }
    return dry_run(target_, services_, seen_.observation, *seen_.world.cluster, ports_);
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
