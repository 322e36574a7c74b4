#include "core/execute/canary_record.hpp"

#include "core/base/text.hpp"
#include "core/canary/settings_json.hpp"
#include "core/execute/journal.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::execute {
namespace {

constexpr const char* canaries_key = "canaries";
constexpr const char* sides_key = "waiting_sides";
constexpr const char* gone = "gone";

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
  for (const auto* key : {canaries_key, sides_key}) {
    if (!written_.contains(key) || !written_[key].is_object()) {
      written_[key] = json::Value::object();
    }
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
  return write_unlocked(written_[canaries_key][canary.service], {{"strategy", canary::to_json(canary.settings)},
                                                                 {"progress", canary::to_json(canary.progress)}});
}

std::vector<std::string> CanaryRecord::sides_that_are(const json::Value& so) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> services;
  for (const auto& [service, state] : written_[sides_key].items()) {
    if (state == so) {
      services.push_back(service);
    }
  }
  return services;
}

std::vector<std::string> CanaryRecord::waiting_sides() const {
  return sides_that_are(true);
}

base::Status CanaryRecord::note_side(const std::string& service, bool waits) {
  const std::lock_guard lock(mutex_);
  return write_unlocked(written_[sides_key][service], waits);
}

base::Status CanaryRecord::note_side_gone(const std::string& service) {
  const std::lock_guard lock(mutex_);
  return write_unlocked(written_[sides_key][service], gone);
}

std::vector<std::string> CanaryRecord::taken_back() const {
  auto services = sides_that_are(gone);
  for (auto& kept : all()) {
    if (kept.progress.stage == canary::Stage::aborted) {
      services.push_back(std::move(kept.service));
    }
  }
  return services;
}

base::Status CanaryRecord::write_unlocked(json::Value& place, json::Value value) {
  if (place == value) {
    return {};
  }
  place = std::move(value);
  return write_ ? write_(written_) : base::Status();
}

bool CanaryRecord::is_empty() const {
  const std::lock_guard lock(mutex_);
  return written_[canaries_key].empty() && written_[sides_key].empty();
}

std::vector<std::string> CanaryRecord::open_services() const {
  auto services = waiting_sides();
  for (auto& kept : all()) {
    if (!kept.is_over()) {
      services.push_back(std::move(kept.service));
    }
  }
  return services;
}

std::string CanaryRecord::open_in_words() const {
  std::vector<std::string> open;
  for (const auto& kept : all()) {
    if (!kept.is_over()) {
      open.push_back(fmt::format("canary of {}: {}", kept.service, canary::in_words(kept.settings, kept.progress)));
    }
  }
  for (const auto& service : waiting_sides()) {
    open.push_back(service + ": the new side waits for 'deployctl promote'");
  }
  return base::join(open, "; ");
}

bool CanaryRecord::is_paused() const {
  const auto canaries = all();
  const auto stands = [&](auto is_so) { return std::ranges::any_of(canaries, is_so); };
  const bool is_walked =
      stands([](const KeptCanary& kept) { return !kept.is_over() && kept.progress.stage != canary::Stage::holding; });
  const bool holds = stands([](const KeptCanary& kept) { return kept.progress.stage == canary::Stage::holding; });
  return !is_walked && (holds || !waiting_sides().empty());
}

const kube::ReleaseSummary* release_under_way(std::span<const kube::ReleaseSummary> newest_first) {
  for (const auto& release : newest_first) {
    if (release.was_deployed()) {
      return nullptr;
    }
    const CanaryRecord record(release.progress, {});
    if (!record.open_in_words().empty()) {
      return &release;
    }
    if (!record.is_empty()) {
      return nullptr;
    }
  }
  return nullptr;
}

bool is_paused(const kube::ReleaseSummary& release) {
  return release.state == kube::ReleaseState::pending && CanaryRecord(release.progress, {}).is_paused();
}

bool was_left_waiting(const kube::ReleaseSummary& release) {
  return is_paused(release) && !tells_of_running_steps(release.journal);
}

}  // namespace deployctl::execute
