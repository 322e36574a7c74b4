#include "cli/options/common.hpp"

#include "cli/options/values.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>

namespace deployctl::cli {

CLI::Option* add_services(CLI::App& parser, std::vector<std::string>& services) {
  return parser.add_option("service", services, "services (default: all)")->type_name("NAME");
}

CLI::Option* add_service(CLI::App& parser, std::string& service) {
  return parser.add_option("service", service, "the service")->type_name("NAME")->required();
}

namespace {

base::Milliseconds parse_duration_of(const std::string& option, const std::string& text) {
  const auto duration = base::parse_duration(text);
  if (!duration) {
    throw CLI::ValidationError(option, "'" + text + "' is not a duration: write 90s, 5m or 1h");
  }
  return *duration;
}

}  // namespace

CLI::Option* add_timeout(CLI::App& parser, std::optional<base::Milliseconds>& timeout) {
  return parser
      .add_option_function<std::string>(
          "--timeout",
          [&timeout](const std::string& text) {
            const auto duration = parse_duration_of("--timeout", text);
            if (duration.count() == 0) {
              throw CLI::ValidationError("--timeout", "'" + text + "' is not a duration: write 90s, 5m or 1h");
            }
            timeout = duration;
          },
          "how long to wait for the rollout (default: the longest strategy.deadline)")
      ->type_name("DURATION");
}

CLI::Option* add_lock_timeout(CLI::App& parser, base::Milliseconds& timeout) {
  return parser
      .add_option_function<std::string>(
          "--lock-timeout",
          [&timeout](const std::string& text) { timeout = parse_duration_of("--lock-timeout", text); },
          "how long to wait for another run of this project to end (default: 10m; 0s: not at all)")
      ->type_name("DURATION");
}

CLI::Option* add_on_failure(CLI::App& parser, std::optional<execute::OnFailure>& on_failure) {
  const Choices<execute::OnFailure> choices{
      {"undo", execute::OnFailure::undo}, {"stop", execute::OnFailure::stop}, {"keep", execute::OnFailure::keep}};
  return add_choice(parser, "--on-failure", on_failure, choices,
                    "undo: go back to the release before; stop: begin nothing further; keep: go on with what does not "
                    "depend on the failure (default: undo in CI, stop elsewhere)");
}

CLI::Option* add_on_interrupt(CLI::App& parser, execute::OnInterrupt& on_interrupt) {
  const Choices<execute::OnInterrupt> choices{{"leave", execute::OnInterrupt::leave},
                                              {"undo", execute::OnInterrupt::undo}};
  return add_choice(parser, "--on-interrupt", on_interrupt, choices,
                    "Ctrl-C or SIGTERM; leave: what there is stays, for the next run to go on; undo: go back to the "
                    "release before (default: leave)");
}

CLI::Option* add_allow_older(CLI::App& parser, bool& allow_older) {
  return parser.add_flag("--allow-older", allow_older, "roll out a commit that does not contain the one that is live");
}

CLI::Option* add_pull(CLI::App& parser, bool& pull) {
  return parser.add_flag("--pull", pull, "look the tags of ready images up again (default: keep the digests that run)");
}

CLI::Option* add_take_over(CLI::App& parser, bool& take_over) {
  return parser.add_flag("--take-over", take_over,
                         "set fields as the project manifest has them though others manage them");
}

CLI::Option* add_yes(CLI::App& parser, bool& yes) {
  return parser.add_flag("-y,--yes", yes, "approve; do not ask");
}

base::Milliseconds deadline_for(const std::vector<const project::Service*>& services,
                                std::optional<base::Milliseconds> timeout) {
  if (timeout) {
    return *timeout;
  }
  base::Milliseconds longest{0};
  for (const auto* service : services) {
    longest = std::max(longest, service->strategy.deadline);
  }
  return longest;
}

}  // namespace deployctl::cli
