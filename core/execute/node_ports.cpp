#include "core/execute/node_ports.hpp"

#include "core/kube/resource.hpp"
#include "core/plan/make_way.hpp"
#include "core/plan/prune.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

constexpr std::string_view give_another = "choose another 'node_port', or none: then the cluster chooses one";

// Of all namespaces, or of the one where not all may be listed.
base::Result<std::vector<kube::Object>> list_services(const std::string& name_space, cluster::Client& client,
                                                      const Ports& ports) {
  const auto resource = kube::resource_of("Service");
  auto listed = client.list({.resource = resource, .name_space = {}}, ports.stop);
  if (!listed && listed.error().code == base::ErrorCode::unauthorized) {
    listed = client.list({.resource = resource, .name_space = name_space}, ports.stop);
  }
  return listed ? base::Result<std::vector<kube::Object>>(std::move(listed->items)) : listed.error();
}

bool have_one_in_common(const std::set<long long>& left, const std::set<long long>& right) {
  return std::ranges::any_of(left, [&](long long port) { return right.contains(port); });
}

bool gives_up(const kube::Object& planned, const kube::Object& live, const kube::Object& wanted) {
  return !have_one_in_common(plan::node_ports_after(planned, live), plan::node_ports(wanted));
}

std::optional<kube::Object> holder_of(const kube::Object& wanted, const std::vector<kube::Object>& services) {
  const auto ports = plan::node_ports(wanted);
  for (const auto& service : services) {
    const bool is_itself = service.name() == wanted.name() && service.name_space() == wanted.name_space();
    if (!is_itself && have_one_in_common(ports, plan::node_ports(service))) {
      return service;
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_port_taken(const base::Error& refusal) {
  return refusal.message.find("port is already allocated") != std::string::npos;
}

base::Result<kube::ObjectKey> taken_port(const PortQuestion& question, const base::Error& refusal,
                                         cluster::Client& client, const Ports& ports) {
  const auto services = list_services(question.wanted.name_space(), client, ports);
  if (!services) {
    return refusal.with_hint("{}", give_another);
  }
  const auto holder = holder_of(question.wanted, *services);
  if (!holder) {
    return refusal.with_hint("a Service of another namespace may have it: {}", give_another);
  }
  const auto name = kube::to_string(holder->key());
  const bool is_near = holder->name_space() == question.wanted.name_space();
  const bool is_ours = is_near && plan::why_not_pruned(*holder, question.target, cluster::field_manager).empty();
  if (!is_ours) {
    return refusal.with_hint("{}{} has it: {}", name, is_near ? "" : " in namespace " + holder->name_space(),
                             give_another);
  }
  if (const auto* planned = question.planned(holder->key()); planned != nullptr) {
    return gives_up(*planned, *holder, question.wanted)
               ? base::Result<kube::ObjectKey>(holder->key())
               : refusal.with_hint("{}, which stays, has it: release that one without the port first, or {}", name,
                                   give_another);
  }
  if (plan::is_of_another_service(*holder, question.services)) {
    return refusal.with_hint(
        "{} has it, which this run leaves alone: 'deployctl rollout' without names deletes it and hands the port over",
        name);
  }
  return holder->key();
}

}  // namespace deployctl::execute
