// What a release remembers, in its progress, of the services that wait for something: with which settings each canary
// is carried out and where it stands, and which new sides wait for `promote`. Thread-safe.
#pragma once

#include "core/base/result.hpp"
#include "core/canary/progress.hpp"
#include "core/json/value.hpp"
#include "core/kube/release.hpp"
#include "core/project/model.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace deployctl::execute {

struct KeptCanary {
  std::string service;
  project::Canary settings;
  canary::Progress progress;

  [[nodiscard]] bool is_over() const {
    return progress.stage == canary::Stage::promoted || progress.stage == canary::Stage::aborted;
  }
};

class CanaryRecord {
 public:
  // Writes the whole of a release's progress to where others find it.
  using Write = std::function<base::Status(const json::Value&)>;

  // Begins with what was written before, null for nothing.
  CanaryRecord(const json::Value& written, Write write);

  // Nothing for one that is not there, or that another version wrote in another form.
  [[nodiscard]] std::optional<KeptCanary> find(const std::string& service) const;
  [[nodiscard]] std::vector<KeptCanary> all() const;
  // To be called before what the progress says is done. Does not write what is written already.
  base::Status note(const KeptCanary& canary);

  // Blue-green services whose new pods are ready and get no request until somebody promotes them.
  [[nodiscard]] std::vector<std::string> waiting_sides() const;
  base::Status note_side(const std::string& service, bool waits);
  // Of a new side that somebody has let go.
  base::Status note_side_gone(const std::string& service);
  // Services whose canary or new side was taken back: for this release they stay as they were before it.
  [[nodiscard]] std::vector<std::string> taken_back() const;

  // Whether nothing was ever noted.
  [[nodiscard]] bool is_empty() const;
  // Services of which something is not over yet.
  [[nodiscard]] std::vector<std::string> open_services() const;
  // What is not over yet, in words: "canary of api: paused at 25 %: …", "api: the new side waits for 'deployctl
  // promote'"; empty when nothing is.
  [[nodiscard]] std::string open_in_words() const;
  // Whether nothing of it goes on before somebody promotes or aborts.
  [[nodiscard]] bool is_paused() const;

 private:
  [[nodiscard]] std::vector<std::string> sides_that_are(const json::Value& so) const;
  base::Status write_unlocked(json::Value& place, json::Value value);

  Write write_;
  mutable std::mutex mutex_;
  json::Value written_ = json::Value::object();
};

// The newest release after the live one that has canaries or sides that wait, when something of it is not over; else
// null.
const kube::ReleaseSummary* release_under_way(std::span<const kube::ReleaseSummary> newest_first);

// Whether a pending release waits for somebody: a state of its own to people.
bool is_paused(const kube::ReleaseSummary& release);
// Whether its run ended waiting: all of it that does not wait has been rolled out.
bool was_left_waiting(const kube::ReleaseSummary& release);

}  // namespace deployctl::execute
