// The one path that build, push, rollout and release share: load, observe, plan, approve, execute.
#pragma once

#include "cli/options/common.hpp"
#include "core/base/duration.hpp"
#include "core/plan/release.hpp"
#include "core/project/model.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace deployctl::cli {

class Runtime;

struct ReleaseOptions {
  plan::Wish wish;
  std::string tag;                  // empty: the commit's description
  std::vector<std::string> images;  // "SERVICE=REFERENCE"
  std::optional<base::Milliseconds> timeout;
  bool pull = false;  // look the tags of ready images up again
  bool yes = false;
  RecordFlags record;
  bool take_over = false;                   // fields that others manage
  std::string plan_file;                    // a saved plan to carry out instead of one made now
  std::string approved;                     // the digest of the plan that is approved
  std::optional<project::Builder> builder;  // in place of what the project manifest says
};

// --builder, for the commands that make images or bring them to a registry.
void add_builder(CLI::App& parser, std::optional<project::Builder>& builder);

// --on-failure, --on-interrupt, --allow-older and --lock-timeout, for the commands that roll out.
void add_record(CLI::App& parser, RecordFlags& record);
// What the flags and the place the command runs in come to; `action` is what history calls the run.
execute::RecordOptions record_options(const Runtime& runtime, std::string action, const RecordFlags& flags);

// --sbom and --provenance, for the commands that may push.
void add_documents(CLI::App& parser, plan::Wish& wish);

// --image, for the commands that roll out what is pushed already.
void add_images(CLI::App& parser, std::vector<std::string>& images);
// "SERVICE=REFERENCE" pairs as a table; usage for anything else.
base::Result<std::map<std::string, std::string>> parse_images(const std::vector<std::string>& pairs);

// Does what the wish says and prints the images, one a line. `command` is its name in events.
int run_release(Runtime& runtime, std::string_view command, const ReleaseOptions& options);

}  // namespace deployctl::cli
