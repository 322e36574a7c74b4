#include "core/project/detect.hpp"

#include "core/base/text.hpp"
#include "core/project/compose_file.hpp"
#include "core/project/folder.hpp"
#include "core/project/program_files.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace deployctl::project {
namespace {

constexpr std::uint64_t most_bytes = 1u << 20u;

std::string read_or_empty(const std::string& path, const io::FileSystem& files) {
  auto text = files.read(path, most_bytes);
  return text ? *std::move(text) : std::string();
}

// The Go files of a package, main.go first; tests are none of the program's.
std::vector<std::string> package_files(const std::string& folder, const std::string& package,
                                       const io::FileSystem& files) {
  auto names = files.list(io::join_path(folder, package));
  if (!names) {
    return {};
  }
  std::erase_if(*names, [](const std::string& name) { return !name.ends_with(".go") || name.ends_with("_test.go"); });
  std::stable_partition(names->begin(), names->end(), [](const std::string& name) { return name == "main.go"; });
  for (auto& name : *names) {
    name = io::join_path(package, name);
  }
  return *std::move(names);
}

// Where programs of a stack usually say which port they listen on.
std::vector<std::string> likely_main_files(const std::string& folder, const DetectedService& service,
                                           const io::FileSystem& files) {
  switch (service.stack) {
    case Stack::go: {
      std::vector<std::string> paths;
      for (const auto& package : service.packages) {
        std::ranges::copy(package_files(folder, package, files), std::back_inserter(paths));
      }
      return paths;
    }
    case Stack::cpp:
      return {"main.cpp", "src/main.cpp", "main.cc", "src/main.cc"};
    case Stack::node:
      return {"index.js", "server.js", "app.js", "src/index.js", "src/index.ts", "src/main.ts", "index.ts"};
    case Stack::python:
      return {"main.py", "app.py", "app/main.py", "server.py"};
    case Stack::java:
      return {"src/main/resources/application.yml", "src/main/resources/application.properties"};
    case Stack::rust:
      return {"src/main.rs"};
    case Stack::static_site:
    case Stack::dockerfile:
    case Stack::image:
      break;
  }
  return {};
}

std::optional<int> port_in_program(const std::string& folder, const DetectedService& service,
                                   const io::FileSystem& files) {
  for (const auto& path : likely_main_files(folder, service, files)) {
    if (const auto port = listening_port(read_or_empty(io::join_path(folder, path), files))) {
      return port;
    }
  }
  return std::nullopt;
}

std::string health_in_program(const std::string& folder, const DetectedService& service, const io::FileSystem& files) {
  for (const auto& path : likely_main_files(folder, service, files)) {
    if (auto health = health_path(read_or_empty(io::join_path(folder, path), files)); !health.empty()) {
      return health;
    }
  }
  return {};
}

std::optional<int> guess_port(const std::string& folder, const DetectedService& service, const io::FileSystem& files) {
  const auto exposed = exposed_port(read_or_empty(io::join_path(folder, "Dockerfile"), files));
  return exposed ? exposed : port_in_program(folder, service, files);
}

void add_stack_facts(const std::string& folder, DetectedService& service, const io::FileSystem& files) {
  if (service.stack == Stack::go) {
    service.packages = go_main_packages(folder, files);
  } else if (service.stack == Stack::cpp) {
    service.packages = cmake_executables(read_or_empty(io::join_path(folder, "CMakeLists.txt"), files));
  }
}

// Folders that hold other people's code, or what a build made.
bool is_worth_a_look(std::string_view name) {
  constexpr std::array others{"node_modules", "vendor", "build", "dist", "target",
                              "third_party",  "docs",   "tests", "test"};
  return !name.starts_with('.') && std::ranges::find(others, name) == others.end();
}

std::vector<DetectedService> services_below(const std::string& directory, const io::FileSystem& files) {
  std::vector<DetectedService> services;
  const auto names = files.list(directory);
  if (!names) {
    return services;
  }
  for (const auto& name : *names) {
    if (is_worth_a_look(name) && files.stat(io::join_path(directory, name)).kind == io::FileKind::directory) {
      if (auto service = detect_service(directory, name, as_name(name), files)) {
        services.push_back(*std::move(service));
      }
    }
  }
  return services;
}

std::string normal_source(std::string_view source) {
  const auto path = io::join_path("/", source).substr(1);
  return path.empty() ? "." : path;
}

// What the Compose file calls a program that was found, and the port it gives it.
void use_compose_words(const ComposeService& compose, std::vector<DetectedService>& services) {
  const auto source = normal_source(compose.build);
  for (auto& service : services) {
    if (service.source == source) {
      service.name = as_name(compose.name);
      service.env = compose.env;
      for (const auto& name : compose.depends_on) {
        service.depends_on.push_back(as_name(name));
      }
      if (!service.port && !compose.ports.empty()) {
        service.port = compose.ports.front();
      }
    }
  }
}

// A Compose file publishes no port for what only its own services use; a cluster has to know it all the same.
std::vector<int> ports_of(const ComposeService& service) {
  const auto usual = service.ports.empty() ? usual_port(service.image) : std::nullopt;
  return usual ? std::vector<int>{*usual} : service.ports;
}

void use_compose_file(const ComposeFile& compose, Detected& detected) {
  detected.compose_file = compose.name;
  for (const auto& service : compose.services) {
    if (!service.build.empty()) {
      use_compose_words(service, detected.services);
    } else if (!service.image.empty() && service.image.find('$') == std::string::npos) {
      detected.backing.push_back({.name = as_name(service.name),
                                  .image = service.image,
                                  .ports = ports_of(service),
                                  .env = service.env,
                                  .mounts = service.mounts});
    }
  }
}

// A Go module with several programs is several services, named after their folders. Each has the port that its own
// folder tells of: a worker beside a server has none.
std::vector<DetectedService> one_for_each_package(const std::string& directory, DetectedService service,
                                                  const io::FileSystem& files) {
  if (service.stack != Stack::go || service.packages.size() < 2) {
    return {std::move(service)};
  }
  std::vector<DetectedService> services;
  for (const auto& package : service.packages) {
    auto each = service;
    each.packages = {package};
    each.name = package == "." ? service.name : as_name(io::file_name(package));
    each.port = port_in_program(directory, each, files);
    each.health = health_in_program(directory, each, files);
    services.push_back(std::move(each));
  }
  return services;
}

}  // namespace

