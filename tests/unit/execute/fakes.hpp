// The ports of a run with everything outside played: no git, no engine; cluster and registries answer as they are told.
#pragma once

#include "core/execute/ports.hpp"
#include "tests/unit/cluster/fakes.hpp"

#include <mutex>
#include <vector>

namespace deployctl::execute {

class NoGit final : public io::GitRepository {
 public:
  base::Result<io::Commit> head(const std::string& /*directory*/) override {
    return base::Error::not_found("no repository");
  }
  base::Result<io::CommitComparison> compare(const std::string& /*directory*/, const std::string& /*commit*/,
                                             const std::string& /*other*/) override {
    return base::Error::not_found("no repository");
  }
};

class KeptEvents final : public events::Sink {
 public:
  void emit(const events::Event& event) override {
    const std::scoped_lock lock(mutex_);
    events.push_back(event);
  }

  std::vector<events::Event> events;

 private:
  std::mutex mutex_;
};

struct PlayedWorld : cluster::World {
  NoGit git;
  KeptEvents events;

  execute::Ports run_ports() {
    return {.files = files,
            .processes = processes,
            .environment = environment,
            .clock = clock,
            .git = git,
            .transport = transport,
            .open_file = {},
            .events = events,
            .stop = {}};
  }
};

}  // namespace deployctl::execute
