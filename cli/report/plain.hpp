// Progress as lines: one fact each, no times of day, every line of a step beginning with its name, so that a log can be
// read, compared and searched.
#pragma once

#include "cli/report/palette.hpp"
#include "cli/report/writer.hpp"
#include "core/events/event.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace deployctl::cli::report {

enum class Verbosity { normal, quiet };  // quiet: only what failed and why

class Plain : public events::Sink {
 public:
  Plain(Writer write, Palette palette, Verbosity verbosity = Verbosity::normal);
  void emit(const events::Event& event) override;

 private:
  void keep_output(const events::Event& event);
  std::string text_of(const events::Event& event);
  std::string text_once(const std::string& step, std::string text);

  Writer write_;
  Palette palette_;
  Verbosity verbosity_;
  std::mutex mutex_;
  std::map<std::string, std::string> last_progress_;       // of each step: not said twice
  std::map<std::string, std::deque<std::string>> output_;  // of each step that runs, when quiet: its last lines
};

}  // namespace deployctl::cli::report
