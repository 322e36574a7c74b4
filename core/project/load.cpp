// The base and every environment are read and checked; what is found in several of them is said once.
#include "core/project/load.hpp"

#include "core/base/text.hpp"
#include "core/project/environments.hpp"
#include "core/project/settle.hpp"
#include "core/project/table.hpp"
#include "core/yaml/parse.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace deployctl::project {
namespace {

using base::Diagnostic;
using base::Diagnostics;
using base::Position;

using NamedEnvironment = Named<const yaml::Node*>;

// Collects what the base and the environments report, each thing once. What an environment alone brings about, but
// shows elsewhere in the file, is said to be of that environment.
class Findings {
 public:
  Findings(Position overlays_begin, Position overlays_end) : begin_(overlays_begin), end_(overlays_end) {}

  void add(const Diagnostics& found, std::string_view environment = {}) {
    for (auto item : found.sorted()) {
      if (!seen_.emplace(item.span.begin, item.message).second) {
        continue;
      }
      if (!environment.empty() && !is_in_overlays(item.span)) {
        item.message += fmt::format(" (in environment '{}')", environment);
      }
      put(std::move(item));
    }
  }

  [[nodiscard]] Diagnostics take() { return std::move(all_); }

 private:
  [[nodiscard]] bool is_in_overlays(const base::SourceSpan& span) const {
    return span.begin >= begin_ && span.begin < end_;
  }

  void put(Diagnostic item) {
    if (item.severity == base::Severity::error) {
      all_.error(std::move(item.span), std::move(item.message), std::move(item.hint));
    } else {
      all_.warning(std::move(item.span), std::move(item.message), std::move(item.hint));
    }
  }

  Position begin_;
  Position end_;
  std::set<std::pair<Position, std::string>> seen_;
  Diagnostics all_;
};

// From the key `environments` to the next key of the file.
Findings findings_of(const yaml::Node& tree) {
  constexpr Position never{std::numeric_limits<std::size_t>::max(), 0};
  const auto own =
      std::ranges::find_if(tree.entries, [](const yaml::Entry& entry) { return *entry.key == "environments"; });
  if (own == tree.entries.end()) {
    return {never, never};
  }
  const auto next = own + 1;
  return {own->key.span.begin, next == tree.entries.end() ? never : next->key.span.begin};
}

base::SourceSpan start_of(const base::SourcePtr& source) {
  return {source, {1, 1}, 1};
}

// The tree when it is a mapping; otherwise what the file should have been is said.
std::optional<yaml::Node> parse_mapping(const base::SourcePtr& source, Diagnostics& out) {
  auto tree = yaml::parse(source, out);
  if (out.has_errors()) {
    return std::nullopt;
  }
  if (yaml::is_null(tree)) {
    out.error(start_of(source), "the project manifest is empty", "run 'deployctl init' to write a first one");
    return std::nullopt;
  }
  if (tree.kind != yaml::NodeKind::mapping) {
    out.error(tree.span, fmt::format("a project manifest must be a mapping, not {}", yaml::describe(tree)));
    return std::nullopt;
  }
  return tree;
}

std::vector<NamedEnvironment> environments_of(const WrittenProject& project) {
  const auto* given = sound(project.environments);
  return given == nullptr ? std::vector<NamedEnvironment>() : *given;
}

std::vector<std::string> names_of(const std::vector<NamedEnvironment>& environments) {
  std::vector<std::string> names;
  for (const auto& environment : environments) {
    names.push_back(*environment.name);
  }
  return names;
}

void check_choice(std::string_view chosen, const WrittenProject& project, const base::SourcePtr& source,
                  Diagnostics& out) {
  const auto names = names_of(environments_of(project));
  if (chosen.empty() || std::ranges::find(names, chosen) != names.end()) {
    return;
  }
  const auto place = project.environments ? project.environments->key : base::SourceSpan{source, {}, 1};
  auto hint = base::did_you_mean(chosen, names);
  if (hint.empty()) {
    hint = names.empty() ? "the project manifest names no environments"
                         : fmt::format("environments: {}", base::join(names, ", "));
  }
  out.error(place, fmt::format("there is no environment '{}'", base::printable(chosen)), hint);
}

// What the Target of one environment is made from, and what was found on the way.
struct Settled {
  Target target;
  Diagnostics found;
};

Settled settle_environment(const Environments& environments, const NamedEnvironment& environment, Folders& folders) {
  Settled settled;
  const auto project = environments.apply(environment, settled.found);
  settled.target = settle(project, *environment.name, folders, settled.found);
  return settled;
}

}  // namespace

Loaded load(const base::SourcePtr& source, std::string_view directory, std::string_view environment,
            const io::FileSystem& files) {
  Diagnostics found;
  const auto tree = parse_mapping(source, found);
  if (!tree) {
    return {std::nullopt, std::move(found)};
  }
  const auto project = *project_form().read(*tree, {"", start_of(source)}, found);
  check_choice(environment, project, source, found);

  Folders folders(directory, files);
  Target target = settle(project, {}, folders, found);
  auto findings = findings_of(*tree);
  findings.add(found);
  const Environments overlays(*tree, project);
  const auto environments = environments_of(project);
  for (const auto& each : environments) {
    auto settled = settle_environment(overlays, each, folders);
    findings.add(settled.found, *each.name);
    if (*each.name == environment) {
      target = std::move(settled.target);
    }
  }

  target.directory = directory;
  target.manifest_name = io::file_name(source->path());
  target.environments = names_of(environments);
  auto all = findings.take();
  const bool is_usable = !all.has_errors();
  return {is_usable ? std::optional(std::move(target)) : std::nullopt, std::move(all)};
}

base::Result<std::string> find_manifest(const std::string& directory, const io::FileSystem& files) {
  for (auto folder = directory;; folder = io::parent_path(folder)) {
    for (const auto name : {default_manifest_name, std::string_view("deployctl.yml")}) {
      auto path = io::join_path(folder, name);
      if (files.stat(path).kind == io::FileKind::regular) {
        return path;
      }
    }
    if (folder == io::parent_path(folder) || folder == "." || folder.empty()) {
      break;
    }
  }
  return base::Error::not_found("there is no {} in '{}' or a folder above it", default_manifest_name, directory)
      .with_hint("run 'deployctl init' to write a first one, or name it with --file");
}

}  // namespace deployctl::project
