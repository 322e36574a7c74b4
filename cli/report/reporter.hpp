// The reporter a user gets: chosen once from the options, the terminal and the CI system, and the one place that knows
// which text goes to stdout (results, NDJSON) and which to stderr (everything for people, NDJSON beside results).
#pragma once

#include "cli/options/global_options.hpp"
#include "core/base/diagnostic.hpp"
#include "core/events/event.hpp"
#include "core/io/clock.hpp"
#include "core/io/environment.hpp"

#include <memory>
#include <string_view>

namespace deployctl::cli::report {

struct Look {
  OutputMode mode = OutputMode::plain;  // `automatic` is plain; tty without a usable terminal is plain too
  bool use_color = false;
  bool is_quiet = false;
  bool has_results = false;  // stdout is for them alone, also in JSON
};

class Reporter : public events::Sink {
 public:
  // The clock must outlive it.
  Reporter(Look look, const io::Environment& environment, const io::Clock& clock);
  ~Reporter() override;

  void emit(const events::Event& event) override;
  // A result, to stdout as it is.
  void result(std::string_view text);
  // Why results did not all reach stdout, as an errno; 0 when they did, and when nobody wanted to read on (EPIPE).
  [[nodiscard]] int output_error() const;
  // To stderr, in order; in CI with annotations.
  void diagnostics(const base::Diagnostics& diagnostics);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace deployctl::cli::report
