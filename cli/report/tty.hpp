// The live board on a terminal: a row for every step that runs, drawn again in place about ten times a second; what is
// finished, found or failed stays above it.
#pragma once

#include "cli/report/board.hpp"
#include "cli/report/screen.hpp"
#include "cli/report/writer.hpp"
#include "core/events/event.hpp"
#include "core/io/clock.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace deployctl::cli::report {

struct TerminalSize {
  std::size_t width = 80;
  std::size_t height = 24;
};

// Asked before each drawing, so that a resized window needs no signal.
TerminalSize terminal_size(int descriptor);

class Tty : public events::Sink {
 public:
  struct Options {
    Writer write;
    std::function<TerminalSize()> size;
    Palette palette;
    Glyphs glyphs = Glyphs::unicode;
  };
  // The clock must outlive it.
  Tty(Options options, const io::Clock& clock);
  // Prints what is still to be printed and takes the board away.
  ~Tty() override;
  Tty(const Tty&) = delete;
  Tty& operator=(const Tty&) = delete;

  void emit(const events::Event& event) override;
  // Lets others write to the same terminal: the board is away while `writing` runs.
  void aside(const std::function<void()>& writing);

 private:
  void keep_drawing(const std::stop_token& stop);
  void draw();

  Options options_;
  const io::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Board board_;
  Screen screen_;
  std::jthread drawer_;  // from the first step on; last, as it uses all of the above
};

}  // namespace deployctl::cli::report
