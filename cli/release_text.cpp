#include "cli/release_text.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/execute/canary_record.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::cli {

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : base::printable(text);
}

std::string brief(const std::string& commit) {
  return commit.substr(0, 7);
}

std::string age_of(const std::string& time, io::WallTime now) {
  const auto then = io::parse_rfc3339(time);
  return then ? base::human_duration(std::max(std::chrono::milliseconds(0), now - *then)) : std::string("-");
}

std::string_view state_name(const kube::ReleaseSummary& release) {
  return execute::is_paused(release) ? "paused" : kube::to_string(release.state);
}

std::string what_became_of(const kube::ReleaseSummary& release) {
  if (!release.outcome.empty()) {
    return release.outcome;
  }
  const auto open = execute::CanaryRecord(release.progress, {}).open_in_words();
  return open.empty() ? release.journal : open;
}

std::string_view release_state_word(const kube::ReleaseSummary& release) {
  return release.state == kube::ReleaseState::deployed ? "live" : state_name(release);
}

json::Value release_json(const kube::ReleaseSummary& release) {
  return {{"number", release.number},
          {"state", state_name(release)},
          {"commit", release.commit},
          {"tag", release.tag},
          {"actor", release.actor},
          {"action", release.action},
          {"started", release.started},
          {"finished", release.finished},
          {"outcome", release.outcome},
          {"journal", release.outcome.empty() ? release.journal : std::string()},
          {"open", execute::CanaryRecord(release.progress, {}).open_in_words()},
          {"contracts", release.contracts},
          {"services", release.services},
          {"images", release.images},
          {"tool_version", release.tool_version}};
}

}  // namespace deployctl::cli
