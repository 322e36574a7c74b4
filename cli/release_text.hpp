// Releases as commands show them.
#pragma once

#include "core/io/clock.hpp"
#include "core/json/value.hpp"
#include "core/kube/release.hpp"

#include <string>
#include <string_view>

namespace deployctl::cli {

std::string or_dash(const std::string& text);
// The first seven digits of a commit.
std::string brief(const std::string& commit);
// "3m05s" since an RFC 3339 time; "-" when it is none.
std::string age_of(const std::string& time, io::WallTime now);
// "paused" for a pending release that waits for `promote`, else the state.
std::string_view state_name(const kube::ReleaseSummary& release);
// The same, and "live" for what is deployed.
std::string_view release_state_word(const kube::ReleaseSummary& release);
// How it ended; while it has not, what it waits for or how far it is.
std::string what_became_of(const kube::ReleaseSummary& release);

json::Value release_json(const kube::ReleaseSummary& release);

}  // namespace deployctl::cli
