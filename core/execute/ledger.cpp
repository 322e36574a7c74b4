#include "core/execute/ledger.hpp"

#include "core/base/text.hpp"
#include "core/kube/release_history.hpp"
#include "core/kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using kube::Object;
using kube::ReleaseState;
using kube::ReleaseSummary;

constexpr int attempts_at_change = 4;  // each against the version the one before has met

void mark_superseded(std::vector<ReleaseSummary>& newest_first) {
  bool has_newer = false;
  for (auto& release : newest_first) {
    if (release.state != ReleaseState::deployed) {
      continue;
    }
    release.state = has_newer ? ReleaseState::superseded : ReleaseState::deployed;
    has_newer = true;
  }
}

bool is_same_record(const Object& left, const Object& right) {
  return left.body.value("data", json::Value()) == right.body.value("data", json::Value());
}

}  // namespace

Ledger::Ledger(cluster::Client& client, LedgerScope scope) : client_(client), scope_(std::move(scope)) {}

Result<std::vector<ReleaseSummary>> Ledger::list(std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  return read_list(std::move(stop));
}

Result<std::vector<ReleaseSummary>> Ledger::list_with_inventories(std::stop_token stop) {
  auto listed = list(stop);
  if (!listed) {
    return listed;
  }
  for (auto& summary : *listed) {
    if (summary.inventory) {
      continue;
    }
    const auto release = read(summary.number, stop);
    if (!release) {
      return release.error();
    }
    summary.inventory = kube::inventory(*release, scope_.name_space);
  }
  return listed;
}

Result<std::vector<ReleaseSummary>> Ledger::read_list(std::stop_token stop) {
  const auto listed = client_.list({.resource = kube::resource_of("Secret"),
                                    .name_space = scope_.name_space,
                                    .label_selector = kube::ledger_selector(scope_),
                                    .field_selector = "type=" + std::string(kube::release_secret_type),
                                    .detail = cluster::Detail::metadata},
                                   std::move(stop));
  if (!listed) {
    return listed.error().within("reading the releases of {}", scope_.project);
  }
  releases_.clear();
  versions_.clear();
  secrets_.clear();
  for (const auto& secret : listed->items) {
    const auto number = kube::release_number(secret);
    if (!number) {
      continue;
    }
    highest_ = std::max(highest_, *number);
    secrets_.emplace(*number, secret.name());
    if (!kube::is_release_head(secret)) {
      continue;
    }
    auto summary = kube::read_release_summary(secret, scope_);
    if (!summary) {
      return summary.error();
    }
    versions_[*number] = {summary->resource_version, summary->epoch};
    releases_.push_back(std::move(*summary));
  }
  std::ranges::sort(releases_, std::ranges::greater(), &ReleaseSummary::number);
  mark_superseded(releases_);
  is_listed_ = true;
  return releases_;
}

Result<kube::Release> Ledger::read(long long number, std::stop_token stop) {
  const auto head = client_.get(kube::release_key(scope_, number), stop);
  if (!head) {
    const std::lock_guard lock(mutex_);
    return head.error().code == ErrorCode::not_found ? no_release(number) : head.error();
  }
  const auto keys = kube::release_chunks(*head, scope_);
  if (!keys) {
    return keys.error();
  }
  std::vector<Object> chunks;
  for (const auto& key : *keys) {
    auto chunk = client_.get(key, stop);
    if (!chunk) {
      return chunk.error().within("reading release {}", number);
    }
    chunks.push_back(std::move(*chunk));
  }
  return kube::read_release(*head, chunks, scope_);
}

Error Ledger::no_release(long long number) const {
  std::vector<std::string> numbers;
  for (const auto& release : releases_) {
    numbers.push_back(std::to_string(release.number));
  }
  return Error::not_found("there is no release {} of {} in namespace {}", number, scope_.project, scope_.name_space)
      .with_hint("{}", numbers.empty() ? "'deployctl history' lists them" : "there are " + base::join(numbers, ", "));
}

Result<long long> Ledger::begin(kube::Release release, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  if (!is_listed_) {
    if (const auto listed = read_list(stop); !listed) {
      return listed.error();
    }
  }
  release.number = highest_ + 1;
  const auto secrets = kube::to_secrets(release, scope_);
  if (!secrets) {
    return secrets.error();
  }
  for (const auto& secret : *secrets) {
    if (const auto created = create(secret, stop); !created) {
      return created.error().within("recording release {}", release.number);
    }
    secrets_.emplace(release.number, secret.name());
  }
  highest_ = release.number;
  auto summary = kube::read_release_summary(secrets->back(), scope_);
  if (!summary) {
    return summary.error();
  }
  releases_.insert(releases_.begin(), std::move(*summary));
  return release.number;
}

