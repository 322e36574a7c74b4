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
// "live" for what is deployed, else the state.
std::string_view release_state_word(const kube::ReleaseSummary& release);

json::Value release_json(const kube::ReleaseSummary& release);

}  // namespace deployctl::cli
