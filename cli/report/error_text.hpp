// How an Error is shown to people, on every kind of output.
#pragma once

#include "cli/report/palette.hpp"
#include "core/base/diagnostic.hpp"
#include "core/base/error.hpp"

#include <string>

namespace deployctl::cli::report {

// Ends in a line feed:
//
//   error: pushing demo/api: cannot reach the registry at 127.0.0.1:5000: connection refused
//     hint: is the registry running?
//
// With the place, the quoted line and a caret, as a Diagnostic has them, when it has a span.
std::string render_error(const base::Error& error, const Palette& palette = Palette());

// base::render with its kind in colour.
std::string render_diagnostic(const base::Diagnostic& diagnostic, const Palette& palette = Palette());

}  // namespace deployctl::cli::report
