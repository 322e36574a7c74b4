#include "core/generate/ci.hpp"

#include "core/base/text.hpp"
#include "core/generate/artifact.hpp"
#include "core/project/gate_token.hpp"
#include "core/project/load.hpp"
#include "core/templating/quoting.hpp"

#include <algorithm>
#include <set>

namespace deployctl::generate {
namespace {

using project::Target;
using templating::Values;

constexpr std::string_view checkout_commit = "11bd71901bbe5b1630ceea73d27597364c9af683";
constexpr std::string_view checkout_version = "v4.2.2";
constexpr std::string_view github_registry = "ghcr.io";

bool is_made_of(std::string_view text, std::string_view extra) {
  const auto is_allowed = [extra](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           extra.find(byte) != std::string_view::npos;
  };
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, is_allowed);
}

bool is_variable_name(std::string_view text) {
  return is_made_of(text, "_") && !(text.front() >= '0' && text.front() <= '9');
}

// What the services of an environment read: variables of the job, and files that somebody has to make.
struct SecretNames {
  std::set<std::string> variables;
  std::set<std::string> files;
};

// False when a pipeline cannot name it.
bool add(const project::SecretSource& source, SecretNames& names) {
  const bool is_variable = source.from == project::SecretSource::From::environment;
  if (is_variable ? !is_variable_name(source.name) : !is_made_of(source.name, "._-/ @+")) {
    return false;
  }
  (is_variable ? names.variables : names.files).insert(source.name);
  return true;
}

base::Status add_secrets(const project::Service& service, SecretNames& names) {
  for (const auto& secret : service.secrets) {
    if (!add(secret.source, names)) {
      return base::Error::invalid_input("secret {} of '{}' comes from '{}', which a pipeline cannot name",
                                        secret.variable, *service.name, base::printable(secret.source.name))
          .at(secret.span);
    }
  }
  return {};
}

base::Status add_gate_tokens(const project::Service& service, SecretNames& names) {
  if (service.strategy.type != project::Strategy::Type::canary) {
    return {};
  }
  for (const auto& gate : service.strategy.canary.gates.gates) {
    const auto* token = project::token_of(gate);
    if (token != nullptr && !add(*token, names)) {
      return base::Error::invalid_input("the token of a gate of '{}' comes from '{}', which a pipeline cannot name",
                                        *service.name, base::printable(token->name))
          .at(service.name.span);
    }
  }
  return {};
}

// What a rollout reads.
base::Result<SecretNames> secret_names(const Target& target) {
  SecretNames names;
  for (const auto& service : target.services) {
    const auto secrets = add_secrets(service, names);
    if (const auto tokens = secrets ? add_gate_tokens(service, names) : secrets; !tokens) {
      return tokens.error();
    }
  }
  return names;
}

// What a build reads.
base::Result<std::set<std::string>> build_secret_names(const Target& target) {
  std::set<std::string> names;
  for (const auto& service : target.services) {
    if (!service.is_built()) {
      continue;
    }
    for (const auto& secret : service.build->secrets) {
      if (!is_variable_name(*secret)) {
        return base::Error::invalid_input(
                   "build secret '{}' of '{}' is no name of a variable, and a pipeline has no "
                   "other way to give it",
                   base::printable(*secret), *service.name)
            .at(secret.span);
      }
      names.insert(*secret);
    }
  }
  return names;
}

std::vector<Values> as_variables(const std::set<std::string>& names) {
  std::vector<Values> variables;
  for (const auto& name : names) {
    variables.push_back({{"name", name}});
  }
  return variables;
}

// The registry's host: of `registry`, else of the first image that is built. Docker Hub's names have none.
base::Result<std::string> registry_host(const Target& target) {
  auto place = target.registry;
  for (const auto& service : target.services) {
    if (place->empty() && service.is_built()) {
      place = service.image;
    }
  }
  const auto first = base::split_once(*place, '/').first;
  const bool is_host = target.registry->empty() ? first.find_first_of(".:") != std::string_view::npos : !first.empty();
  if (is_host && !is_made_of(first, ".:-[]")) {
    return base::Error::invalid_input("'{}' is not a registry", base::printable(*place)).at(place.span);
  }
  return is_host ? std::string(first) : "docker.io";
}

std::string join(const std::set<std::string>& names, std::string_view separator) {
  return base::join(std::vector<std::string>(names.begin(), names.end()), separator);
}

std::string job_name(const Target& environment) {
  return environment.environment.empty() ? "deploy" : "deploy-" + base::replace_all(environment.environment, ".", "_");
}

bool has_builds(const Target& target) {
  return std::ranges::any_of(target.services, &project::Service::is_built);
}

bool needs_engine(const Target& target) {
  return std::ranges::any_of(target.services,
                             [](const auto& service) { return service.is_built() && !service.build->is_native(); });
}

bool needs_compilers(const Target& target) {
  return std::ranges::any_of(target.services, [](const auto& service) {
    return service.is_built() && service.build->is_native() && service.build->artifacts.empty();
  });
}

// What its image is made of and how it is called.
bool is_built_alike(const project::Service& left, const project::Service& right) {
  const auto& one = *left.build;
  const auto& other = *right.build;
  return left.image == right.image && one.source == other.source && one.package == other.package &&
         one.dockerfile == other.dockerfile && one.runtime == other.runtime && one.target == other.target &&
         one.platforms == other.platforms && one.args == other.args;
}

// Whether the images that the build job makes are not those that the environment runs: its registry is another one, or
// a service is there or built otherwise in it only. Its own job makes them.
bool has_own_images(const Target& environment, const Target& target) {
  return std::ranges::any_of(environment.services, [&](const project::Service& service) {
    const auto* common = target.find(*service.name);
    return service.is_built() && (common == nullptr || !common->is_built() || !is_built_alike(service, *common));
  });
}

// A list of jobs in flow style: "[build, deploy-dev]".
std::string needs(const Target& target, const std::string& previous_job) {
  std::vector<std::string> jobs{has_builds(target) ? "build" : "check"};
  if (!previous_job.empty()) {
    jobs.push_back(templating::yaml_scalar(previous_job));
  }
  return "[" + base::join(jobs, ", ") + "]";
}

// GitHub's own registry takes the token every job has; any other wants an account.
void add_registry(Values& values, CiSystem system, const std::string& host, bool is_used) {
  const bool is_githubs = system == CiSystem::github && host == github_registry;
  const bool is_github = system == CiSystem::github;
  values.insert_or_assign("uses_registry", is_used);
  values.insert_or_assign("registry", host);
  values.insert_or_assign("registry_word", host);
  values.insert_or_assign("github_registry", is_githubs && is_used);
  values.insert_or_assign("own_registry", !is_githubs && is_used);
  values.insert_or_assign("username", is_githubs  ? "github.actor"
                                      : is_github ? "secrets.REGISTRY_USERNAME"
                                                  : "REGISTRY_USERNAME");
  values.insert_or_assign("password", is_githubs  ? "secrets.GITHUB_TOKEN"
                                      : is_github ? "secrets.REGISTRY_PASSWORD"
                                                  : "REGISTRY_PASSWORD");
}

base::Result<Values> deployment(CiSystem system, const Target& target, const Target& environment,
                                const std::string& previous_job) {
  const auto& name = environment.environment;
  if (!name.empty() && !is_made_of(name, "._-")) {
    return base::Error::invalid_input("environment '{}' cannot be named in a pipeline", base::printable(name));
  }
  auto secrets = secret_names(environment);
  const auto build_secrets = build_secret_names(environment);
  const auto host = registry_host(environment);
  if (!secrets || !build_secrets || !host) {
    return !secrets ? secrets.error() : !build_secrets ? build_secrets.error() : host.error();
  }
  const bool makes_images = has_own_images(environment, target);
  if (makes_images) {
    secrets->variables.insert(build_secrets->begin(), build_secrets->end());
  }
  const auto variables = as_variables(secrets->variables);
  Values values{{"job", templating::yaml_scalar(job_name(environment))},
                {"needs", needs(target, previous_job)},
                {"has_environment", !name.empty()},
                {"environment", templating::yaml_scalar(name)},
                {"environment_option", name.empty() ? "" : " --env " + name},
                {"group", templating::yaml_scalar(fmt::format("{}-{}", *target.project, job_name(environment)))},
                {"manual", environment.approval == project::Approval::manual},
                {"makes_images", makes_images},
                {"command", makes_images ? "release" : "rollout"},
                {"registry_right", makes_images ? "write" : "read"},
                {"has_own_variables", !variables.empty()},
                {"own_variables", variables}};
  add_registry(values, system, *host, has_builds(environment));
  return values;
}

base::Result<std::vector<Values>> deployments(CiSystem system, const Target& target,
                                              std::span<const Target> environments) {
  std::vector<Values> jobs;
  std::string previous_job;
  for (const auto& environment : environments) {
    auto job = deployment(system, target, environment, previous_job);
    if (!job) {
      return job.error();
    }
    jobs.push_back(*std::move(job));
    previous_job = job_name(environment);
  }
  return jobs;
}

base::Result<SecretNames> all_secret_names(std::span<const Target> environments) {
  SecretNames all;
  for (const auto& environment : environments) {
    const auto names = secret_names(environment);
    if (!names) {
      return names.error();
    }
    all.variables.insert(names->variables.begin(), names->variables.end());
    all.files.insert(names->files.begin(), names->files.end());
  }
  return all;
}

void add_secret_names(Values& values, const SecretNames& names) {
  values.insert_or_assign("has_variables", !names.variables.empty());
  values.insert_or_assign("variables", join(names.variables, ", "));
  values.insert_or_assign("has_secret_files", !names.files.empty());
  values.insert_or_assign("secret_files", join(names.files, ", "));
}

// A project manifest of another name has to be given to every command.
base::Result<std::string> file_option(const Target& target) {
  if (target.manifest_name == project::default_manifest_name) {
    return std::string();
  }
  if (!is_made_of(target.manifest_name, "._-")) {
    return base::Error::invalid_input("the project manifest's name '{}' cannot stand in a pipeline",
                                      base::printable(target.manifest_name));
  }
  return " --file " + target.manifest_name;
}

}  // namespace

