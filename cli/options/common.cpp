#include "cli/options/common.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace deployctl::cli {

CLI::Option* add_services(CLI::App& parser, std::vector<std::string>& services) {
  return parser.add_option("service", services, "services (default: all)")->type_name("NAME");
}

CLI::Option* add_service(CLI::App& parser, std::string& service) {
  return parser.add_option("service", service, "the service")->type_name("NAME")->required();
}

CLI::Option* add_timeout(CLI::App& parser, std::optional<base::Milliseconds>& timeout) {
  return parser
      .add_option_function<std::string>(
          "--timeout",
          [&timeout](const std::string& text) {
            const auto duration = base::parse_duration(text);
            if (!duration || duration->count() == 0) {
              throw CLI::ValidationError("--timeout", "'" + text + "' is not a duration: write 90s, 5m or 1h");
            }
            timeout = *duration;
          },
          "how long to wait for the rollout (default: the longest strategy.deadline)")
      ->type_name("DURATION");
}

CLI::Option* add_pull(CLI::App& parser, bool& pull) {
  return parser.add_flag("--pull", pull, "look the tags of ready images up again (default: keep the digests that run)");
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
