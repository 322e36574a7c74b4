#include "core/execute/release_run.hpp"

#include "core/base/text.hpp"
#include "core/kube/resource.hpp"
#include "core/plan/prune.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Result;
using base::Status;
using events::Note;

bool is_about_canary(const plan::Step& step) {
  return std::holds_alternative<plan::RunCanary>(step.action) || std::holds_alternative<plan::EndCanary>(step.action);
}

}  // namespace

ReleaseRun::ReleaseRun(const Rollout& of)
    : rollout(of),
      ports(of.ports),
      client(*of.seen.world.cluster),
      scope{of.plan.project, of.plan.environment, of.plan.name_space},
      kept_ledger(of.seen.ledger ? of.seen.ledger : std::make_shared<Ledger>(client, scope)),
      ledger(*kept_ledger) {}

std::vector<std::string> ReleaseRun::services() const {
  std::vector<std::string> names;
  for (const auto& step : steps) {
    if (!step.service.empty() && std::ranges::find(names, step.service) == names.end()) {
      names.push_back(step.service);
    }
  }
  return names;
}

Result<kube::Release> ReleaseRun::read_live() {
  if (!live_content_) {
    auto read = ledger.read(live->number, ports.stop);
    if (!read) {
      return read.error();
    }
    live_content_ = std::move(*read);
  }
  return *live_content_;
}

Result<const kube::Release*> ReleaseRun::read_live_if_any() {
  if (!live) {
    return nullptr;
  }
  const auto read = read_live();
  return read ? Result<const kube::Release*>(&*live_content_) : read.error();
}

Status ReleaseRun::run(const std::vector<plan::Step>& part) {
  OpenRelease open{.ledger = ledger,
                   .lock = *lock,
                   .number = number,
                   .canaries = &*canaries,
                   .note_contract = [this](const std::string& task) { return note_contract(task); },
                   .paused = {}};
  if (std::ranges::any_of(part, is_about_canary)) {
    const auto before = read_live_if_any();
    if (!before) {
      return before.error();
    }
    open.live = *before;
  }
  std::optional<Journal> journal;
  if (number != 0) {
    journal.emplace(ledger, number, part.size());
    open.journal = &*journal;
  }
  const auto status = rollout.run(part, &open, ports);
  paused.insert(paused.end(), open.paused.begin(), open.paused.end());
  is_overtaken = is_overtaken || open.is_overtaken;
  journal_text = journal ? journal->text() : std::string();
  return status;
}

// They are begun one after the other.
Status ReleaseRun::note_contract(const std::string& task) {
  contracts.push_back(task);
  if (number != 0) {
    return ledger.note_contracts(number, contracts, ports.stop);
  }
  auto all = live->contracts;
  all.insert(all.end(), contracts.begin(), contracts.end());
  return ledger.note_contracts(live->number, all, ports.stop);
}

std::vector<plan::Step> ReleaseRun::prunes(const std::vector<kube::ObjectKey>& wanted) const {
  return steps_to_prune(plan::to_prune(earlier, wanted));
}

std::vector<plan::Step> ReleaseRun::steps_to_prune(const std::vector<kube::ObjectKey>& keys) const {
  const auto of = rollout.options.is_partial ? services() : std::vector<std::string>();
  return plan::prune_steps(keys, of);
}

// A blue-green side that is kept may be of a release that one cannot go back to.
void ReleaseRun::clean_up(const std::vector<kube::ObjectKey>& wanted) {
  auto keys = plan::to_prune(earlier, wanted);
  if (std::ranges::any_of(keys, plan::is_named_after_content)) {
    const auto deployments = client.list({.resource = kube::resource_of("Deployment"),
                                          .name_space = scope.name_space,
                                          .label_selector = "app.kubernetes.io/part-of=" + scope.project},
                                         ports.stop);
    if (!deployments) {
      tell_failure("looking for what still is in use", deployments.error());
      return;
    }
    keys = plan::without_used(std::move(keys), deployments->items);
  }
  if (const auto pruning = steps_to_prune(keys); !pruning.empty()) {
    tell_failure("pruning", run(pruning));
  }
}

Status ReleaseRun::record_end(kube::ReleaseState state, const std::string& outcome) {
  if (number == 0) {
    return {};
  }
  if (const auto held = lock->still_held(); !held) {
    return held;
  }
  return ledger.finish(number, state, outcome, {});
}

void ReleaseRun::note(Note::Level level, std::string text) const {
  ports.events.emit(Note{level, std::move(text)});
}

void ReleaseRun::tell_failure(std::string_view what, const Status& status) const {
  if (!status) {
    note(Note::Level::warning, fmt::format("{} failed: {}", what, base::to_string(status.error())));
  }
}

std::string brief_commit(const std::string& commit) {
  return commit.empty() ? "" : fmt::format(" (commit {})", base::printable(std::string_view(commit).substr(0, 7)));
}

}  // namespace deployctl::execute
