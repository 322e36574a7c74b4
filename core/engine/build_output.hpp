// Reading what a build prints, as it comes: BuildKit's plain progress, the classic builder's steps, podman's and
// buildah's.
#pragma once

#include "core/engine/build.hpp"
#include "core/engine/engine.hpp"
#include "core/io/process.hpp"

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::engine {

// What was seen of one step.
struct StepLog {
  int number = 0;
  std::string name;               // "[build 2/5] RUN go build ./…"
  std::string error;              // why it failed, in the builder's words
  std::deque<std::string> lines;  // the last it printed
};

// What is left when the build has ended.
struct BuildLog {
  int steps = 0;  // instructions of the Dockerfile that were carried out, without FROM
  int cached_steps = 0;
  StepLog failed_step;                // the one that failed first; if none said so, the last one begun
  std::vector<std::string> messages;  // the client's own words: errors of no step, summaries
};

class BuildOutputReader {
 public:
  BuildOutputReader(Builder builder, BuildListener listener);

  void add(io::Stream stream, std::string_view piece);
  // After the last piece.
  BuildLog finish();

 private:
  void read_line(io::Stream stream, std::string_view line);
  void read_buildkit(std::string_view line);
  void read_buildkit_step(int number, std::string_view text);
  void read_classic(io::Stream stream, std::string_view line);
  void read_buildah(io::Stream stream, std::string_view line);

  void begin_step(int number, std::string name);
  void end_step(int number, BuildProgress::Kind how);
  void take_output(int number, std::string_view line);
  void take_message(std::string_view line);

  Builder builder_;
  BuildListener listener_;
  io::LineSplitter out_lines_;
  io::LineSplitter err_lines_;
  std::map<int, StepLog> steps_;
  int current_step_ = 0;
  int failed_step_ = 0;
  bool is_in_quotation_ = false;  // BuildKit repeats a failed step's output between lines of dashes
  BuildLog log_;
};

// Without the terminal's colour and cursor sequences (ECMA-48 section 5.4), which the classic builder puts around
// errors.
std::string without_escape_sequences(std::string_view text);

}  // namespace deployctl::engine