std::optional<DetectedService> detect_service(const std::string& directory, const std::string& source, std::string name,
                                              const io::FileSystem& files) {
  const auto folder = io::join_path(directory, source);
  const auto facts = look_at(folder, files);
  if (!facts.stack && !facts.has_dockerfile) {
    return std::nullopt;
  }
  DetectedService service;
  service.name = std::move(name);
  service.source = source;
  service.stack = facts.has_dockerfile ? Stack::dockerfile : *facts.stack;
  // The port is guessed from the program's own files even where a Dockerfile builds them.
  auto program = service;
  program.stack = facts.stack.value_or(Stack::dockerfile);
  add_stack_facts(folder, program, files);
  if (!facts.has_dockerfile) {
    service.packages = program.packages;
  }
  service.port = guess_port(folder, program, files);
  service.health = health_in_program(folder, program, files);
  return service;
}

Detected detect(const std::string& directory, const io::FileSystem& files) {
  Detected detected;
  if (auto service = detect_service(directory, ".", as_name(io::file_name(directory)), files)) {
    detected.services = one_for_each_package(directory, *std::move(service), files);
  } else {
    detected.services = services_below(directory, files);
  }
  if (const auto compose = read_compose_file(directory, files)) {
    use_compose_file(*compose, detected);
  }
  return detected;
}

std::string as_name(std::string_view text) {
  std::string name;
  for (const char byte : base::to_lower(text)) {
    const bool fits = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
    if (fits || (!name.empty() && name.back() != '-')) {
      name += fits ? byte : '-';
    }
  }
  if (name.empty() || name == "-") {
    return "app";
  }
  if (name.front() >= '0' && name.front() <= '9') {
    name.insert(0, "app-");
  }
  name.resize(std::min<std::size_t>(name.size(), 63));
  while (name.ends_with('-')) {
    name.pop_back();
  }
  return name;
}

}  // namespace deployctl::project
