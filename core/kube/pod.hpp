// What the API server says about pods and events, cut down to what explains a rollout.
#pragma once

#include "core/json/value.hpp"
#include "core/kube/deployment.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

struct Termination {
  int exit_code = 0;
  std::string reason;  // "Error", "OOMKilled", "Completed", "ContainerCannotRun", "StartError"
  std::string message;
  std::string finished;  // RFC 3339, by the node's clock

  friend bool operator==(const Termination&, const Termination&) = default;
};

struct Container {
  // init: it is meant to come to an end; those of a Job's pods too.
  enum class Role { main, init, sidecar };
  enum class State { waiting, running, terminated };
  std::string name;
  std::string image;
  Role role = Role::main;
  std::string_view statuses = "containerStatuses";  // the list of the pod's status that it is told in
  State state = State::waiting;
  std::string waiting_reason;
  std::string waiting_message;
  std::string started_at;                       // of the running one; RFC 3339
  std::optional<Termination> termination;       // state terminated
  std::optional<Termination> last_termination;  // of the run before
  int restarts = 0;
  bool is_ready = false;
  bool is_started = false;  // its startup probe has passed, or it has none and runs
  bool has_readiness_probe = false;
  std::chrono::seconds readiness_budget{0};  // how long probes may fail before it is unusual
  long long memory_limit = 0;                // bytes; 0: none
  std::string ended_by;                      // what of its own may end it: "its liveness probe"; usually empty

  // How often it has ended so far.
  [[nodiscard]] int exits() const;
  // The latest end it has come to; null when it never ended.
  [[nodiscard]] const Termination* latest_exit() const;
};

struct Pod {
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string owner_uid;  // of the controller: a replica set's
  std::string node;       // empty while unscheduled
  std::string phase;
  std::string reason;                 // "Evicted"
  std::string message;                // of the pod's status
  std::string created;                // RFC 3339
  bool is_terminating = false;        // has a deletionTimestamp
  std::string nominated_node;         // where the scheduler makes room for it; usually empty
  std::string requests;               // while it has no node: "cpu 500m, memory 1Gi"
  std::vector<Container> containers;  // init containers first
  std::vector<Condition> conditions;
  std::vector<std::string> claims;           // names of the PersistentVolumeClaims it mounts
  std::vector<std::string> readiness_gates;  // condition types

  static Pod from_json(const json::Value& body);
  [[nodiscard]] bool is_ready() const;
  // Nothing of it runs any more, or will: a phase that is final, or all that serves has ended and it is being deleted
  // (its object may stay for a minute more, until the node has cleaned up).
  [[nodiscard]] bool has_ended() const;
};

// A core/v1 Event.
struct Event {
  std::string uid;
  std::string about_uid;   // of the object it is about
  std::string about_kind;  // "Pod"
  std::string about_name;
  std::string container;  // when it is about one of a pod's containers
  std::string reason;     // "FailedScheduling"
  std::string message;
  bool is_warning = false;
  int count = 1;
  std::string time;  // the latest of its times; RFC 3339

  static Event from_json(const json::Value& body);
};

}  // namespace deployctl::kube
