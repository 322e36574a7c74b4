#include "core/project/scaffold.hpp"

#include "core/base/text.hpp"
#include "core/project/image_name.hpp"
#include "core/project/settle_parts.hpp"
#include "core/yaml/emit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace deployctl::project {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t longest_namespace = 63;  // RFC 1123, a label
constexpr std::string_view placeholder_registry = "registry.example.com/team";

bool is_variable_name(std::string_view name) {
  const auto fits = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') && std::ranges::all_of(name, fits);
}

bool has_template(Stack stack) {
  return stack == Stack::go || stack == Stack::cpp || stack == Stack::dockerfile;
}

// What a Compose value is without its variables: "${DB:-shop}" is "shop"; nothing when a variable has no default.
std::optional<std::string> plain_value(std::string_view value) {
  if (value.starts_with("${") && value.ends_with('}') && value.find(":-") != std::string_view::npos) {
    value = value.substr(value.find(":-") + 2);
    value.remove_suffix(1);
  }
  return value.find('$') == std::string_view::npos ? std::optional<std::string>(value) : std::nullopt;
}

// The name once more only when it is not taken.
std::string unused(std::string name, std::set<std::string>& taken) {
  for (int number = 2; !taken.insert(name).second; ++number) {
    name = fmt::format("{}-{}", name.substr(0, 58), number);
  }
  return name;
}

class Writer {
 public:
  Writer(const Detected& detected, const ScaffoldOptions& options) : detected_(detected), options_(options) {}

  std::string write() {
    write_head();
    for (const auto& service : detected_.services) {
      write_service(service);
    }
    for (const auto& backing : detected_.backing) {
      write_backing(backing);
    }
    if (!has_services_) {
      write_placeholder();
    }
    write_environments();
    return std::move(text_);
  }

 private:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...) + "\n";
  }

  void write_head() {
    line("# What this project is made of and how it runs.");
    line(
        "# 'deployctl validate' checks it, 'deployctl generate' writes the files, 'deployctl release' builds and rolls "
        "out.");
    line("project: {}", yaml::quote(as_name(options_.project)));
    if (options_.registry.empty()) {
      line("registry: {}  # change me: images are pushed to <registry>/<service>", placeholder_registry);
    } else {
      line("registry: {}", yaml::quote(options_.registry));
    }
    line("services:");
  }

  void write_name(const std::string& name) {
    has_services_ = true;
    line("  {}:", unused(name, names_));
  }

  void write_service(const DetectedService& service) {
    write_name(service.name);
    if (first_built_.empty()) {
      first_built_ = service.name;
    }
    if (service.source != ".") {
      line("    source: {}", yaml::quote(service.source));
    }
    write_stack(service);
    if (service.port) {
      line("    port: {}", *service.port);
      write_health(service.health);
    } else {
      line("    # port: 8080  # the port the program listens on");
    }
    write_env(service.env);
    write_dependencies(service.depends_on);
  }

  void write_health(const std::string& path) {
    constexpr std::string_view meaning = "a path that answers 200 when all is well: rollouts wait for it";
    line("    {}health: {}  # {}", path.empty() ? "# " : "", path.empty() ? "/health" : path, meaning);
  }

  void write_stack(const DetectedService& service) {
    if (service.stack == Stack::go && service.packages.size() == 1 && service.packages.front() != ".") {
      line("    build: {{package: {}}}", yaml::quote(service.packages.front()));
    }
    if (service.stack == Stack::dockerfile) {
      line("    stack: dockerfile  # built by the Dockerfile in the source folder");
    } else if (has_template(service.stack)) {
      line("    stack: {}", to_string(service.stack));
    } else {
      line("    stack: {}  # needs a Dockerfile in the source folder", to_string(service.stack));
    }
  }

  void write_backing(const DetectedBacking& backing) {
    if (!parse_image_name(backing.image)) {
      return;
    }
    write_name(backing.name);
    line("    image: {}", yaml::quote(backing.image));
    write_ports(backing.ports);
    write_env(backing.env);
    write_volumes(backing.mounts);
  }

  void write_ports(const std::vector<int>& ports) {
    if (ports.size() == 1) {
      line("    port: {}", ports.front());
    } else if (!ports.empty()) {
      line("    ports:");
      for (const int port : ports) {
        line("      tcp-{0}: {0}", port);
      }
    }
  }

  // What looks like a secret is asked for at rollout; its value does not come along.
  void write_env(const Pairs& env) {
    Pairs plain;
    std::vector<std::string> secrets;
    for (const auto& [name, value] : env) {
      const auto known = plain_value(value);
      if (!is_variable_name(name)) {
        continue;
      }
      if (looks_secret(name) && !is_switch(value)) {
        secrets.push_back(name);
      } else if (known) {
        plain.emplace_back(name, *known);
      }
    }
    if (!plain.empty()) {
      line("    env:");
      for (const auto& [name, value] : plain) {
        line("      {}: {}", yaml::quote(name), yaml::quote(value));
      }
    }
    if (!secrets.empty()) {
      line("    secrets:  # read from the environment at rollout");
      for (const auto& name : secrets) {
        line("      {0}: \"env:{0}\"", name);
      }
    }
  }

  void write_volumes(const Pairs& mounts) {
    if (mounts.empty()) {
      return;
    }
    line("    volumes:");
    std::set<std::string> taken;
    for (const auto& [name, path] : mounts) {
      line("      {}: {{mount: {}, size: 1Gi}}", unused(as_name(name), taken), yaml::quote(path));
    }
  }

  void write_dependencies(const std::vector<std::string>& names) {
    std::vector<std::string> known;
    for (const auto& name : names) {
      const auto has_name = [&](const auto& service) { return service.name == name; };
      if (std::ranges::any_of(detected_.backing, has_name) || std::ranges::any_of(detected_.services, has_name)) {
        known.push_back(name);
      }
    }
    if (!known.empty()) {
      line("    depends_on: [{}]", base::join(known, ", "));
    }
  }

  void write_placeholder() {
    line("  web:  # nothing that can be built was found here, so this is a ready image");
    line("    image: nginx:1.27");
    line("    port: 80");
    first_built_ = "web";
  }

  // In one namespace they would take each other's place.
  [[nodiscard]] std::string namespace_of(std::string_view environment) const {
    const auto name = as_name(options_.project).substr(0, longest_namespace - 1 - environment.size());
    return yaml::quote(fmt::format("{}-{}", name, environment));
  }

  // Each is laid over what stands above.
  void write_environments() {
    line("environments:  # each is laid over what stands above; choose one with --env");
    line("  dev: {{namespace: {}}}", namespace_of("dev"));
    line("  prod:");
    line("    namespace: {}", namespace_of("prod"));
    line("    approval: manual  # a rollout asks first");
    if (!first_built_.empty()) {
      line("    services: {{{}: {{replicas: 2}}}}", first_built_);
    }
  }

  const Detected& detected_;
  const ScaffoldOptions& options_;
  std::string text_;
  std::set<std::string> names_;
  std::string first_built_;
  bool has_services_ = false;
};

}  // namespace

std::string scaffold(const Detected& detected, const ScaffoldOptions& options) {
  return Writer(detected, options).write();
}

}  // namespace deployctl::project
