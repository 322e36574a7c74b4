// What each command of the table in commands.cpp declares; one .cpp file each.
#pragma once

#include "cli/command.hpp"

namespace deployctl::cli {

Action declare_init(CLI::App& parser);
Action declare_validate(CLI::App& parser);
Action declare_schema(CLI::App& parser);
Action declare_generate(CLI::App& parser);
Action declare_plan(CLI::App& parser);
Action declare_build(CLI::App& parser);
Action declare_push(CLI::App& parser);
Action declare_rollout(CLI::App& parser);
Action declare_release(CLI::App& parser);
Action declare_status(CLI::App& parser);
Action declare_diff(CLI::App& parser);
Action declare_history(CLI::App& parser);
Action declare_promote(CLI::App& parser);
Action declare_abort(CLI::App& parser);
Action declare_undo(CLI::App& parser);
Action declare_restart(CLI::App& parser);
Action declare_logs(CLI::App& parser);
Action declare_doctor(CLI::App& parser);
Action declare_completion(CLI::App& parser);
Action declare_version(CLI::App& parser);

}  // namespace deployctl::cli
