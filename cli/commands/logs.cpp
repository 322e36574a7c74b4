#include "core/execute/logs.hpp"

#include "cli/commands/commands.hpp"
#include "cli/commands/one_service.hpp"
#include "cli/options/common.hpp"
#include "cli/options/values.hpp"
#include "cli/runtime.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace deployctl::cli {
namespace {

struct LogsOptions {
  std::string service;
  std::string task;
  int tail = 100;
  bool follow = false;
  bool previous = false;
};

std::string as_json(std::string_view pod, std::string_view line) {
  return json::to_compact_text({{"pod", pod}, {"line", line}}) + "\n";
}

}  // namespace

Action declare_logs(CLI::App& parser) {
  auto options = std::make_shared<LogsOptions>();
  add_service(parser, options->service);
  // -f is the project manifest's everywhere; `logs -f` is what everybody's fingers know, so here it follows.
  auto* follow =
      parser.add_flag("-f,--follow", options->follow, "go on with what is printed from now on, until Ctrl-C");
  add_number(parser, "--tail", options->tail, 0, "last lines of each container (default: 100)");
  auto* previous = parser.add_flag("-p,--previous", options->previous, "of the run that ended last")->excludes(follow);
  parser.add_option("--task", options->task, "of the last run of this task, in place of the service's own pods")
      ->type_name("NAME")
      ->excludes(previous);
  return [options](Runtime& runtime) {
    return with_service(runtime, options->service, [&](const OneService& one) {
      const auto print = [&](std::string_view pod, std::string_view line) {
        runtime.print(runtime.wants_json() ? as_json(pod, line) : fmt::format("{} | {}\n", pod, line));
      };
      const auto done = execute::read_logs(one.client, one.target, one.service,
                                           {.tail_lines = options->tail,
                                            .follow = options->follow ? execute::Follow::yes : execute::Follow::no,
                                            .previous = options->previous,
                                            .task = options->task},
                                           print, one.ports);
      if (!done) {
        return runtime.fail(done.error());
      }
      return one.ports.stop.stop_requested() ? 130 : 0;
    });
  };
}

}  // namespace deployctl::cli
