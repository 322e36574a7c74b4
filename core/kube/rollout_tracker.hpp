// Follows several Deployments and Jobs of one namespace through a stream of object changes, and decides each of them
// once.
//
// Pure: objects and time go in, changes come out. cluster/rollout_watch.hpp feeds it from real watches.
#pragma once

#include "core/kube/job.hpp"
#include "core/kube/object.hpp"
#include "core/kube/rollout_view.hpp"
#include "core/kube/verdict.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace deployctl::kube {

// A Deployment we have written and now follow, or a Job.
struct RolloutTarget {
  enum class Kind { deployment, job };
  std::string service;     // the caller's name for it, carried along
  std::string deployment;  // metadata.name, of the Job too
  Kind kind = Kind::deployment;
  WrittenState written;
  bool paused_on_purpose = false;
  std::optional<verdict::Moment> deadline;  // undecided when it has passed
  verdict::Patience patience = {};
};

// Unseen: undecided because the API server could not be asked when the deadline came.
enum class RolloutResult { done, failed, undecided, unseen, interrupted };
std::string_view to_string(RolloutResult result);

struct RolloutOutcome {
  std::string service;
  std::string deployment;
  RolloutResult result = RolloutResult::undecided;
  RolloutStatus status;
  std::string blind;                       // why it is unseen
  std::vector<verdict::Finding> findings;  // as they stood at the end, heaviest first
};

// A container of a Job has begun to run, so that its log can be followed. Told once for each pod.
struct PodStarted {
  std::string pod;
  std::string container;
};

struct RolloutChange {
  std::string service;
  std::string deployment;
  std::variant<RolloutStatus, verdict::Finding, PodStarted, RolloutOutcome> what;
};

class RolloutTracker {
 public:
  using Moment = verdict::Moment;
  struct Options {
    std::span<const verdict::Rule> rules = verdict::default_rules();
    Moment settle{0};  // how long the numbers must have been right before a rollout counts as done
  };

  RolloutTracker() : RolloutTracker(Options{}) {}
  explicit RolloutTracker(Options options) : options_(options) {}

  void follow(RolloutTarget target, Moment now);

  // The object as it is now, or its end. Deployments, ReplicaSets, Jobs, Pods, Events and ResourceQuotas; other kinds
  // are ignored.
  void put(const Object& object) { view_.put(object); }
  void remove(const Object& object) { view_.remove(object); }
  // All objects of a kind: those that are not among them are gone.
  void replace(std::string_view kind, std::span<const Object> objects) { view_.replace(kind, objects); }

  // What a registry has said about an image, for the verdicts to come.
  void learn(const std::string& image, verdict::ImageAnswer answer);

  // What is put may be out of date from now on, and why; empty: it is not.
  void be_blind(std::string why) { blind_ = std::move(why); }

  // What is new since the last call, in the order it was found out.
  std::vector<RolloutChange> advance(Moment now);
  // When advance() should be called although nothing was put; nothing while only objects can change anything.
  [[nodiscard]] std::optional<Moment> wake_at() const;

  [[nodiscard]] bool is_decided() const;
  // Ends the followed ones that are not decided.
  std::vector<RolloutOutcome> give_up(RolloutResult result);
  // Every outcome so far, in the order of follow().
  [[nodiscard]] std::vector<RolloutOutcome> outcomes() const;
  // The resource version in which this Deployment, Job or Pod was put last; empty when it never was.
  [[nodiscard]] std::string known_version(const Object& object) const { return view_.known_version(object); }
  // The value of that label on the pods of the deployment's new replica set; empty while there is none.
  [[nodiscard]] std::string pod_template_hash(const std::string& deployment) const {
    return view_.pod_template_hash(deployment);
  }
  [[nodiscard]] std::vector<RolloutTarget> undecided() const;

 private:
  struct Followed {
    RolloutTarget target;
    Moment since{0};
    std::vector<verdict::Rule> rules = {};  // its own; none: those of all
    verdict::Memory memory = {};
    std::optional<RolloutStatus> status;
    std::map<std::string, verdict::Finding> told;  // as told last, by rule
    std::vector<verdict::Finding> findings;
    std::optional<Moment> complete_since;
    std::optional<Moment> ended_since;   // of a Job
    std::set<std::string> started_pods;  // of a Job; those told
    std::optional<Moment> wake_at;
    std::optional<RolloutOutcome> outcome;
  };
  void touch_all();
  void heed_touched();
  [[nodiscard]] verdict::Evidence evidence_for(const Followed& followed, const Deployment& deployment) const;
  [[nodiscard]] verdict::Evidence evidence_for(const Followed& followed, const Job& job) const;
  [[nodiscard]] std::span<const verdict::Rule> rules_of(const Followed& followed) const;
  void assess(Followed& followed, Moment now, std::vector<RolloutChange>& changes);
  void assess_job(Followed& followed, Moment now, std::vector<RolloutChange>& changes);
  void end_complete_job(Followed& followed, Moment now, std::vector<RolloutChange>& changes);
  void end_failed_job(Followed& followed, const Job& job, Moment now, std::vector<RolloutChange>& changes);
  void tell_started_pods(Followed& followed, const verdict::Evidence& evidence, std::vector<RolloutChange>& changes);
  void heed_deadline(Followed& followed, Moment now, std::vector<RolloutChange>& changes);
  void tell_status(Followed& followed, RolloutStatus status, std::vector<RolloutChange>& changes);
  void tell_findings(Followed& followed, std::vector<RolloutChange>& changes);
  void decide(Followed& followed, RolloutResult result, std::vector<RolloutChange>& changes);
  [[nodiscard]] bool is_complete(Followed& followed, const verdict::Evidence& evidence, Moment now);

  Options options_;
  std::string blind_;
  std::vector<Followed> followed_;
  std::unordered_map<std::string, std::size_t> followed_by_name_;
  std::unordered_map<std::string, std::size_t> followed_jobs_by_name_;
  std::unordered_set<std::size_t> touched_;

  RolloutView view_;
  std::map<std::string, verdict::ImageAnswer> images_;
};

}  // namespace deployctl::kube
