#include "core/project/settle.hpp"

#include "core/base/text.hpp"
#include "core/project/cross_checks.hpp"
#include "core/project/settle_parts.hpp"

#include <algorithm>

namespace deployctl::project {
namespace {

// A service outside the cluster has an address and nothing that runs.
void refuse_workload(const WrittenService& written, base::Diagnostics& out) {
  constexpr std::string_view why = "in a service of type ExternalName";
  refuse_useless(written.source, "source", why, out);
  refuse_useless(written.stack, "stack", why, out);
  refuse_useless(written.image, "image", why, out);
  refuse_useless(written.pin, "pin", why, out);
  refuse_useless(written.build, "build", why, out);
  refuse_useless(written.command, "command", why, out);
  refuse_useless(written.port, "port", why, out);
  refuse_useless(written.ports, "ports", why, out);
  refuse_useless(written.health, "health", why, out);
  refuse_useless(written.env, "env", why, out);
  refuse_useless(written.secrets, "secrets", why, out);
  refuse_useless(written.files, "files", why, out);
  refuse_useless(written.volumes, "volumes", why, out);
  refuse_useless(written.resources, "resources", why, out);
  refuse_useless(written.replicas, "replicas", why, out);
  refuse_useless(written.scale, "scale", why, out);
  refuse_useless(written.strategy, "strategy", why, out);
  refuse_useless(written.ingress, "ingress", why, out);
  refuse_useless(written.tasks, "tasks", why, out);
}

Service settle_external(const NamedService& named, base::Diagnostics& out) {
  Service service;
  service.name = named.name;
  service.image.span = named.name.span;
  service.service = settle_address(named, {}, out);
  service.depends_on = value_or(named.value->depends_on, {});
  refuse_workload(*named.value, out);
  return service;
}

Service settle_service(const NamedService& named, const Optional<std::string>& registry, Folders& folders,
                       base::Diagnostics& out) {
  const auto& written = *named.value;
  if (is_external(written)) {
    return settle_external(named, out);
  }
  Service service;
  service.name = named.name;
  if (is_built(written)) {
    service.build = settle_build(named, folders, out);
    refuse_useless(written.pin, "pin", "for an image that is built here: it is always pinned by digest", out);
  }
  service.image = settle_image(named, registry, out);
  service.pin = value_or(written.pin, Pin::digest);
  for (const auto& word : value_or(written.command, {})) {
    service.command.push_back(*word);
  }
  service.service_account = value_or(written.service_account, {});
  service.ports = settle_ports(written, out);
  service.health = settle_health(written, service.ports, out);
  service.env = settle_env(written, out);
  service.secrets = settle_secrets(written, out);
  service.files = settle_files(written, folders, out);
  service.volumes = settle_volumes(written, out);
  service.resources = settle_resources(written, out);
  settle_scale(written, service, out);
  settle_strategy(written, service, out);
  service.service = settle_address(named, service.ports, out);
  service.ingress = settle_ingress(written, service.ports, out);
  service.depends_on = value_or(written.depends_on, {});
  service.tasks = settle_tasks(named, service.strategy, out);
  return service;
}

// Said once, at the first service that would have no place to be pushed to.
void check_registry(const WrittenProject& project, const Services& services, base::Diagnostics& out) {
  if (project.registry) {
    return;
  }
  for (const auto& service : services) {
    if (is_built(*service.value) && !service.value->image) {
      out.error(service.name.span, fmt::format("there is no 'registry' to push the image of '{}' to", *service.name),
                "add 'registry: registry.example.com/team' to the project, or 'image' to the service");
      return;
    }
  }
}

RegistryTrust settle_trust(const Named<WrittenRegistryTrust>& named, const Folders& folders, base::Diagnostics& out) {
  const auto& written = named.value;
  const bool is_insecure = value_or(written.insecure, false);
  if (is_insecure) {
    refuse_useless(written.ca, "ca", "beside 'insecure: true': no certificate is looked at", out);
  }
  const auto ca = value_or(written.ca, {});
  if (!ca.empty() && !folders.has_file(ca)) {
    out.error(written.ca->at, fmt::format("there is no file '{}'", base::printable(ca)));
  }
  return {.host = named.name, .is_insecure = is_insecure, .ca = ca};
}

std::optional<ClusterPin> settle_cluster(const WrittenProject& project, base::Diagnostics& out) {
  const auto* written = sound(project.cluster);
  if (written == nullptr) {
    return std::nullopt;
  }
  if (!written->uid && !written->ca) {
    out.error(project.cluster->at, "'cluster' needs 'uid' or 'ca'", "'deployctl doctor' prints both");
    return std::nullopt;
  }
  return ClusterPin{
      .uid = value_or(written->uid, {}), .authority = value_or(written->ca, {}), .span = project.cluster->at};
}

void check_length(const base::Located<std::string>& name, std::size_t most, std::string_view what,
                  base::Diagnostics& out) {
  if (name->size() > most) {
    out.error(name.span, fmt::format("'{}' is too long {}: {} characters", *name, what, name->size()),
              fmt::format("it may have {}: what stands beside it is named after it", most));
  }
}

// Gates ask for the pods of one Deployment by their names.
bool tells_pods_apart(const Service& service) {
  return std::ranges::any_of(service.strategy.canary.gates.gates,
                             [](const Gate& gate) { return !std::holds_alternative<HttpGate>(gate.check); });
}

// Names of Services and values of labels have at most 63 characters (RFC 1123), and the API server cuts what comes
// before the last five of a pod's name to 58.
void check_lengths(const Target& target, base::Diagnostics& out) {
  constexpr std::size_t with_canary = 63 - std::string_view("-canary").size();
  constexpr std::size_t with_canary_apart = 58 - std::string_view("-canary-0").size();
  constexpr std::size_t with_green = 63 - std::string_view("-green").size();
  bool has_two_sides = false;
  for (const auto& service : target.services) {
    has_two_sides = has_two_sides || service.strategy.type == Strategy::Type::blue_green;
    if (service.strategy.type != Strategy::Type::canary) {
      continue;
    }
    if (tells_pods_apart(service)) {
      check_length(service.name, with_canary_apart, "for a canary with a gate that asks for its pods", out);
    } else {
      check_length(service.name, with_canary, "for a service with a canary", out);
    }
  }
  if (has_two_sides) {
    check_length(target.project, with_green, "for a project with a blue-green service", out);
  }
}

CiSettings settle_ci(const WrittenProject& project) {
  const auto ci = value_or(project.ci, {});
  return {.github = ci.github.has_value(), .gitlab = ci.gitlab.has_value()};
}

}  // namespace

Target settle(const WrittenProject& project, const std::string& environment, Folders& folders, base::Diagnostics& out) {
  Target target;
  target.project = located_or(project.project, std::string(), {});
  target.environment = environment;
  target.registry = located_or(project.registry, std::string(), {});
  target.context = located_or(project.context, std::string(), {});
  target.name_space = value_or(project.name_space, *target.project);
  target.cluster = settle_cluster(project, out);
  target.pull_secret = value_or(project.pull_secret, {});
  target.approval = value_or(project.approval, Approval::automatic);
  target.ci = settle_ci(project);
  for (const auto& registry : value_or(project.registries, {})) {
    target.registries.push_back(settle_trust(registry, folders, out));
  }
  const auto* services = sound(project.services);
  if (services == nullptr) {
    return target;
  }
  check_registry(project, *services, out);
  target.services.reserve(services->size());
  for (const auto& service : *services) {
    target.services.push_back(settle_service(service, project.registry, folders, out));
  }
  check_services(*services, out);
  check_lengths(target, out);
  return target;
}

}  // namespace deployctl::project
