#include "cli/approval.hpp"

#include "cli/runtime.hpp"

#include <fmt/core.h>

#include <iostream>
#include <string>

namespace deployctl::cli {

base::Status approve(Runtime& runtime, const project::Target& target, bool yes, std::string_view what) {
  if (target.approval == project::Approval::automatic || yes) {
    return {};
  }
  const auto place = target.environment.empty() ? target.name_space : target.environment;
  if (!runtime.stdin_is_terminal()) {
    return base::Error::refused("{} of {} in {} needs approval", what, *target.project, place)
        .with_hint("give it with --yes, or run it on a terminal");
  }
  fmt::print(stderr, "{} of {} in {} (namespace {}): go on? [y/N] ", what, *target.project, place, target.name_space);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") {
    return {};
  }
  return base::Error::refused("not approved");
}

}  // namespace deployctl::cli
