// Carrying out canaries: what core/canary decides is done to the cluster here.
//
// A canary can be taken up anywhere: each step is noted (CanaryRecord) before it is taken, and every write may be made
// twice. What users wish meanwhile stands on the canary's Deployment as an annotation, where the process that walks the
// steps sees it, whichever machine it is on.
#pragma once

#include "core/base/result.hpp"
#include "core/canary/parts.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/release.hpp"
#include "core/kube/verdict.hpp"

#include <atomic>
#include <chrono>
#include <string>

namespace deployctl::execute {

// "promote", "promote-fully" or "abort", a space, and who wishes it.
inline constexpr std::string_view canary_wish_annotation = "deployctl.dev/canary-wish";

// One service that is rolled out by canary. References must outlive the call.
struct CanaryRun {
  const canary::Parts& parts;                   // with the images of the new version
  const project::Canary& settings;              // for a new canary; one that is taken up keeps those it began with
  std::string step;                             // "canary:api"
  std::string directory;                        // the project's folder: gates' tokens may be in its files
  std::chrono::milliseconds deadline{300'000};  // for the canary's pods to be ready
  kube::verdict::Patience patience = {};        // with the canary's pods
  cluster::Force force = cluster::Force::no;    // at what the stable pods have too: fields of others are taken over
  CanaryRecord& record;
  cluster::Client& client;
  const Ports& ports;
  const std::atomic<bool>* has_release_failed = nullptr;  // by another service: then nothing is left to try
};

enum class CanaryEnd {
  unneeded,  // the pods stay as they are, or there is nothing to compare with
  promote,   // the stable pods may have the new version
  paused,    // it waits for `deployctl promote`
};

// Walks the steps until one of these. rollout_failed when it was aborted: then nothing of it is left but what is told;
// interrupted after Ctrl-C: it stays as it is.
base::Result<CanaryEnd> run_canary(const CanaryRun& run);

// After the stable pods have the new version and the requests: what was made for the canary goes.
base::Status end_canary(const CanaryRun& run);

// Why a canary is aborted whose run has been stopped or has failed: neither its gates nor a person has said anything.
inline constexpr std::string_view taken_back = "taken back";

// The way back, in an order that loses no request: no share any more, and that seen; time for what is under way; then
// its pods and the rest. What is gone already is not missed.
base::Status abort_canary(const CanaryRun& run, const std::string& reason);

// The same with nothing but what is recorded: of the release that has the canary, and of the live one (null: none).
struct RecordedCanary {
  const kube::Release& release;
  const kube::Release* live;
  const KeptCanary& kept;
  CanaryRecord& record;
};
base::Status abort_recorded(const RecordedCanary& canary, cluster::Client& client, const Ports& ports);

}  // namespace deployctl::execute
