// Ports, and everything that refers to them.
#include "core/base/text.hpp"
#include "core/project/settle_parts.hpp"

#include <algorithm>
#include <array>

namespace deployctl::project {
namespace {

using namespace std::chrono_literals;

// What a probe is unless the project manifest says otherwise. Starting may take two minutes.
Probe liveness_defaults() {
  return {.path = {}, .port = {}, .period = 10s, .command = {}};
}
Probe readiness_defaults() {
  return {.path = {}, .port = {}, .period = 5s, .command = {}};
}
Probe startup_defaults() {
  return {.path = {}, .port = {}, .period = 2s, .threshold = 60, .command = {}};
}

// The name of the port that is meant by a name or a number; "" when there is no such port.
std::string find_port(std::string_view meant, const std::vector<Port>& ports) {
  const auto number = base::parse_integer(meant);
  const auto found = std::ranges::find_if(
      ports, [&](const Port& port) { return port.name == meant || (number && port.number == *number); });
  return found == ports.end() ? std::string() : found->name;
}

std::vector<std::string> names_of(const std::vector<Port>& ports) {
  std::vector<std::string> names;
  for (const auto& port : ports) {
    names.push_back(port.name);
  }
  return names;
}

bool has_ports(const WrittenService& written) {
  return written.port || written.ports;
}

std::string settle_probe_port(const WrittenProbe& written, const std::vector<Port>& ports, base::Diagnostics& out) {
  const auto* meant = sound(written.port);
  if (meant == nullptr || ports.empty()) {
    return ports.empty() ? std::string() : ports.front().name;
  }
  auto name = find_port(*meant, ports);
  if (name.empty()) {
    out.error(written.port->at, fmt::format("the service has no port '{}'", base::printable(*meant)),
              fmt::format("its ports: {}", base::join(names_of(ports), ", ")));
  }
  return name;
}

Probe settle_probe(const Given<WrittenProbe>& given, Probe probe, const WrittenService& service,
                   const std::vector<Port>& ports, base::Diagnostics& out) {
  const auto& written = *given;
  for (const auto& word : value_or(written.command, {})) {
    probe.command.push_back(*word);
  }
  probe.path = value_or(written.path, {});
  probe.initial_delay = value_or(written.initial_delay, probe.initial_delay);
  probe.period = value_or(written.period, probe.period);
  probe.timeout = value_or(written.timeout, probe.timeout);
  probe.threshold = value_or(written.threshold, probe.threshold);
  if (written.command) {
    refuse_useless(written.path, "path", "beside 'command'", out);
    refuse_useless(written.port, "port", "beside 'command'", out);
  } else if (!has_ports(service)) {
    out.error(given.key, "a check without 'command' needs a port", "give the service a 'port'");
  } else {
    probe.port = settle_probe_port(written, ports, out);
  }
  return probe;
}

std::optional<Probe> settle_optional_probe(const Optional<WrittenProbe>& given, Probe defaults,
                                           const WrittenService& service, const std::vector<Port>& ports,
                                           base::Diagnostics& out) {
  return sound(given) == nullptr ? std::nullopt
                                 : std::optional(settle_probe(*given, std::move(defaults), service, ports, out));
}

// `health: /path`: one path for all three.
Health health_of_path(const Given<std::string>& path, const WrittenService& service, const std::vector<Port>& ports,
                      base::Diagnostics& out) {
  Given<WrittenProbe> probe{.value = {}, .key = path.key, .at = path.at};
  probe.value.path = path;
  Health health;
  health.liveness = settle_probe(probe, liveness_defaults(), service, ports, out);
  if (!has_ports(service)) {
    return health;
  }
  health.readiness = settle_probe(probe, readiness_defaults(), service, ports, out);
  health.startup = settle_probe(probe, startup_defaults(), service, ports, out);
  return health;
}

void check_node_port(const WrittenServicePort& written, ServicePort::Type type, base::Diagnostics& out) {
  if (type != ServicePort::Type::node_port) {
    refuse_useless(written.node_port, "node_port", "without 'type: NodePort'", out);
  }
}

void check_external_name(const WrittenServicePort& written, ServicePort::Type type, const base::SourceSpan& key,
                         base::Diagnostics& out) {
  if (type != ServicePort::Type::external_name) {
    refuse_useless(written.external_name, "external_name", "without 'type: ExternalName'", out);
  } else if (!written.external_name) {
    out.error(key, "a service of type ExternalName needs 'external_name'",
              "for example 'external_name: db.example.com'");
  } else {
    refuse_useless(written.port, "port", "with 'type: ExternalName'", out);
  }
}

}  // namespace

std::vector<Port> settle_ports(const WrittenService& written, base::Diagnostics& out) {
  std::vector<Port> ports;
  refuse_both(written.port, written.ports, "'port' and 'ports' exclude each other", out);
  if (const auto* number = sound(written.port)) {
    ports.push_back({"http", *number, written.port->at});
    return ports;
  }
  for (const auto& port : value_or(written.ports, {})) {
    const auto same = std::ranges::find(ports, port.value, &Port::number);
    if (same != ports.end()) {
      out.error(port.at, fmt::format("ports '{}' and '{}' are both {}", same->name, *port.name, port.value));
    }
    ports.push_back({*port.name, port.value, port.at});
  }
  return ports;
}

Health settle_health(const WrittenService& written, const std::vector<Port>& ports, base::Diagnostics& out) {
  const auto* health = sound(written.health);
  if (health == nullptr) {
    return {};
  }
  if (health->path) {
    return health_of_path(*health->path, written, ports, out);
  }
  return {.liveness = settle_optional_probe(health->liveness, liveness_defaults(), written, ports, out),
          .readiness = settle_optional_probe(health->readiness, readiness_defaults(), written, ports, out),
          .startup = settle_optional_probe(health->startup, startup_defaults(), written, ports, out)};
}

std::optional<ServicePort> settle_address(const NamedService& service, const std::vector<Port>& ports,
                                          base::Diagnostics& out) {
  const auto& given = service.value->service;
  if (!given || given->is_broken) {
    return ports.empty()
               ? std::nullopt
               : std::optional(ServicePort{.port = ports.front().number, .node_port = {}, .external_name = {}});
  }
  const auto& written = **given;
  ServicePort address;
  address.type = value_or(written.type, ServicePort::Type::cluster_ip);
  address.external_name = value_or(written.external_name, {});
  address.port = value_or(written.port, ports.empty() ? 0 : ports.front().number);
  if (const auto* node_port = sound(written.node_port)) {
    address.node_port = *node_port;
  }
  if (written.type && written.type->is_broken) {
    return address;
  }
  check_node_port(written, address.type, out);
  check_external_name(written, address.type, given->key, out);
  if (address.type != ServicePort::Type::external_name && !has_ports(*service.value)) {
    out.error(given->key, "'service' needs a port to lead to", fmt::format("give '{}' a 'port'", *service.name));
  }
  return address;
}

std::optional<Ingress> settle_ingress(const WrittenService& written, const std::vector<Port>& ports,
                                      base::Diagnostics& out) {
  const auto* ingress = sound(written.ingress);
  if (ingress == nullptr) {
    return std::nullopt;
  }
  if (ports.empty() && !has_ports(written)) {
    out.error(written.ingress->key, "'ingress' needs a port to lead to", "give the service a 'port'");
  }
  if (ingress->gateway) {
    refuse_useless(ingress->class_name, "class", "beside 'gateway'", out);
    refuse_useless(ingress->tls, "tls", "beside 'gateway': the Gateway holds the certificate", out);
  }
  return Ingress{.host = value_or(ingress->host, {}),
                 .path = value_or(ingress->path, std::string("/")),
                 .class_name = value_or(ingress->class_name, {}),
                 .tls_secret = value_or(ingress->tls, {}),
                 .gateway = value_or(ingress->gateway, {}),
                 .span = written.ingress->key};
}

}  // namespace deployctl::project
