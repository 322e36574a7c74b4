#include "cli/approval.hpp"

#include "cli/runtime.hpp"

#include <fmt/core.h>

#include <iostream>
#include <string>

namespace deployctl::cli {

base::Status approve(Runtime& runtime, const project::Target& target, bool yes, std::string_view what) {
  if (target.approval == project::Approval::automatic) {
    return {};
  }
  const auto place = target.environment.empty() ? target.name_space : target.environment;
  return confirm(runtime, fmt::format("{} of {} in {} (namespace {})", what, *target.project, place, target.name_space),
                 yes);
}

base::Status confirm(Runtime& runtime, std::string_view what, bool yes) {
  if (yes) {
    return {};
  }
  if (!runtime.stdin_is_terminal()) {
    return base::Error::refused("{} needs approval", what).with_hint("give it with --yes, or run it on a terminal");
  }
  fmt::print(stderr, "{}: go on? [y/N] ", what);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") {
    return {};
  }
  return base::Error::refused("not approved");
}

}  // namespace deployctl::cli
