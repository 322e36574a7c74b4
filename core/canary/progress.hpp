// Where a canary stands, and what comes next: a state machine without clocks, clusters or files.
//
// Whoever carries a canary out calls advance() with what was seen, records the new Progress where others find it, does
// what Next says, and begins again. A Progress taken up by another process, or after a crash, goes on from there: every
// action may be done twice.
#pragma once

#include "core/base/result.hpp"
#include "core/canary/measurement.hpp"
#include "core/canary/sequential_test.hpp"
#include "core/io/clock.hpp"
#include "core/json/value.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::canary {

struct GateProgress {
  int failures = 0;   // of this step
  int successes = 0;  // in a row
  std::optional<io::WallTime> measured;
  std::optional<io::WallTime> silent_since;  // inconclusive without a break since then
  std::string last;                          // what the last measurement said
  Evidence evidence;                         // of an errors gate, over all steps
  std::optional<Measurement::Counters> counters;

  friend bool operator==(const GateProgress&, const GateProgress&) = default;
};

enum class Stage {
  stepping,   // the canary is at a step
  holding,    // until someone promotes or aborts
  promoting,  // decided: the stable pods get the new version
  aborting,   // decided: the canary goes
  promoted,   // nothing is left to do
  aborted,
};
std::string_view to_string(Stage stage);

struct Progress {
  Stage stage = Stage::stepping;
  std::size_t step = 0;
  bool is_weight_set = false;  // the share of this step is known to hold
  bool is_excused = false;     // the gates of this step need no longer agree
  io::WallTime since{};        // the share holds
  std::vector<GateProgress> gates;
  std::string reason;  // why it holds, promotes or aborts

  friend bool operator==(const Progress&, const Progress&) = default;
};

enum class Wish { promote, promote_fully, abort };

struct Look {
  io::WallTime now{};
  bool is_weight_set = false;  // the share that was asked for holds
  std::string broken;          // a permanent finding about the canary's pods; empty: none
  std::optional<Wish> wish;
  std::string wished_by;
  struct Measured {
    std::size_t gate = 0;
    Measurement measurement;
  };
  std::vector<Measured> measured;
};

struct Next {
  enum class What { set_weight, measure, wait, hold, promote, abort, nothing };
  What what = What::nothing;
  int weight = 0;                  // set_weight
  std::vector<std::size_t> gates;  // measure: those that are due
  io::WallTime until{};            // wait
  std::string reason;              // hold, promote, abort

  friend bool operator==(const Next&, const Next&) = default;
};

struct Advance {
  Progress progress;
  Next next;
};

Progress beginning(const project::Canary& canary);
// Taken up by another process: the share is set again, and watched from the start of the step.
Progress resumed(const project::Canary& canary, Progress progress);

Advance advance(const project::Canary& canary, Progress progress, const Look& look);

// The weight the canary has, or is being given.
int weight_of(const project::Canary& canary, const Progress& progress);
// "step 2 of 3, 25 %", "paused at 25 %: …": for people.
std::string in_words(const project::Canary& canary, const Progress& progress);

json::Value to_json(const Progress& progress);
base::Result<Progress> progress_from_json(const json::Value& value);

}  // namespace deployctl::canary
