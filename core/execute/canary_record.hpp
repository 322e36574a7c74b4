// What a release remembers of its canaries, in its progress: with which settings each is carried out, and where it
// stands. Thread-safe.
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

 private:
  Write write_;
  mutable std::mutex mutex_;
  json::Value written_ = json::Value::object();
};

// The newest release after the live one that has canaries, when one of them was neither promoted nor aborted; else
// null.
const kube::ReleaseSummary* release_with_open_canaries(std::span<const kube::ReleaseSummary> newest_first);

}  // namespace deployctl::execute
