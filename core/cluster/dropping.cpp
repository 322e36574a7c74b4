#include "core/cluster/dropping.hpp"

#include "core/base/text.hpp"
#include "core/kube/dropped_fields.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::cluster {
namespace {

using base::ErrorCode;
using base::Result;
using kube::Object;

constexpr int attempts = 5;

// Somebody else's entry may come to stand in between; the test in the patch notices.
base::Status disown(Client& client, const Object& before, Object after, const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    const auto patch = kube::patch_disowning(before.body, after.body, field_manager);
    if (patch.empty()) {
      return {};
    }
    const auto patched = client.patch(before.key(), PatchType::json, patch, DryRun::no, stop);
    if (patched || attempt == attempts) {
      return patched ? base::Status() : base::Status(patched.error());
    }
    auto now = client.get(before.key(), stop);
    if (!now) {
      return now.error();
    }
    after = std::move(*now);
  }
}

// What somebody else holds may be what the server does not like.
base::Error with_holders(base::Error refusal, const Object& wanted, const Object& live) {
  if (refusal.code != ErrorCode::invalid_input) {
    return refusal;
  }
  for (const auto& [path, manager] : kube::held_fields(live.body, wanted.body, field_manager)) {
    refusal = std::move(refusal).with_hint("{} is to go, and {} has set a part of it: take that out first",
                                           kube::to_string(path), base::printable(manager));
  }
  return refusal;
}

Result<std::optional<Object>> write_once(Client& client, const Object& wanted, DryRun dry_run,
                                         const std::stop_token& stop) {
  const auto live = client.get(wanted.key(), stop);
  if (!live) {
    return live.error().code == ErrorCode::not_found ? Result<std::optional<Object>>(std::nullopt)
                                                     : Result<std::optional<Object>>(live.error());
  }
  const auto dropped = kube::dropped_fields(live->body, wanted.body, field_manager);
  if (dropped.empty()) {
    return std::optional<Object>();
  }
  auto written = client.patch(wanted.key(), PatchType::strategic_merge,
                              kube::patch_dropping(wanted.body, dropped, live->resource_version()), dry_run, stop);
  if (!written) {
    return with_holders(written.error(), wanted, *live);
  }
  if (dry_run == DryRun::yes) {
    return std::optional(std::move(*written));
  }
  if (const auto disowned = disown(client, *live, *written, stop); !disowned) {
    return disowned.error();
  }
  return std::optional(std::move(*written));
}

}  // namespace

Result<std::optional<Object>> write_dropping(Client& client, const Object& wanted, DryRun dry_run,
                                             const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    auto written = write_once(client, wanted, dry_run, stop);
    if (written || written.error().code != ErrorCode::conflict || attempt == attempts) {
      return written;
    }
  }
}

}  // namespace deployctl::cluster
