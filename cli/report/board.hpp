// What the live board shows, without the terminal: events go in; lines that stay, and rows that are drawn again and
// again, come out. Pure but for what it remembers; time comes in as an argument.
#pragma once

#include "cli/report/palette.hpp"
#include "core/events/event.hpp"
#include "core/io/clock.hpp"

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::cli::report {

enum class Glyphs { unicode, ascii };

class Board {
 public:
  Board(Palette palette, Glyphs glyphs) : palette_(palette), glyphs_(glyphs) {}

  void apply(const events::Event& event, io::SteadyTime now);

  // Lines that are finished and scroll away above the board, in order; each is given out once.
  std::vector<std::string> take_finished_lines();
  // One row for every step that runs, none wider than `width` cells; at most `height` of them.
  [[nodiscard]] std::vector<std::string> rows(io::SteadyTime now, std::size_t width, std::size_t height) const;
  [[nodiscard]] bool is_live() const { return !running_.empty(); }

 private:
  struct Transfer {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
  };
  struct Step {
    std::string name;
    std::string title;
    io::SteadyTime began;
    std::string activity;  // the latest word on what it is doing
    std::map<std::string, Transfer> transfers;
    std::deque<std::string> output;  // the last lines a program printed, shown when the step fails
  };

  Step* find(const std::string& name);
  void start(const events::StepStarted& step, io::SteadyTime now);
  void finish(const events::StepFinished& step);
  void show_activity(const std::string& step, std::string text);
  void keep_output(const events::Output& output);
  void keep_transfer(const events::TransferProgress& transfer);
  void show_finding(const events::Finding& finding);
  void print(std::string line) { finished_.push_back(std::move(line)); }
  void print_lines(std::string_view text);
  [[nodiscard]] std::string row(const Step& step, io::SteadyTime now, std::size_t width, std::size_t title_width) const;
  [[nodiscard]] std::string detail(const Step& step, std::size_t width) const;
  [[nodiscard]] std::string mark(events::StepFinished::Outcome outcome) const;
  [[nodiscard]] std::string spinner(io::SteadyTime now) const;
  [[nodiscard]] std::string bar(const Transfer& sum) const;

  Palette palette_;
  Glyphs glyphs_;
  std::vector<Step> running_;  // in the order they began
  std::vector<std::string> finished_;
};

// The text cut to at most `width` cells, with "…" (or "...") where something is missing.
std::string fit(std::string_view text, std::size_t width, Glyphs glyphs = Glyphs::unicode);

}  // namespace deployctl::cli::report
