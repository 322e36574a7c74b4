// The words reporters share. Everything in an event may come from outside and is made safe for a terminal here.
#pragma once

#include "cli/report/palette.hpp"
#include "core/events/event.hpp"

#include <string>
#include <vector>

namespace deployctl::cli::report {

// "2 of 3 updated, 3 ready, 3 available, 1 old"
std::string replica_text(const events::RolloutProgress& rollout);
// "1.0 MiB of 7.0 MiB", "1.0 MiB"
std::string transfer_text(std::uint64_t done, std::uint64_t total);
// "release of miniapp to prod"
std::string run_text(const events::RunStarted& run);
// "finished in 3m05s", "failed after 12s", "interrupted after 3s"
std::string end_text(const events::RunFinished& run);
// "done", "unchanged", "failed", "skipped"
std::string_view outcome_word(events::StepFinished::Outcome outcome);
std::string_view change_word(events::ObjectApplied::Change change);

// The evidence of a finding, line by line: what and where, what to do about it, and the container's last lines.
std::vector<std::string> finding_lines(const events::Finding& finding, const Palette& palette);

}  // namespace deployctl::cli::report
