// A ProcessRunner that answers from a script: the first row whose words all stand in the command line.
#pragma once

#include "core/base/text.hpp"
#include "core/io/process.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace deployctl::engine {

class ScriptedProcesses : public io::ProcessRunner {
 public:
  struct Answer {
    std::vector<std::string> words;
    std::string out;
    std::string err;
    int code = 0;
    std::optional<base::Error> error;                // instead of the rest
    std::function<void(const io::Command&)> effect;  // what the program does besides printing
  };

  explicit ScriptedProcesses(std::vector<Answer> answers) : answers_(std::move(answers)) {}

  base::Result<io::ExitStatus> run(const io::Command& command, const io::OutputSink& sink,
                                   std::stop_token stop) override {
    commands.push_back(command);
    const auto* answer = answer_to(command);
    if (answer == nullptr) {
      return base::Error::not_found("the script has no answer to '{}'", base::join(command.argv, " "));
    }
    if (answer->error) {
      return *answer->error;
    }
    if (answer->effect) {
      answer->effect(command);
    }
    give(sink, io::Stream::out, answer->out);
    give(sink, io::Stream::err, answer->err);
    if (stop.stop_requested()) {
      return base::Error::interrupted();
    }
    return io::ExitStatus{.code = answer->code, .signal = 0};
  }

  std::vector<io::Command> commands;

 private:
  static void give(const io::OutputSink& sink, io::Stream stream, const std::string& text) {
    if (!text.empty()) {
      sink(stream, text);
    }
  }

  const Answer* answer_to(const io::Command& command) const {
    const auto fits = [&](const Answer& answer) {
      return std::ranges::all_of(answer.words, [&](const std::string& word) {
        return std::ranges::find(command.argv, word) != command.argv.end();
      });
    };
    const auto found = std::ranges::find_if(answers_, fits);
    return found == answers_.end() ? nullptr : &*found;
  }

  std::vector<Answer> answers_;
};

}  // namespace deployctl::engine
