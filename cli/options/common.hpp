// Options that several commands share, declared in one way everywhere.
#pragma once

#include "core/base/duration.hpp"
#include "core/base/result.hpp"
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
// "-y,--yes": approval given.
CLI::Option* add_yes(CLI::App& parser, bool& yes);

// How long to wait for the services: what the user said, else the longest of their own deadlines.
base::Milliseconds deadline_for(const std::vector<const project::Service*>& services,
                                std::optional<base::Milliseconds> timeout);

}  // namespace deployctl::cli
