#include "core/generate/artifacts.hpp"

#include "core/base/text.hpp"
#include "core/generate/ci.hpp"
#include "core/generate/compose.hpp"
#include "core/generate/layout.hpp"
#include "core/templating/quoting.hpp"
#include "core/yaml/emit.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace deployctl::generate {
namespace {

using project::Service;
using project::Stack;
using project::Target;

constexpr std::size_t enough_for_a_thread = 16;  // services
constexpr std::size_t most_threads = 8;

// What every family is made from, and what has been made so far.
struct Work {
  const Target& target;
  const Inputs& inputs;
  const templating::TemplateSet& templates;
  const Options& options;
  std::vector<Artifact> made;

  void add(Family family, std::string path, std::string content) {
    made.push_back({.family = family, .path = std::move(path), .content = std::move(content)});
  }
  [[nodiscard]] bool has(const std::string& path) const {
    return std::ranges::find(made, path, &Artifact::path) != made.end();
  }
};

base::Error no_template(const Service& service) {
  const auto stack = project::to_string(service.build->stack);
  return base::Error::invalid_input("there is no Dockerfile template for stack '{}' of service '{}'", stack,
                                    *service.name)
      .with_hint("write a Dockerfile and name it as build.dockerfile")
      .at(service.build->source.span.is_known() ? service.build->source.span : service.name.span);
}

bool has_own_dockerfile(const Service& service) {
  return service.build->stack == Stack::dockerfile || !service.build->dockerfile->empty();
}

base::Status make_dockerfile(Work& work, const Service& service) {
  auto text = dockerfile(work.target, service, work.inputs, work.templates, {work.options.cache_mounts});
  if (!text) {
    return text.error();
  }
  work.add(Family::dockerfile, dockerfile_path(work.target, service), *std::move(text));
  const auto ignore_path = dockerignore_path(service);
  if (work.has(ignore_path)) {
    return {};
  }
  auto ignore = dockerignore(work.target, service, work.templates);
  if (!ignore) {
    return ignore.error();
  }
  work.add(Family::dockerfile, ignore_path, *std::move(ignore));
  return {};
}

base::Status make_dockerfiles(Work& work) {
  for (const auto& service : work.target.services) {
    if (!service.is_built() || has_own_dockerfile(service) || !service.build->artifacts.empty()) {
      continue;
    }
    if (!has_generated_dockerfile(service)) {
      return no_template(service);
    }
    if (auto status = make_dockerfile(work, service); !status) {
      return status;
    }
  }
  return {};
}

std::string with_header(const Target& target, const std::string& content) {
  return header_line(target.manifest_name) + "\n" + content;
}

// Which services this machine has at another port than their own, as a comment.
std::string port_note(const Target& target) {
  std::string moved;
  for (const auto& port : published_ports(target)) {
    if (port.at != port.port) {
      moved += fmt::format("#   {}: port {} is published at {}\n", base::printable(port.service), port.port, port.at);
    }
  }
  return moved.empty() ? moved
                       : "# This machine has each port once. These are at the next free one, because a service above "
                         "has theirs:\n" +
                             moved;
}

base::Status make_compose(Work& work) {
  const auto file = compose(work.target, work.options.tag);
  work.add(Family::compose, std::string(compose_path),
           with_header(work.target, port_note(work.target) + yaml::emit(file)));
  return {};
}

// How to make the Secret by hand, as a comment: its values are in no generated file.
std::string secret_note(const Target& target, const Service& service) {
  if (service.secrets.empty()) {
    return std::string();
  }
  std::string note = fmt::format(
      "# The values of Secret {} are not in this file. 'deployctl rollout' makes it; by hand:\n"
      "#   kubectl --namespace {} create secret generic {}",
      default_secret_name(service), target.name_space, default_secret_name(service));
  for (const auto& secret : service.secrets) {
    const bool is_variable = secret.source.from == project::SecretSource::From::environment;
    const auto option = is_variable ? fmt::format("--from-literal={}=\"${}\"", secret.variable, secret.source.name)
                                    : fmt::format("--from-file={}={}", secret.variable, secret.source.name);
    note += " \\\n#     " + base::printable(option);
  }
  return note + "\n";
}

base::Result<std::string> kubernetes_file(const Work& work, const Service& service, const KubernetesOptions& options) {
  const auto objects = kubernetes_objects(work.target, service, work.inputs, options);
  if (!objects) {
    return objects.error();
  }
  return with_header(work.target, secret_note(work.target, service) + to_yaml_stream(*objects));
}

// One for each service, made side by side: their objects are most of the work of a large project.
std::vector<base::Result<std::string>> kubernetes_files(const Work& work) {
  const KubernetesOptions options{.images = {}, .tag = work.options.tag, .secret_names = {}, .api = work.options.api};
  const auto& services = work.target.services;
  std::vector<base::Result<std::string>> files(services.size(), std::string());
  std::atomic<std::size_t> next = 0;
  const auto make_some = [&] {
    for (auto i = next++; i < services.size(); i = next++) {
      files[i] = kubernetes_file(work, services[i], options);
    }
  };
  const auto wanted = std::min<std::size_t>(services.size() / enough_for_a_thread, most_threads);
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min<std::size_t>(wanted, std::thread::hardware_concurrency()); ++i) {
    others.emplace_back(make_some);
  }
  make_some();
  others.clear();
  return files;
}

base::Status make_kubernetes(Work& work) {
  const auto folder = kubernetes_environment_folder(work.target);
  const std::vector<kube::Object> name_space{namespace_object(work.target)};
  // kubectl applies a folder's files by name: the namespace comes first.
  work.add(Family::kubernetes, folder + "/00-namespace.yaml", with_header(work.target, to_yaml_stream(name_space)));
  auto files = kubernetes_files(work);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!files[i]) {
      return files[i].error();
    }
    work.add(Family::kubernetes, fmt::format("{}/{}.yaml", folder, *work.target.services[i].name),
             *std::move(files[i]));
  }
  return {};
}

base::Status make_pipeline(Work& work, CiSystem system, std::string_view path) {
  auto text = pipeline(system, work.target, work.options.environments, work.templates);
  if (!text) {
    return text.error().within("generating {}", path);
  }
  work.add(Family::ci, std::string(path), *std::move(text));
  return {};
}

base::Status make_pipelines(Work& work) {
  if (work.target.ci.github) {
    if (auto status = make_pipeline(work, CiSystem::github, github_path); !status) {
      return status;
    }
  }
  return work.target.ci.gitlab ? make_pipeline(work, CiSystem::gitlab, gitlab_path) : base::Status{};
}

base::Status make(Work& work, Family family) {
  switch (family) {
    case Family::dockerfile:
      return make_dockerfiles(work);
    case Family::compose:
      return make_compose(work);
    case Family::kubernetes:
      return make_kubernetes(work);
    case Family::ci:
      return make_pipelines(work);
  }
  return {};
}

}  // namespace

base::Result<std::vector<Artifact>> artifacts(const Target& target, const Inputs& inputs,
                                              const templating::TemplateSet& templates, const Options& options) {
  Work work{target, inputs, templates, options, {}};
  for (const auto family : {Family::dockerfile, Family::compose, Family::kubernetes, Family::ci}) {
    const bool is_wanted =
        options.families.empty() || std::ranges::find(options.families, family) != options.families.end();
    if (!is_wanted) {
      continue;
    }
    if (auto status = make(work, family); !status) {
      return status.error();
    }
  }
  std::ranges::sort(work.made, {}, &Artifact::path);
  return std::move(work.made);
}

}  // namespace deployctl::generate
