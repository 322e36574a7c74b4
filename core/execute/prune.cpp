#include "core/execute/prune.hpp"

#include "core/json/reader.hpp"
#include "core/plan/prune.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::execute {
namespace {

using base::ErrorCode;

constexpr int attempts = 3;  // at an object that somebody keeps changing

bool is_gone(const base::Error& error) {
  return error.code == ErrorCode::not_found;
}

}  // namespace

base::Status prune_object(cluster::Client& client, const plan::PruneObject& prune, const project::Target& target,
                          const std::string& step, const Ports& ports) {
  const auto name = kube::to_string(prune.key);
  const auto served = client.served(prune.key, ports.stop);
  if (!served) {
    return is_gone(served.error()) ? base::Status{} : served.error().within("pruning {}", name);
  }
  for (int attempt = 1;; ++attempt) {
    const auto live = client.get(*served, ports.stop);
    if (!live) {
      return is_gone(live.error()) ? base::Status{} : live.error().within("pruning {}", name);
    }
    if (plan::is_of_another_service(*live, prune.services)) {
      return {};
    }
    if (const auto reason = plan::why_not_pruned(*live, target, cluster::field_manager); !reason.empty()) {
      ports.events.emit(events::Note{events::Note::Level::info, name + " is not pruned: " + reason});
      return {};
    }
    const auto removed = client.remove(*served, {.uid = json::Reader(live->body).at("metadata", "uid").string_or(),
                                                 .resource_version = live->resource_version(),
                                                 .stop = ports.stop});
    if (removed) {
      ports.events.emit(events::ObjectApplied{
          .step = step, .service = {}, .object = name, .change = events::ObjectApplied::Change::pruned});
      return {};
    }
    if (is_gone(removed.error())) {
      return {};
    }
    if (removed.error().code != ErrorCode::conflict || attempt == attempts) {
      return removed.error().within("pruning {}", name);
    }
  }
}

void tell_kept_claims(cluster::Client& client, const std::vector<kube::ObjectKey>& claims, const Ports& ports) {
  for (const auto& claim : claims) {
    if (const auto live = client.get(claim, ports.stop)) {
      const auto name = kube::to_string(claim);
      ports.events.emit(events::Note{
          events::Note::Level::info,
          fmt::format(
              "{0} is kept with its data, though no longer part of the project; kubectl delete {0} -n {1} deletes "
              "both",
              name, claim.name_space)});
    }
  }
}

}  // namespace deployctl::execute
