#include "core/execute/inspect.hpp"

#include "core/base/text.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/lock.hpp"
#include "core/json/reader.hpp"
#include "core/kube/history.hpp"
#include "core/kube/resource.hpp"
#include "core/kube/rollout_tracker.hpp"
#include "core/plan/belonging.hpp"
#include "core/plan/plan.hpp"

#include <algorithm>
#include <array>

namespace deployctl::execute {
namespace {

std::string annotation(const kube::Object& object, std::string_view name) {
  return json::Reader(object.body).at("metadata", "annotations", name).string_or();
}

// The objects a tracker judges rollouts by, kind by kind.
constexpr std::array<std::string_view, 4> tracked_kinds{"Deployment", "ReplicaSet", "Pod", "Event"};

// Everything of the namespace the judgement needs, and the Deployments themselves.
struct NamespaceView {
  std::vector<kube::Object> deployments;
  std::vector<kube::Object> replica_sets;
  std::vector<kube::Object> pods;
  kube::RolloutTracker tracker;
};

base::Result<NamespaceView> read_namespace(cluster::Client& client, const std::string& name_space,
                                           std::stop_token stop) {
  NamespaceView view;
  for (const auto kind : tracked_kinds) {
    auto listed = client.list({.resource = kube::resource_of(kind), .name_space = name_space}, stop);
    if (!listed) {
      return listed.error();
    }
    view.tracker.replace(kind, listed->items);
    if (kind == "Deployment") {
      view.deployments = std::move(listed->items);
    } else if (kind == "ReplicaSet") {
      view.replica_sets = std::move(listed->items);
    } else if (kind == "Pod") {
      view.pods = std::move(listed->items);
    }
  }
  return view;
}

const kube::Object* find_object(const std::vector<kube::Object>& objects, std::string_view name) {
  const auto found = std::ranges::find_if(objects, [&](const kube::Object& object) { return object.name() == name; });
  return found == objects.end() ? nullptr : &*found;
}

// The Deployment the service's address leads to: of a blue-green service it may be the green one.
base::Result<const kube::Object*> find_live(cluster::Client& client, const NamespaceView& view,
                                            const project::Target& target, const std::string& service,
                                            std::stop_token stop) {
  const auto* green = find_object(view.deployments, generate::side_name(service, generate::Side::green));
  if (green == nullptr ||
      json::Reader(green->body).at("metadata", "labels", generate::side_label).string_or() != "green") {
    return find_object(view.deployments, service);
  }
  const auto side = live_side(client, target, service, std::move(stop));
  if (!side) {
    return side.error();
  }
  return *side == generate::Side::green ? green : find_object(view.deployments, service);
}

std::string in_one_line(const kube::verdict::Finding& finding) {
  return base::printable(finding.object + ": " + finding.reason +
                         (finding.message.empty() ? "" : ": " + finding.message));
}

// Status and trouble as one look at the objects tells them.
void judge(NamespaceView& view, const kube::Object& deployment, ServiceStatus& status) {
  view.tracker.follow(
      {.service = status.service, .deployment = deployment.name(), .written = kube::written_state(deployment.body)},
      kube::verdict::Moment{0});
  for (const auto& change : view.tracker.advance(kube::verdict::Moment{0})) {
    if (change.service != status.service) {
      continue;
    }
    if (const auto* rollout = std::get_if<kube::RolloutStatus>(&change.what)) {
      status.rollout = *rollout;
    } else if (const auto* finding = std::get_if<kube::verdict::Finding>(&change.what);
               finding && status.trouble.empty()) {
      status.trouble = in_one_line(*finding);
    } else if (const auto* outcome = std::get_if<kube::RolloutOutcome>(&change.what)) {
      status.rollout = outcome->status;
    }
  }
}

void describe(const kube::Object& deployment, const NamespaceView& view, ServiceStatus& status) {
  status.is_deployed = true;
  status.commit = annotation(deployment, plan::commit_annotation);
  status.revision = annotation(deployment, kube::revision_annotation);
  status.image = json::Reader(deployment.body)
                     .at("spec", "template", "spec")
                     .at("containers")
                     .at(std::size_t{0})
                     .at("image")
                     .string_or();
  status.since = kube::runs_since(deployment, view.replica_sets, view.pods);
}

}  // namespace

base::Result<std::unique_ptr<cluster::Client>> connect_cluster(const project::Target& target, const Ports& ports) {
  auto client = cluster::connect({.kubeconfig = {}, .context = *target.context, .name_space = target.name_space},
                                 {ports.transport, ports.files, ports.environment, ports.processes, ports.clock});
  if (!client && client.error().code == base::ErrorCode::not_found) {
    // No cluster at all is no better than one that does not answer.
    auto nowhere = client.error();
    nowhere.code = base::ErrorCode::unreachable;
    return nowhere;
  }
  if (client) {
    for (const auto& warning : (*client)->connection().warnings) {
      ports.events.emit(events::Note{events::Note::Level::warning, warning});
    }
  }
  return client;
}

base::Result<std::vector<ServiceStatus>> read_status(cluster::Client& client, const project::Target& target,
                                                     const std::vector<std::string>& services, const Ports& ports) {
  auto view = read_namespace(client, target.name_space, ports.stop);
  if (!view) {
    return view.error();
  }
  std::vector<ServiceStatus> statuses;
  for (const auto& service : services) {
    auto& status = statuses.emplace_back(ServiceStatus{.service = service});
    const auto live = find_live(client, *view, target, service, ports.stop);
    if (!live) {
      return live.error();
    }
    if (const auto* deployment = *live) {
      describe(*deployment, *view, status);
      judge(*view, *deployment, status);
      if (const auto ours = plan::check_belonging(target, *deployment); !ours) {
        status.trouble = ours.error().message;
      }
    }
  }
  return statuses;
}

base::Result<generate::Side> live_side(cluster::Client& client, const project::Target& target,
                                       const std::string& service, std::stop_token stop) {
  const auto address = client.get(
      {.api_version = "v1", .kind = "Service", .name_space = target.name_space, .name = service}, std::move(stop));
  if (!address && address.error().code != base::ErrorCode::not_found) {
    return address.error();
  }
  return address ? generate::live_side(*address) : generate::Side::blue;
}

base::Result<std::map<std::string, generate::Side>> live_sides(cluster::Client& client, const project::Target& target,
                                                               std::stop_token stop) {
  const auto green = client.list(
      {.resource = kube::resource_of("Deployment"),
       .name_space = target.name_space,
       .label_selector = fmt::format("{}=green,app.kubernetes.io/part-of={}", generate::side_label, *target.project)},
      stop);
  if (!green) {
    return green.error();
  }
  std::map<std::string, generate::Side> sides;
  for (const auto& deployment : green->items) {
    const auto labels = json::Reader(deployment.body).at("metadata", "labels");
    if (labels.at(generate::side_label).string_or() != "green") {
      continue;
    }
    const auto service = labels.at("app.kubernetes.io/name").string_or();
    const auto side = live_side(client, target, service, stop);
    if (!side) {
      return side.error();
    }
    sides[service] = *side;
  }
  return sides;
}

std::vector<std::string> sided(const std::map<std::string, generate::Side>& sides) {
  std::vector<std::string> services;
  for (const auto& [service, side] : sides) {
    services.push_back(service);
  }
  return services;
}

base::Result<std::string> live_deployment(cluster::Client& client, const project::Target& target,
                                          const project::Service& service, std::stop_token stop) {
  if (service.strategy.type != project::Strategy::Type::blue_green) {
    return *service.name;
  }
  const auto side = live_side(client, target, *service.name, std::move(stop));
  return side ? base::Result<std::string>(generate::side_name(*service.name, *side)) : side.error();
}

base::Result<ReleaseOverview> read_overview(cluster::Client& client, const project::Target& target,
                                            std::stop_token stop) {
  const LedgerScope scope{*target.project, target.environment, target.name_space};
  auto releases = Ledger(client, scope).list(stop);
  if (!releases) {
    return releases.error();
  }
  auto lock = read_lock(client, scope, stop);
  if (!lock) {
    return lock.error();
  }
  return ReleaseOverview{std::move(*releases), std::move(*lock)};
}

}  // namespace deployctl::execute
