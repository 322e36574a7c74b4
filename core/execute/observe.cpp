#include "core/execute/observe.hpp"

#include "core/base/text.hpp"
#include "core/execute/at_once.hpp"
#include "core/execute/observe_parts.hpp"
#include "core/oci/reference.hpp"

#include <algorithm>
#include <set>

namespace deployctl::execute {
namespace {

// Fills a Seen part by part; each part looks at one thing outside.
class Observer {
 public:
  Observer(const project::Target& target, const plan::Wish& wish, const ObserveOptions& options, const Ports& ports)
      : target_(target), wish_(wish), options_(options), ports_(ports), looking_{target, wish, options, ports, {}} {}

  base::Result<Seen> run() {
    const auto services = plan::chosen_services(target_, wish_);
    if (!services) {
      return services.error();
    }
    looking_.services = *services;
    if (const auto meant = check_given_images(); !meant) {
      return meant.error();
    }
    using Part = base::Status (Observer::*)();
    for (const Part part : {&Observer::see_sources, &Observer::see_secrets, &Observer::see_engine,
                            &Observer::see_registry, &Observer::see_commit_and_cluster, &Observer::see_rest}) {
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
    for (const auto& given : options_.images) {
      const auto& service = given.first;
      const auto& reference = given.second;
      if (const auto exists = plan::chosen_services(target_, {.services = {service}}); !exists) {
        return exists.error().within("reading --image {}={}", base::printable(service), base::printable(reference));
      }
      if (std::ranges::none_of(looking_.services, [&](const auto* chosen) { return *chosen->name == service; })) {
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

  // Reading the commit and asking the registry for its image takes as long as connecting to a cluster nearby.
  base::Status see_commit_and_cluster() {
    base::Status images;
    const auto seen = try_at_once({[&] {
                                     const auto commit = see_commit();
                                     images = commit ? see_named_images(looking_, seen_) : base::Status();
                                     return commit;
                                   },
                                   [this] { return see_cluster(looking_, seen_); }});
    return seen ? images : seen;
  }

  base::Status see_rest() {
    const auto images = see_images_beside_the_live_ones();
    return images ? see_changes(looking_, seen_) : images;
  }

  base::Status see_images_beside_the_live_ones() {
    ServiceImages kept;
    const auto images = try_at_once({[this] { return see_ready_images(looking_, seen_); },
                                     [&] {
                                       kept = unchanged_images(looking_, seen_);
                                       return base::Status();
                                     }});
    for (const auto& [service, image] : kept) {
      seen_.observation.images[service] = image;
    }
    tell_kept_images(kept, ports_);
    return images;
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
    auto secrets = read_secrets(target_, looking_.services, ports_.environment, ports_.files);
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
        looking_.services, [](const auto* service) { return service->is_built() && !service->build->is_native(); });
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
    for (const auto* service : looking_.services) {
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

  bool is_anything_built() const {
    return std::ranges::any_of(looking_.services, [&](const auto* service) { return service->is_built(); }) ||
           !options_.images.empty();
  }

  const project::Target& target_;
  const plan::Wish& wish_;
  const ObserveOptions& options_;
  const Ports& ports_;
  Looking looking_;
  Seen seen_;
};

}  // namespace

base::Result<Seen> observe(const project::Target& target, const plan::Wish& wish, const ObserveOptions& options,
                           const Ports& ports) {
  return Observer(target, wish, options, ports).run();
}

bool is_untouched_since(const Seen& seen, long long epoch) {
  return seen.releases && seen.lock && epoch == seen.lock->epoch + 1;
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
