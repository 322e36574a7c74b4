#include "core/execute/canary_record.hpp"

#include "core/canary/settings_json.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

constexpr const char* canaries_key = "canaries";

std::optional<KeptCanary> read(const std::string& service, const json::Value& entry) {
  if (!entry.is_object() || !entry.contains("strategy") || !entry.contains("progress")) {
    return std::nullopt;
  }
  auto settings = canary::canary_from_json(entry["strategy"]);
  auto progress = canary::progress_from_json(entry["progress"]);
  if (!settings || !progress) {
    return std::nullopt;
  }
  return KeptCanary{service, std::move(*settings), std::move(*progress)};
}

}  // namespace

CanaryRecord::CanaryRecord(const json::Value& written, Write write) : write_(std::move(write)) {
  if (written.is_object()) {
    written_ = written;
  }
  if (!written_.contains(canaries_key) || !written_[canaries_key].is_object()) {
    written_[canaries_key] = json::Value::object();
  }
}

std::optional<KeptCanary> CanaryRecord::find(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto& canaries = written_[canaries_key];
  return canaries.contains(service) ? read(service, canaries[service]) : std::nullopt;
}

std::vector<KeptCanary> CanaryRecord::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<KeptCanary> all;
  for (const auto& [service, entry] : written_[canaries_key].items()) {
    if (auto kept = read(service, entry)) {
      all.push_back(std::move(*kept));
    }
  }
  return all;
}

base::Status CanaryRecord::note(const KeptCanary& canary) {
  const std::lock_guard lock(mutex_);
  json::Value entry{{"strategy", canary::to_json(canary.settings)}, {"progress", canary::to_json(canary.progress)}};
  auto& place = written_[canaries_key][canary.service];
  if (place == entry) {
    return {};
  }
  place = std::move(entry);
  return write_ ? write_(written_) : base::Status();
}

const kube::ReleaseSummary* release_with_open_canaries(std::span<const kube::ReleaseSummary> newest_first) {
  for (const auto& release : newest_first) {
    if (release.was_deployed()) {
      return nullptr;
    }
    const auto canaries = CanaryRecord(release.progress, {}).all();
    if (!canaries.empty()) {
      const bool is_open = std::ranges::any_of(canaries, [](const KeptCanary& kept) { return !kept.is_over(); });
      return is_open ? &release : nullptr;
    }
  }
  return nullptr;
}

}  // namespace deployctl::execute
