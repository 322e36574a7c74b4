// What happens while a plan is carried out, as data. Reporters choose the words; docs/events.md is the JSON form.
#pragma once

#include "core/base/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace deployctl::events {

// Something began that has an end. `step` is unique within the run ("build:api"); `service` may be empty.
struct StepStarted {
  std::string step;
  std::string service;
  std::string title;  // "building api"
};

// How the step ended; skipped: it was never begun; open: it is neither done nor failed, and goes on or waits without
// this run. `result` is one line for people: "127.0.0.1:5000/demo/api:1a2b3c@sha256:…", "unchanged".
struct StepFinished {
  enum class Outcome { done, unchanged, failed, skipped, open };
  std::string step;
  std::string service;
  Outcome outcome = Outcome::done;
  std::string result;
  std::chrono::milliseconds elapsed{0};
};

// A line that a program, a container or a server printed.
struct Output {
  std::string step;
  std::string service;
  std::string source;  // "docker", "pod/api-7d9f container api"
  std::string line;
};

// Bytes moved so far in a step; `total` is 0 while unknown.
struct TransferProgress {
  std::string step;
  std::string service;
  std::string what;  // "layer sha256:1234… (2 of 5)"
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

// Where a rollout stands.
struct RolloutProgress {
  std::string step;
  std::string service;
  int desired = 0;
  int updated = 0;
  int ready = 0;
  int available = 0;
  int old = 0;        // replicas of earlier revisions still there
  std::string phase;  // "waiting for 1 of 3 replicas to become available"
};

// Something the cluster shows that explains a slow or broken rollout.
struct Finding {
  enum class Weight { waiting, probable, permanent };
  std::string step;
  std::string service;
  Weight weight = Weight::waiting;
  std::string rule;    // that judged it: "image-not-found" (docs/verdicts.md)
  std::string kind;    // "image", "crash", "probe" …; "class" in JSON
  std::string object;  // "pod/api-7d9f-x2x"
  std::string field;   // where in the object: "status.containerStatuses[api].state.waiting"
  std::string container;
  std::string reason;  // "ImagePullBackOff"
  std::string message;
  std::string advice;
  int affected = 1;  // pods that show it
  int total = 1;     // pods of the new revision
  std::chrono::milliseconds seen_for{0};
  std::vector<std::string> log;           // the last lines the container printed
  std::vector<std::string> previous_log;  // those of its run before
  std::vector<std::string> context;       // what is wrong with the node
};

// An object that was applied, or deleted because the project no longer has it.
struct ObjectApplied {
  enum class Change { created, configured, unchanged, pruned };
  std::string step;
  std::string service;
  std::string object;  // "deployment/api"
  Change change = Change::unchanged;
};

// A remark for people: a warning of the server, something decided by default.
struct Note {
  enum class Level { info, warning };
  Level level = Level::info;
  std::string text;
};

// The run failed; the last event but RunFinished.
struct Failure {
  base::Error error;
};

struct RunStarted {
  std::string command;  // "release"
  std::string project;
  std::string environment;
  std::string version;  // of deployctl
};

struct RunFinished {
  int exit_code = 0;
  std::chrono::milliseconds elapsed{0};
};

using Event = std::variant<RunStarted, StepStarted, StepFinished, Output, TransferProgress, RolloutProgress, Finding,
                           ObjectApplied, Note, Failure, RunFinished>;

class Sink {
 public:
  virtual ~Sink() = default;
  // Called from any thread; must not block for long.
  virtual void emit(const Event& event) = 0;
};

}  // namespace deployctl::events
