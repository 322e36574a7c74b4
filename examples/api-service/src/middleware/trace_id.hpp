// The id that ties together the log lines of one request, across services. Pure but for `made_trace_id`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace middleware {

// The value of an X-Trace-Id field if it can be trusted in a log and a header: 1 to 64 letters, digits, '-', '_', '.'.
std::optional<std::string> checked_trace_id(std::string_view text);

// The trace-id part of a traceparent field (W3C Trace Context, section 3.2); nothing when the field is not valid.
std::optional<std::string> traceparent_trace_id(std::string_view text);

// 32 hexadecimal digits from the system's random numbers.
std::string made_trace_id();

}  // namespace middleware