base::Result<std::string> pipeline(CiSystem system, const Target& target, std::span<const Target> environments,
                                   const templating::TemplateSet& templates) {
  const auto deployed = environments.empty() ? std::span<const Target>(&target, 1) : environments;
  auto jobs = deployments(system, target, deployed);
  if (!jobs) {
    return jobs.error();
  }
  const auto secrets = all_secret_names(deployed);
  const auto build_secrets = build_secret_names(target);
  const auto host = registry_host(target);
  const auto option = file_option(target);
  if (!secrets || !build_secrets || !host || !option) {
    return !secrets ? secrets.error() : !build_secrets ? build_secrets.error() : !host ? host.error() : option.error();
  }
  const auto is_any = [&](bool (*what)(const Target&)) { return what(target) || std::ranges::any_of(deployed, what); };
  Values values{{"header", header_line(target.manifest_name)},
                {"checkout_commit", std::string(checkout_commit)},
                {"checkout_version", std::string(checkout_version)},
                {"builds", has_builds(target)},
                {"has_build_variables", !build_secrets->empty()},
                {"build_variables", as_variables(*build_secrets)},
                {"build_variable_names", join(*build_secrets, ", ")},
                {"needs_engine", is_any(needs_engine)},
                {"needs_compilers", is_any(needs_compilers)},
                {"file_option", *option},
                {"deployments", *std::move(jobs)}};
  add_secret_names(values, *secrets);
  add_registry(values, system, *host, has_builds(target));
  return templates.render(system == CiSystem::github ? "ci/github.yml" : "ci/gitlab.yml", values);
}

}  // namespace deployctl::generate
