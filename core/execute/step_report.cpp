#include "core/execute/step_report.hpp"

namespace deployctl::execute {

StepReport::StepReport(events::Sink& sink, const io::Clock& clock, std::string step, std::string service,
                       std::string title)
    : sink_(sink), clock_(clock), step_(std::move(step)), service_(std::move(service)), begun_(clock.steady_now()) {
  sink_.emit(events::StepStarted{.step = step_, .service = service_, .title = std::move(title)});
}

void StepReport::finish(events::StepFinished::Outcome outcome, std::string result) {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady_now() - begun_);
  sink_.emit(events::StepFinished{
      .step = step_, .service = service_, .outcome = outcome, .result = std::move(result), .elapsed = elapsed});
}

}  // namespace deployctl::execute
