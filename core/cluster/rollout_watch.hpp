// Waits for the rollouts of a namespace with one watch for each kind, however many Deployments and Jobs there are.
//
// The watches begin when the object is made, with what there is then: before what is followed is written, or after.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/cluster/watch.hpp"
#include "core/kube/rollout_tracker.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::cluster {

// Asks the registry itself whether it has an image that a node cannot pull, and whether it may be pulled; nothing when
// that cannot be known. Called once for an image, in a thread of its own.
using AskRegistry =
    std::function<std::optional<kube::verdict::ImageAnswer>(const std::string& image, const std::stop_token& stop)>;

struct RolloutWatchOptions {
  std::string label_selector;  // narrows deployments, replica sets and pods
  kube::RolloutTracker::Options tracker;
  // A followed Deployment, or the pods of one, are read anew after so long without news of their kind, in case a watch
  // has died silently.
  std::chrono::milliseconds safety_poll{15'000};
  int log_lines = 50;        // of evidence; 0: none
  bool with_jobs = false;    // Jobs are followed as well, which costs a watch more
  AskRegistry ask_registry;  // empty: registries are not asked
};

// A finding with what else there is to say about it.
struct ExplainedFinding {
  kube::verdict::Finding finding;
  std::chrono::milliseconds seen_for{0};  // since it was first seen
  std::vector<std::string> log;           // of the current container
  std::vector<std::string> previous_log;  // of the one before
  std::vector<std::string> context;       // "node-1 is not ready: kubelet stopped posting node status"
};

// Called from the thread that called wait() or run(); empty functions are fine.
struct RolloutObserver {
  std::function<void(const std::string& service, const kube::RolloutStatus&)> on_status;
  std::function<void(const std::string& service, const ExplainedFinding&)> on_finding;
  std::function<void(const std::string& service, const kube::PodStarted&)> on_pod;  // of a Job
  std::function<void(const kube::RolloutOutcome&)> on_outcome;
  std::function<void(const std::string& text)> on_note;  // "events cannot be read: …"
};

class RolloutWatch {
 public:
  RolloutWatch(Client& client, std::string name_space, RolloutWatchOptions options = {});
  ~RolloutWatch();
  RolloutWatch(const RolloutWatch&) = delete;
  RolloutWatch& operator=(const RolloutWatch&) = delete;

  // Follows a Deployment from its state after our write, target_of(applied.object), or a Job, job_target(). From any
  // thread, also while another waits. Its own deadline is a moment() of the steady clock.
  void follow(kube::RolloutTarget target);

  // Until every followed Deployment is decided, the deadline has passed (the rest is undecided) or stop was requested
  // (interrupted). More may be followed and waited for afterwards. An error only when the watches cannot work at all,
  // or the server does not answer when the deadline comes (unreachable).
  base::Result<std::vector<kube::RolloutOutcome>> wait(std::chrono::steady_clock::time_point deadline,
                                                       const RolloutObserver& observer, std::stop_token stop);

  // The same for Deployments that come to be followed bit by bit, each with a deadline of its own: until close() was
  // called and all that was followed is decided, or stop was requested.
  base::Status run(const RolloutObserver& observer, std::stop_token stop);
  // Nothing more will be followed. From any thread.
  void close();

 private:
  struct Shared;
  class Waiter;
  std::unique_ptr<Shared> shared_;
};

// A time of the steady clock as deadlines are given.
kube::verdict::Moment moment(std::chrono::steady_clock::time_point time);

// The target for an applied Deployment.
kube::RolloutTarget target_of(std::string service, const kube::Object& applied);
kube::RolloutTarget job_target(std::string service, const kube::Object& job);

}  // namespace deployctl::cluster
