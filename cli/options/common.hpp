// Options that several commands share, declared in one way everywhere.
#pragma once

#include "core/base/duration.hpp"
#include "core/base/result.hpp"
#include "core/execute/recorded_rollout.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace deployctl::cli {

// "SERVICE…": positional names of services; none means all.
CLI::Option* add_services(CLI::App& parser, std::vector<std::string>& services);
// "SERVICE": one positional name.
CLI::Option* add_service(CLI::App& parser, std::string& service);
// "--timeout 5m"
CLI::Option* add_timeout(CLI::App& parser, std::optional<base::Milliseconds>& timeout);
// "--pull": the tags of ready images are looked up again.
CLI::Option* add_pull(CLI::App& parser, bool& pull);
// What the commands that record releases share.
struct RecordFlags {
  std::optional<execute::OnFailure> on_failure;  // nothing: undo in CI, stop elsewhere
  execute::OnInterrupt on_interrupt = execute::OnInterrupt::leave;
  bool allow_older = false;
  base::Milliseconds lock_timeout{600'000};
};
// "--lock-timeout 10m"
CLI::Option* add_lock_timeout(CLI::App& parser, base::Milliseconds& timeout);
// "--on-failure undo|stop|keep"
CLI::Option* add_on_failure(CLI::App& parser, std::optional<execute::OnFailure>& on_failure);
// "--on-interrupt leave|undo"
CLI::Option* add_on_interrupt(CLI::App& parser, execute::OnInterrupt& on_interrupt);
// "--allow-older"
CLI::Option* add_allow_older(CLI::App& parser, bool& allow_older);
// "--take-over": fields that others manage become ours.
CLI::Option* add_take_over(CLI::App& parser, bool& take_over);
// "-y,--yes": approval given.
CLI::Option* add_yes(CLI::App& parser, bool& yes);

// How long to wait for the services: what the user said, else the longest of their own deadlines.
base::Milliseconds deadline_for(const std::vector<const project::Service*>& services,
                                std::optional<base::Milliseconds> timeout);

}  // namespace deployctl::cli
