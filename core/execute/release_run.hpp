// The release that a run makes of its steps: the lock it holds, its record, what was before it, and the steps that are
// carried out as part of it. The parts of a recorded rollout share it.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/lock.hpp"
#include "core/execute/recorded_rollout.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

struct ReleaseRun {
  // The rollout must outlive it.
  explicit ReleaseRun(const Rollout& of);

  // Those that the steps are of, each once.
  [[nodiscard]] std::vector<std::string> services() const;
  // What the live release holds, read once; it must be there.
  base::Result<kube::Release> read_live();
  // Null when there is none.
  base::Result<const kube::Release*> read_live_if_any();

  // Carries them out as part of the release.
  base::Status run(const std::vector<plan::Step>& steps);
  // What earlier releases had and is not among these, as steps that take it away.
  [[nodiscard]] std::vector<plan::Step> prunes(const std::vector<kube::ObjectKey>& wanted) const;
  // Carries these out, but for configuration that pods still live on: a later run takes it away.
  void clean_up(const std::vector<kube::ObjectKey>& wanted);
  // Also after Ctrl-C: it is what Ctrl-C waits for.
  base::Status record_end(kube::ReleaseState state, const std::string& outcome);

  void note(events::Note::Level level, std::string text) const;
  // As a warning; nothing for success.
  void tell_failure(std::string_view what, const base::Status& status) const;

  const Rollout& rollout;
  Ports ports;
  cluster::Client& client;
  LedgerScope scope;
  std::shared_ptr<Ledger> kept_ledger;
  Ledger& ledger;
  std::vector<plan::Step> steps;  // but for namespaces, which are made before there is a lock, and for what is pruned
  std::optional<Lock> lock;
  std::vector<kube::ReleaseSummary> earlier;  // newest first
  std::optional<kube::ReleaseSummary> live;
  long long number = 0;                  // of this run's release; 0: none is recorded
  std::string content;                   // digest of this run's release
  std::vector<kube::ObjectKey> desired;  // of this run's release
  std::optional<CanaryRecord> canaries;  // of this run's release
  std::vector<std::string> left_out;     // services of the release it goes on with that it has as the live one does
  std::vector<std::string> contracts;    // tasks begun that no release before can live with
  std::vector<std::string> paused;       // what steps say that wait for somebody
  bool is_overtaken = false;             // somebody else has changed a workload since it was applied
  std::string journal_text = "no step done";

 private:
  base::Status note_contract(const std::string& task);
  [[nodiscard]] std::vector<plan::Step> steps_to_prune(const std::vector<kube::ObjectKey>& keys) const;

  std::optional<kube::Release> live_content_;
};

// " (commit 1a2b3c4)"; empty for none.
std::string brief_commit(const std::string& commit);

}  // namespace deployctl::execute
