#include "cli/approval.hpp"

#include "cli/runtime.hpp"
#include "core/platform/terminal_input.hpp"

#include <fmt/core.h>

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
  const auto answer = platform::read_line(runtime.ports().stop);
  if (!answer) {
    return answer.error();
  }
  const bool is_yes = *answer == "y" || *answer == "Y" || *answer == "yes";
  return is_yes ? base::Status() : base::Error::refused("not approved");
}

}  // namespace deployctl::cli
