#include "core/execute/doctor.hpp"

#include "core/base/text.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/world.hpp"
#include "core/kube/resource.hpp"
#include "core/oci/reference.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <set>

namespace deployctl::execute {
namespace {

using Finding = base::Result<std::string>;
using namespace std::chrono_literals;

constexpr auto compiler_patience = 15s;

Finding examine_engine(const Ports& ports) {
  const auto engine = engine::detect(ports.processes, ports.environment, ports.files, ports.stop);
  if (!engine) {
    return engine.error();
  }
  const auto& facts = (*engine)->facts();
  return fmt::format("{} {}{}, {}, builds with {}", to_string(facts.kind), facts.server_version,
                     facts.endpoint.empty() ? "" : " at " + facts.endpoint, facts.platform, to_string(facts.builder));
}

Finding examine_registry(const project::Target& target, const std::string& host, const Ports& ports) {
  const auto access = open_registry(target, ports);
  if (const auto answer = access->client.ping(host, ports.stop); !answer) {
    return answer.error();
  }
  return fmt::format("{} answers and lets us in", host);
}

// A project without an image of its own is asked for an engine too: it may get one.
bool needs_engine(const project::Target& target) {
  const auto is_native = [](const auto& service) { return service.is_built() && service.build->is_native(); };
  const auto is_by_engine = [](const auto& service) { return service.is_built() && !service.build->is_native(); };
  return std::ranges::any_of(target.services, is_by_engine) || std::ranges::none_of(target.services, is_native);
}

// What the native builder calls for the project's services.
std::set<std::string> compilers_of(const project::Target& target) {
  std::set<std::string> programs;
  for (const auto& service : target.services) {
    if (service.is_built() && service.build->is_native() && service.build->artifacts.empty()) {
      programs.insert(service.build->stack == project::Stack::go ? "go" : "cmake");
    }
  }
  return programs;
}

Finding examine_compiler(const std::string& program, const Ports& ports) {
  const auto output = io::run_and_capture(
      ports.processes, {.argv = {program, program == "go" ? "version" : "--version"}, .timeout = compiler_patience},
      ports.stop);
  if (!output) {
    return output.error().code == base::ErrorCode::not_found
               ? base::Error::not_found("there is no '{}' on PATH, and a service is built with it", program)
                     .with_hint("install it, or build with 'builder: docker'")
               : output.error();
  }
  return base::printable(base::split_once(output->out, '\n').first);
}

// What a rollout does in the namespace, each as verb and kind.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> needed_permissions{
    {{"patch", "Deployment"}, {"patch", "Service"}, {"create", "ConfigMap"}, {"list", "Pod"}, {"watch", "Event"}}};

std::string_view words_for(Binding binding) {
  switch (binding) {
    case Binding::pinned:
      return "as the project manifest pins it";
    case Binding::known:
      return "the one met before";
    case Binding::first_use:
      return "not met before: the first rollout binds the environment to it";
  }
  return "";
}

Finding examine_identity(const project::Target& target, cluster::Client& client, const Ports& ports) {
  const auto seen = read_identity(client, ports.stop);
  if (!seen) {
    return seen.error();
  }
  const auto binding = check_binding(target, *seen, client.connection(), Record::no, ports);
  if (!binding) {
    return binding.error();
  }
  return fmt::format("{} ({})", kube::to_string(*seen), words_for(*binding));
}

// `identity` is told of a cluster that answers.
Finding examine_cluster(const project::Target& target, std::optional<Finding>& identity, const Ports& ports) {
  const auto client = connect_cluster(target, ports);
  if (!client) {
    return client.error();
  }
  const auto version = (*client)->server_version(ports.stop);
  if (!version) {
    return version.error();
  }
  identity = examine_identity(target, **client, ports);
  std::vector<std::string> missing;
  for (const auto& [verb, kind] : needed_permissions) {
    const auto resource = kube::resource_of(kind);
    const auto allowed = (*client)->may(verb, resource, target.name_space, {}, ports.stop);
    if (!allowed) {
      return allowed.error();
    }
    if (!*allowed) {
      missing.push_back(fmt::format("{} {}", verb, resource.plural));
    }
  }
  if (!missing.empty()) {
    return base::Error::unauthorized("{}: not permitted in namespace {}: {}", (*client)->connection().description(),
                                     target.name_space, base::join(missing, ", "))
        .with_hint("ask whoever runs the cluster for a role with these permissions");
  }
  return fmt::format("Kubernetes {} at {}, namespace {}", *version, (*client)->connection().description(),
                     target.name_space);
}

Finding examine_git(const project::Target& target, const Ports& ports) {
  const auto commit = ports.git.head(target.directory);
  if (!commit) {
    return commit.error();
  }
  return fmt::format("commit {}{}{}", commit->short_id, commit->is_dirty ? ", with uncommitted changes" : "",
                     commit->branch.empty() ? "" : ", branch " + commit->branch);
}

std::set<std::string> registries_of(const project::Target& target) {
  std::set<std::string> hosts;
  for (const auto& service : target.services) {
    const auto reference = oci::Reference::parse(*service.image);
    if (service.is_built() && reference) {
      hosts.insert(reference->registry);
    }
  }
  return hosts;
}

}  // namespace

std::vector<Checkup> examine(const project::Target& target, const Ports& ports) {
  std::vector<std::pair<std::string, std::future<Finding>>> running;
  const auto begin = [&](std::string part, std::function<Finding()> look) {
    running.emplace_back(std::move(part), std::async(std::launch::async, std::move(look)));
  };
  if (needs_engine(target)) {
    begin("engine", [&] { return examine_engine(ports); });
  }
  for (const auto& compiler : compilers_of(target)) {
    begin("compiler", [&, compiler] { return examine_compiler(compiler, ports); });
  }
  for (const auto& host : registries_of(target)) {
    begin("registry", [&, host] { return examine_registry(target, host, ports); });
  }
  std::optional<Finding> identity;
  begin("cluster", [&] { return examine_cluster(target, identity, ports); });
  begin("git", [&] { return examine_git(target, ports); });

  std::vector<Checkup> checkups;
  const auto add = [&](const std::string& part, const Finding& finding) {
    checkups.push_back(finding ? Checkup{part, *finding, {}} : Checkup{part, {}, finding.error()});
  };
  for (auto& [part, look] : running) {
    add(part, look.get());
    if (part == "cluster" && identity) {
      add("identity", *identity);
    }
  }
  return checkups;
}

}  // namespace deployctl::execute
