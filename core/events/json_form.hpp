// The JSON form of events: one object a line, documented in docs/events.md.
#pragma once

#include "core/events/event.hpp"
#include "core/json/value.hpp"

#include <chrono>

namespace deployctl::events {

inline constexpr int schema_version = 1;

// {"v":1,"time":"2026-11-21T08:53:00.123Z","type":"step_started",…}
json::Value to_json(const Event& event, std::chrono::sys_time<std::chrono::milliseconds> time);

}  // namespace deployctl::events
