#include "core/kube/lease.hpp"

#include "core/json/reader.hpp"
#include "core/kube/release_secret.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::kube {
namespace {

constexpr std::string_view what_annotation = "deployctl.dev/run";
constexpr long long shortest_lease = 1;
constexpr long long longest_lease = 3600;

}  // namespace

ObjectKey lease_key(const LedgerScope& scope) {
  return {"coordination.k8s.io/v1", "Lease", scope.name_space, ledger_name(scope)};
}

Lease read_lease(const Object& object) {
  const json::Reader reader(object.body);
  const auto spec = reader.at("spec");
  return {.holder = spec.at("holderIdentity").string_or(),
          .what = reader.at("metadata", "annotations", what_annotation).string_or(),
          .duration = std::chrono::seconds(
              std::clamp(spec.at("leaseDurationSeconds").integer_or(), shortest_lease, longest_lease)),
          .acquired = spec.at("acquireTime").string_or(),
          .renewed = spec.at("renewTime").string_or(),
          .epoch = spec.at("leaseTransitions").integer_or(),
          .resource_version = object.resource_version()};
}

Object to_object(const Lease& lease, const LedgerScope& scope) {
  const auto key = lease_key(scope);
  json::Value metadata = {{"name", key.name},
                          {"namespace", key.name_space},
                          {"labels", {{"app.kubernetes.io/managed-by", "deployctl"}}},
                          {"annotations", {{what_annotation, lease.what}}}};
  if (!lease.resource_version.empty()) {
    metadata["resourceVersion"] = lease.resource_version;
  }
  return {.body = {{"apiVersion", key.api_version},
                   {"kind", key.kind},
                   {"metadata", std::move(metadata)},
                   {"spec",
                    {{"holderIdentity", lease.holder},
                     {"leaseDurationSeconds", lease.duration.count()},
                     {"acquireTime", lease.acquired},
                     {"renewTime", lease.renewed},
                     {"leaseTransitions", lease.epoch}}}}};
}

std::string to_micro_time(io::WallTime time) {
  auto text = io::to_rfc3339_millis(time);
  text.insert(text.size() - 1, "000");  // before the Z
  return text;
}

void LeaseObserver::see(const Lease& lease, io::SteadyTime now) {
  auto state = fmt::format("{}|{}|{}", lease.resource_version, lease.holder, lease.renewed);
  if (state == seen_) {
    return;
  }
  seen_ = std::move(state);
  seen_at_ = now;
  duration_ = lease.duration;
}

bool LeaseObserver::has_lapsed(io::SteadyTime now) const {
  return !seen_.empty() && now >= lapses_at();
}

}  // namespace deployctl::kube
