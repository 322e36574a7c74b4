// Events as newline-delimited JSON: docs/events.md.
#pragma once

#include "cli/report/writer.hpp"
#include "core/events/event.hpp"
#include "core/io/clock.hpp"

#include <mutex>

namespace deployctl::cli::report {

class Ndjson : public events::Sink {
 public:
  // The clock must outlive it.
  Ndjson(Writer write, const io::Clock& clock) : write_(std::move(write)), clock_(clock) {}
  void emit(const events::Event& event) override;

 private:
  Writer write_;
  const io::Clock& clock_;
  std::mutex mutex_;  // lines in the order of their times
};

}  // namespace deployctl::cli::report
