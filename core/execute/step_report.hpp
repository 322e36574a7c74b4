// A step's own voice: begins with StepStarted, ends with exactly one StepFinished, and measures the time between.
#pragma once

#include "core/events/event.hpp"
#include "core/io/clock.hpp"

#include <string>

namespace deployctl::execute {

class StepReport {
 public:
  StepReport(events::Sink& sink, const io::Clock& clock, std::string step, std::string service, std::string title);

  void finish(events::StepFinished::Outcome outcome, std::string result);

  [[nodiscard]] const std::string& step() const { return step_; }
  [[nodiscard]] const std::string& service() const { return service_; }

 private:
  events::Sink& sink_;
  const io::Clock& clock_;
  std::string step_;
  std::string service_;
  io::SteadyTime begun_;
};

}  // namespace deployctl::execute
