// The text comes from templates/dockerfile/<stack>.Dockerfile. Values reach it in three ways only: quoted for the place
// they stand in (build args, commands, the Go package), or, where a Dockerfile has no quoting (FROM, EXPOSE, paths,
// names), after every byte was found in the list of those that mean nothing there.
#include "core/generate/dockerfile.hpp"

#include "core/base/text.hpp"
#include "core/generate/artifact.hpp"
#include "core/templating/quoting.hpp"

#include <algorithm>

namespace deployctl::generate {
namespace {

using project::Stack;
using templating::Values;

constexpr std::string_view default_go_version = "1.22";
constexpr std::string_view default_go_runtime = "gcr.io/distroless/static-debian12:nonroot";
constexpr std::string_view default_cpp_base = "debian:bookworm-slim";
constexpr std::string_view default_cpp_runtime = "gcr.io/distroless/cc-debian12:nonroot";
constexpr std::string_view default_program = "/app";

bool is_word_of(std::string_view text, std::string_view extra) {
  const auto is_allowed = [extra](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           extra.find(byte) != std::string_view::npos;
  };
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, is_allowed);
}

// A value that stands unquoted, or the reason why it cannot.
base::Result<std::string> bare(const base::Located<std::string>& value, std::string_view extra, std::string_view what) {
  if (is_word_of(*value, extra)) {
    return *value;
  }
  return base::Error::invalid_input("'{}' is not {}", base::printable(*value), what).at(value.span);
}

base::Located<std::string> or_default(const base::Located<std::string>& value, std::string text) {
  return value->empty() ? base::Located<std::string>{std::move(text), value.span} : value;
}

base::Result<std::string> image(const base::Located<std::string>& given, std::string fallback) {
  return bare(or_default(given, std::move(fallback)), "._-/:@", "an image reference");
}

std::string go_base(const SourceFacts& facts) {
  return fmt::format("golang:{}-bookworm", facts.go_version.empty() ? default_go_version : facts.go_version);
}

base::Result<std::vector<Values>> build_args(const project::Build& build) {
  std::vector<Values> args;
  for (const auto& [name, value] : build.args) {
    const auto bare_name = bare({name, value.span}, "_", "a name for a build argument");
    if (!bare_name) {
      return bare_name.error();
    }
    const auto word = templating::dockerfile_word(*value);
    if (!word) {
      return word.error().within("build argument {}", name).at(value.span);
    }
    args.push_back({{"name", *bare_name}, {"value", *word}});
  }
  return args;
}

base::Result<std::vector<Values>> build_secrets(const project::Build& build) {
  std::vector<Values> secrets;
  for (const auto& secret : build.secrets) {
    const auto id = bare(secret, "._-", "a name for a build secret");
    if (!id) {
      return id.error();
    }
    secrets.push_back({{"id", *id}});
  }
  return secrets;
}

std::vector<Values> exposed_ports(const project::Service& service) {
  std::vector<Values> ports;
  for (const auto& port : service.ports) {
    ports.push_back({{"number", std::to_string(port.number)}});
  }
  return ports;
}

// An empty named volume takes its owner from the image's folder it is mounted over.
base::Result<std::vector<Values>> volume_folders(const project::Service& service) {
  std::vector<Values> folders;
  for (const auto& volume : service.volumes) {
    const auto mount = bare({volume.mount, volume.span}, "._-/", "a path for a volume in an image");
    if (!mount) {
      return mount.error();
    }
    folders.push_back({{"mount", *mount}});
  }
  return folders;
}

// Values under their names, collected until one of them is an error.
class Collector {
 public:
  void add(const std::string& name, templating::Value value) { values_.insert_or_assign(name, std::move(value)); }
  template <typename T>
  void add(const std::string& name, base::Result<T> value) {
    if (value) {
      add(name, templating::Value(*std::move(value)));
    } else if (!error_) {
      error_ = value.error();
    }
  }
  [[nodiscard]] const std::optional<base::Error>& error() const { return error_; }
  [[nodiscard]] const Values& values() const { return values_; }

