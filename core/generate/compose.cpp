#include "core/generate/compose.hpp"

#include "core/base/text.hpp"
#include "core/generate/backing.hpp"
#include "core/generate/dockerfile.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/io/file_system.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <span>

namespace deployctl::generate {
namespace {

using json::Value;
using project::Service;
using project::ServicePort;
using project::Target;

constexpr std::string_view front_network = "front";
constexpr std::string_view back_network = "back";
constexpr int last_port = 65535;
constexpr int first_free_for_all = 1024;  // below it a port may be reserved for root
constexpr unsigned long long mebibyte = 1u << 20u;

// An ExternalName service runs elsewhere.
bool runs_here(const Service& service) {
  return !service.service || service.service->type != ServicePort::Type::external_name;
}

// Databases, caches and queues: what only other services may talk to.
bool is_backing(const Service& service) {
  return known_image(service) != nullptr;
}

bool is_published(const Service& service) {
  return runs_here(service) && !is_backing(service);
}

// A path of the project as Compose reads it: relative paths start with "./".
std::string local_path(std::string_view path) {
  return path.empty() ? "." : compose_literal("./" + std::string(path));
}

Value literal_words(const std::vector<std::string>& words) {
  auto list = Value::array();
  for (const auto& word : words) {
    list.push_back(compose_literal(word));
  }
  return list;
}

// The way from the build context back to a file of the project: engines look for the Dockerfile from there.
std::string from_context(const Service& service, const std::string& path) {
  const auto folder = source_folder(service);
  if (folder.empty()) {
    return path;
  }
  if (path.starts_with(folder + "/")) {
    return path.substr(folder.size() + 1);
  }
  std::string way;
  for (std::size_t level = 0; level < base::split(folder, '/').size(); ++level) {
    way += "../";
  }
  return way + path;
}

Value build_section(const Target& target, const Service& service) {
  const auto& build = *service.build;
  const bool is_ours = has_generated_dockerfile(service);
  Value section = {{"context", local_path(source_folder(service))}};
  if (is_ours) {
    section["dockerfile"] = compose_literal(from_context(service, dockerfile_path(target, service)));
  } else if (!build.dockerfile->empty()) {
    section["dockerfile"] = compose_literal(*build.dockerfile);
  }
  if (!build.target.empty()) {
    section["target"] = compose_literal(build.target);
  }
  if (!is_ours && !build.args.empty()) {  // our own Dockerfile has them as defaults
    for (const auto& [name, value] : build.args) {
      section["args"][name] = compose_literal(*value);
    }
  }
  return section;
}

// The entrypoint of an image of ours holds the command already.
void add_command(Value& out, const Service& service) {
  if (!service.command.empty() && !has_image_of_ours(service)) {
    out["command"] = literal_words(service.command);
  }
}

std::string required_variable(const project::Secret& secret) {
  if (secret.source.from == project::SecretSource::From::environment) {
    return fmt::format("${{{0}:?set {0} before starting}}", secret.source.name);
  }
  return fmt::format("${{{0}:?set {0} to the content of its file}}", secret.variable);
}

void add_environment(Value& out, const Service& service) {
  auto variables = Value::object();
  for (const auto& [name, value] : service.env) {
    variables[name] = compose_literal(*value);
  }
  for (const auto& secret : service.secrets) {
    variables[secret.variable] = required_variable(secret);
  }
  if (!variables.empty()) {
    out["environment"] = std::move(variables);
  }
}

std::string seconds(base::Milliseconds duration) {
  return fmt::format("{}s", std::max<long long>(1, (duration.count() + 999) / 1000));
}

Value ready_check(const std::vector<std::string>& command, const project::Probe& probe) {
  auto test = literal_words(command);
  test.insert(test.begin(), "CMD");
  return {{"test", std::move(test)},
          {"interval", seconds(probe.period)},
          {"timeout", seconds(probe.timeout)},
          {"retries", std::max(1, probe.threshold)},
          {"start_period", "30s"}};
}

// A check runs inside the container, so it needs a program of the image: the one the project manifest names, or the one
// known images bring along. HTTP probes have nothing to run in an image without a shell.
std::optional<Value> healthcheck(const Service& service) {
  for (const auto& probe : {service.health.readiness, service.health.liveness}) {
    if (probe && !probe->command.empty()) {
      return ready_check(probe->command, *probe);
    }
  }
  const auto* known = known_image(service);
  if (known == nullptr || known->ready_command.empty()) {
    return std::nullopt;
  }
  project::Probe often;
  often.period = std::chrono::seconds(5);
  often.timeout = std::chrono::seconds(5);
  often.threshold = 12;
  return ready_check(known->ready_command, often);
}

void wait_for(Value& out, const Service& service) {
  out["depends_on"][*service.name]["condition"] = healthcheck(service) ? "service_healthy" : "service_started";
}

void add_dependencies(Value& out, const Target& target, const Service& service) {
  for (const auto& name : service.depends_on) {
    const auto* dependency = target.find(*name);
    if (dependency != nullptr && runs_here(*dependency)) {
      wait_for(out, *dependency);
    }
  }
}

std::string task_key(const Service& service, const project::Task& task) {
  return *service.name + "-" + task.name;
}

// The container, or the task after them, waits for tasks to have succeeded.
void wait_for_tasks(Value& out, const Service& service, project::Task::When when, const project::Task* until) {
  for (const auto& task : service.tasks) {
    if (&task == until) {
      return;
    }
    if (task.when == when) {
      out["depends_on"][task_key(service, task)]["condition"] = "service_completed_successfully";
    }
  }
}

bool is_public(const Service& service) {
  return service.service && (service.service->type == ServicePort::Type::node_port ||
                             service.service->type == ServicePort::Type::load_balancer);
}

// The first port from there on that is not taken, which it is from now on. A project has fewer ports than there are.
int take_next(int port, std::set<int>& taken) {
  while (!taken.insert(port).second) {
    port = port == last_port ? first_free_for_all : port + 1;
  }
  return port;
}

// On this machine only, unless the service is meant to be reached from outside: published ports pass by the machine's
// firewall.
void add_ports(Value& out, const Service& service, std::span<const PublishedPort> published) {
  for (const auto& port : published) {
    if (port.service == *service.name) {
      out["ports"].push_back(fmt::format("{}{}:{}", is_public(service) ? "" : "127.0.0.1:", port.at, port.port));
    }
  }
}

std::string volume_key(const Service& service, const project::Volume& volume) {
  return *service.name + "-" + volume.name;
}

Value mounted(const project::ConfigFile& file) {
  return {{"type", "bind"},
          {"source", local_path(*file.source)},
          {"target", compose_literal(file.path)},
          {"read_only", true}};
}

void add_volumes(Value& out, const Service& service) {
  for (const auto& volume : service.volumes) {
    out["volumes"].push_back(
        {{"type", "volume"}, {"source", volume_key(service, volume)}, {"target", compose_literal(volume.mount)}});
  }
  for (const auto& file : service.files) {
    out["volumes"].push_back(mounted(file));
  }
}

// What our own images are made for: no root, nothing written outside volumes and /tmp.
void add_confinement(Value& out, const Service& service) {
  if (has_image_of_ours(service)) {
    out["read_only"] = true;
    out["tmpfs"] = Value::array({"/tmp"});
    out["cap_drop"] = Value::array({"ALL"});
  }
  out["security_opt"] = Value::array({"no-new-privileges:true"});
}

void add_limits(Value& out, const project::Resources& resources) {
  auto limits = Value::object();
  if (resources.cpu_limit) {
    limits["cpus"] = fmt::format("{:.3g}", static_cast<double>(resources.cpu_limit->thousandths()) / 1000);
  }
  if (resources.memory_limit) {
    const auto bytes = static_cast<unsigned long long>(resources.memory_limit->units());
    limits["memory"] = bytes % mebibyte == 0 ? fmt::format("{}M", bytes / mebibyte) : fmt::format("{}b", bytes);
  }
  if (!limits.empty()) {
    out["deploy"]["resources"]["limits"] = std::move(limits);
  }
}

bool has_two_networks(const Target& target) {
  const auto is_behind = [](const Service& service) { return runs_here(service) && is_backing(service); };
  return std::ranges::any_of(target.services, is_published) && std::ranges::any_of(target.services, is_behind);
}

void add_networks(Value& out, const Service& service) {
  out["networks"] = is_backing(service) ? Value::array({back_network}) : Value::array({front_network, back_network});
}

Value service_section(const Target& target, const Service& service, std::string_view tag,
                      std::span<const PublishedPort> published) {
  Value out = {{"image", compose_literal(image_reference(service, tag))}};
  if (service.is_built() && service.build->artifacts.empty()) {  // Compose knows no other way than a Dockerfile
    out["build"] = build_section(target, service);
  }
  add_command(out, service);
  out["restart"] = "unless-stopped";
  out["init"] = true;
  if (has_image_of_ours(service)) {
    out["stop_grace_period"] = "30s";
  }
  add_environment(out, service);
  add_ports(out, service, published);
  add_volumes(out, service);
  if (const auto check = healthcheck(service)) {
    out["healthcheck"] = *check;
  }
  add_dependencies(out, target, service);
  wait_for_tasks(out, service, project::Task::When::before_rollout, nullptr);
  add_confinement(out, service);
  add_limits(out, service.resources);
  return out;
}

// The service with another command, run once.
Value task_section(const Target& target, const Service& service, const project::Task& task, std::string_view tag) {
  const bool is_before = task.when == project::Task::When::before_rollout;
  auto like = service;
  like.tasks.clear();
  like.command = task.command;
  auto out = service_section(target, like, tag, {});
  for (const auto* key : {"healthcheck", "stop_grace_period", "depends_on", "volumes"}) {
    out.erase(key);
  }
  out["restart"] = "no";
  if (has_image_of_ours(service)) {
    out["entrypoint"] = literal_words(entrypoint(like));
  }
  for (const auto& file : service.files) {
    out["volumes"].push_back(mounted(file));
  }
  if (is_before) {
    add_dependencies(out, target, service);
  } else {
    wait_for(out, service);
  }
  wait_for_tasks(out, service, task.when, &task);
  return out;
}

}  // namespace

std::vector<PublishedPort> published_ports(const Target& target) {
  std::vector<PublishedPort> published;
  std::set<int> taken;
  for (const auto& service : target.services) {
    std::set<int> own;  // several names may stand for one number
    for (const auto& port : is_published(service) ? service.ports : std::vector<project::Port>()) {
      if (own.insert(port.number).second) {
        const bool is_first = taken.insert(port.number).second;
        published.push_back({.service = *service.name, .port = port.number, .at = is_first ? port.number : 0});
      }
    }
  }
  for (auto& port : published) {
    port.at = port.at == 0 ? take_next(port.port, taken) : port.at;
  }
  return published;
}

std::string compose_literal(std::string_view text) {
  return base::replace_all(std::string(text), "$", "$$");
}

json::Value compose(const Target& target, std::string_view tag) {
  Value file = {{"services", Value::object()}};
  const bool has_networks = has_two_networks(target);
  const auto published = published_ports(target);
  for (const auto& service : target.services) {
    if (!runs_here(service)) {
      continue;
    }
    auto& section = file["services"][*service.name];
    section = service_section(target, service, tag, published);
    if (has_networks) {
      add_networks(section, service);
    }
    for (const auto& task : service.tasks) {
      auto& once = file["services"][task_key(service, task)];
      once = task_section(target, service, task, tag);
      if (has_networks) {
        add_networks(once, service);
      }
    }
    for (const auto& volume : service.volumes) {
      const auto key = volume_key(service, volume);
      file["volumes"][key]["name"] = *target.project + "-" + key;
    }
  }
  if (has_networks) {
    file["networks"] = {{front_network, Value::object()}, {back_network, Value::object()}};
  }
  return file;
}

}  // namespace deployctl::generate