// A request whose answer was lost may have made the Secret: what is there then is compared with what was sent.
Status Ledger::create(const Object& secret, std::stop_token stop) {
  auto created = client_.create(secret, stop);
  if (!created && created.error().code == ErrorCode::unreachable) {
    created = client_.create(secret, stop);
  }
  if (!created && created.error().code == ErrorCode::conflict) {
    const auto live = client_.get(secret.key(), stop);
    if (live && is_same_record(*live, secret)) {
      created = *live;
    }
  }
  if (!created) {
    return created.error();
  }
  if (kube::is_release_head(*created)) {
    const auto summary = kube::read_release_summary(*created, scope_);
    if (!summary) {
      return summary.error();
    }
    versions_[summary->number] = {summary->resource_version, summary->epoch};
  }
  return {};
}

Status Ledger::note_progress(long long number, const json::Value& progress, std::stop_token stop) {
  return change(number, {.progress = progress}, std::move(stop));
}

Status Ledger::note_journal(long long number, std::string_view journal, std::stop_token stop) {
  return change(number, {.journal = std::string(journal)}, std::move(stop));
}

Status Ledger::note_contracts(long long number, const std::vector<std::string>& tasks, std::stop_token stop) {
  return change(number, {.contracts = tasks}, std::move(stop));
}

Status Ledger::finish(long long number, ReleaseState state, std::string_view outcome, std::stop_token stop) {
  const auto now = io::to_rfc3339(client_.api().clock().now());
  const auto changed =
      change(number, {.state = state, .outcome = std::string(outcome), .finished = now}, std::move(stop));
  if (!changed) {
    return changed.error().within("recording how release {} ended", number);
  }
  return {};
}

Status Ledger::claim(const ReleaseSummary& release, long long epoch, std::stop_token stop) {
  const auto changed = change(release.number, {.epoch = epoch}, std::move(stop));
  if (!changed) {
    return changed.error().within("taking over release {}", release.number);
  }
  return {};
}

Status Ledger::mark_interrupted(const ReleaseSummary& left, long long epoch, std::stop_token stop) {
  const auto now = io::to_rfc3339(client_.api().clock().now());
  const auto changed = change(left.number,
                              {.state = ReleaseState::interrupted,
                               .outcome = "its run ended without saying how",
                               .finished = now,
                               .epoch = epoch},
                              std::move(stop));
  if (!changed) {
    return changed.error().within("taking over release {}", left.number);
  }
  return {};
}

Status Ledger::change(long long number, const kube::ReleaseChange& change, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  for (int attempt = 1;; ++attempt) {
    const auto patched =
        client_.patch(kube::release_key(scope_, number), cluster::PatchType::merge,
                      kube::release_patch(change, versions_[number].resource_version), cluster::DryRun::no, stop);
    if (patched) {
      versions_[number] = {patched->resource_version(), change.epoch.value_or(versions_[number].epoch)};
      break;
    }
    if (patched.error().code != ErrorCode::conflict || attempt == attempts_at_change) {
      return patched.error();
    }
    if (const auto seen = see_again(number, stop); !seen) {
      return seen;
    }
  }
  for (auto& release : releases_) {
    if (release.number == number) {
      release.state = change.state.value_or(release.state);
      release.contracts = change.contracts.value_or(release.contracts);
    }
  }
  mark_superseded(releases_);
  return {};
}

// The record is in another version than we thought: ours still when its epoch is.
Status Ledger::see_again(long long number, std::stop_token stop) {
  const auto live = client_.get(kube::release_key(scope_, number), std::move(stop));
  if (!live) {
    return live.error();
  }
  const auto summary = kube::read_release_summary(*live, scope_);
  if (!summary) {
    return summary.error();
  }
  auto& version = versions_[number];
  if (summary->epoch != version.epoch) {
    return Error::refused("release {} of {} was taken over by another run", number, scope_.project)
        .with_hint("this run stood still for too long; 'deployctl history' shows what the other one made of it");
  }
  version.resource_version = summary->resource_version;
  return {};
}

Status Ledger::prune(std::size_t keep, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  const auto kept = kube::kept_releases(releases_, keep);
  std::vector<std::pair<long long, std::string>> gone;
  for (const auto& [number, name] : secrets_) {
    if (!kept.contains(number)) {
      gone.emplace_back(number, name);
    }
  }
  // A head goes before its chunks: what has no head is no release.
  std::ranges::sort(gone);
  for (const auto& [number, name] : gone) {
    const auto removed = client_.remove({"v1", "Secret", scope_.name_space, name}, {.stop = stop});
    if (!removed && removed.error().code != ErrorCode::not_found) {
      return removed.error().within("deleting old releases of {}", scope_.project);
    }
    secrets_.erase(number);
  }
  std::erase_if(releases_, [&](const ReleaseSummary& release) { return !kept.contains(release.number); });
  return {};
}

}  // namespace deployctl::execute