 private:
  Values values_;
  std::optional<base::Error> error_;
};

void add_common_values(Collector& out, const project::Target& target, const project::Service& service,
                       const DockerfileOptions& options) {
  const auto& build = *service.build;
  const auto command = entrypoint(service);
  out.add("header", header_line(target.manifest_name));
  out.add("args", build_args(build));
  out.add("secrets", build_secrets(build));
  out.add("cache_mounts", options.cache_mounts == CacheMounts::yes);
  out.add("ports", exposed_ports(service));
  out.add("volumes", volume_folders(service));
  out.add("program", bare({command.front(), service.name.span}, "._-/", "a path for a program in an image"));
  out.add("entrypoint", templating::dockerfile_exec(command));
  out.add("title", templating::dockerfile_word(*service.name));
  out.add("user", std::to_string(runtime_user));
}

void add_go_values(Collector& out, const project::Service& service, const SourceFacts& facts,
                   const DockerfileOptions& options) {
  const auto& build = *service.build;
  out.add("base", image(build.base, go_base(facts)));
  out.add("runtime", image(build.runtime, std::string(default_go_runtime)));
  out.add("package", templating::dockerfile_shell_word(go_package(build, facts)));
  out.add("downloads", !facts.has_vendor && !facts.has_local_modules);
  // Only BuildKit knows the platform it runs on by this name.
  out.add("platforms", options.cache_mounts == CacheMounts::yes && !build.platforms.empty());
}

void add_cpp_values(Collector& out, const project::Target& target, const project::Service& service,
                    const SourceFacts& facts) {
  const auto& build = *service.build;
  out.add("base", image(build.base, std::string(default_cpp_base)));
  out.add("runtime", image(build.runtime, std::string(default_cpp_runtime)));
  out.add("executable", cpp_executable(service, facts));
  out.add("installs", build.base->empty());
  out.add("has_packages",
          std::ranges::any_of(build.args, [](const auto& argument) { return argument.first == "PACKAGES"; }));
  out.add("cache_id", bare({*target.project + "-" + *service.name, service.name.span}, "-", "a name for a cache"));
}

// Where the program stands when the command does not say: an only artifact is it.
std::string program_of(const project::Service& service) {
  const auto& artifacts = service.build->artifacts;
  return artifacts.size() == 1 ? artifacts.front().path : std::string(default_program);
}

}  // namespace

// A folder of the module needs its "./", or go takes it for a package of the standard library.
std::string go_package(const project::Build& build, const SourceFacts& facts) {
  if (build.package->empty()) {
    return facts.main_package.empty() ? "." : facts.main_package;
  }
  const auto first = base::split_once(*build.package, '/').first;
  return first.find('.') == std::string_view::npos ? "./" + *build.package : *build.package;
}

base::Result<std::string> cpp_executable(const project::Service& service, const SourceFacts& facts) {
  const auto fallback = facts.executable.empty() ? *service.name : facts.executable;
  return bare(or_default(service.build->package, fallback), "._-+", "a CMake target");
}

std::vector<std::string> entrypoint(const project::Service& service) {
  if (!service.command.empty() && service.command.front().starts_with('/')) {
    return service.command;
  }
  std::vector<std::string> whole{program_of(service)};
  whole.insert(whole.end(), service.command.begin(), service.command.end());
  return whole;
}

base::Result<std::string> dockerfile(const project::Target& target, const project::Service& service,
                                     const Inputs& inputs, const templating::TemplateSet& templates,
                                     const DockerfileOptions& options) {
  if (!has_generated_dockerfile(service)) {
    return base::Error::invalid_input("there is no Dockerfile to generate for service '{}'", *service.name)
        .with_hint("name your own as build.dockerfile")
        .at(service.name.span);
  }
  const auto facts = inputs.facts(*service.name);
  const bool is_go = service.build->stack == Stack::go;
  Collector values;
  add_common_values(values, target, service, options);
  if (is_go) {
    add_go_values(values, service, facts, options);
  } else {
    add_cpp_values(values, target, service, facts);
  }
  if (values.error()) {
    return values.error()->within("generating the Dockerfile of '{}'", *service.name);
  }
  return templates.render(is_go ? "dockerfile/go.Dockerfile" : "dockerfile/cpp.Dockerfile", values.values());
}

base::Result<std::string> dockerignore(const project::Target& target, const project::Service& service,
                                       const templating::TemplateSet& templates) {
  const bool is_at_root = source_folder(service).empty();
  return templates.render("dockerignore", {{"header", header_line(target.manifest_name)},
                                           {"at_root", is_at_root},
                                           {"manifest", base::printable(target.manifest_name)}});
}

}  // namespace deployctl::generate
