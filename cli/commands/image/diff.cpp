#include "cli/commands/image/image_commands.hpp"
#include "cli/runtime.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"
#include "core/execute/step_report.hpp"
#include "core/images/comparison.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace deployctl::cli {
namespace {

constexpr int differences_exit_code = 4;
constexpr std::size_t most_lines = 50;

struct DiffOptions {
  std::string before;
  std::string after;
  std::optional<oci::Platform> platform;
  bool all = false;
};

using Rows = std::vector<std::vector<std::string>>;

// "+1.2 MiB", "-340 B", "0 B"
std::string signed_bytes(std::int64_t bytes) {
  const auto* const sign = bytes > 0 ? "+" : bytes < 0 ? "-" : "";
  return sign + base::human_bytes(static_cast<unsigned long long>(bytes < 0 ? -bytes : bytes));
}

std::string_view sign_of(images::LayerChange::Kind kind) {
  return kind == images::LayerChange::Kind::added ? "+" : kind == images::LayerChange::Kind::removed ? "-" : "=";
}

std::string shortened(const std::string& text, std::size_t length) {
  return base::printable(text.substr(0, base::utf8_boundary(text, std::min(text.size(), length))));
}

std::string head_text(const std::string& before, const std::string& after, const images::Comparison& comparison) {
  const auto delta =
      static_cast<std::int64_t>(comparison.after.total_size) - static_cast<std::int64_t>(comparison.before.total_size);
  return table({{"before", base::printable(before), base::human_bytes(comparison.before.total_size)},
                {"after", base::printable(after),
                 fmt::format("{} ({})", base::human_bytes(comparison.after.total_size), signed_bytes(delta))}});
}

std::string settings_text(const std::vector<json::Difference>& settings) {
  std::string text = settings.empty() ? "" : "\nSETTINGS\n";
  for (const auto& setting : settings) {
    if (!setting.before.empty()) {
      text += fmt::format("- {}: {}\n", base::printable(setting.path), shortened(setting.before, 200));
    }
    if (!setting.after.empty()) {
      text += fmt::format("+ {}: {}\n", base::printable(setting.path), shortened(setting.after, 200));
    }
  }
  return text;
}

std::string layers_text(const std::vector<images::LayerChange>& layers) {
  Rows rows;
  for (const auto& layer : layers) {
    const auto from = layer.created_by.empty() ? layer.blob.media_type : layer.created_by;
    rows.push_back({std::string(sign_of(layer.kind)), short_digest(layer.blob.digest),
                    base::human_bytes(layer.blob.size), shortened(from, 80)});
  }
  return rows.empty() ? "" : "\nLAYERS\n" + table(rows);
}

// What differs but the size: "mode 0644 → 0755".
std::string detail(const images::FileChange& change) {
  if (!change.before || !change.after) {
    const auto& node = change.before ? *change.before : *change.after;
    return node.kind == oci::FileNode::Kind::symlink ? "-> " + base::printable(node.link_target) : "";
  }
  const auto& [before, after] = std::pair(*change.before, *change.after);
  std::vector<std::string> parts;
  const auto add = [&](std::string_view what, const std::string& left, const std::string& right) {
    if (left != right) {
      parts.push_back(fmt::format("{} {} to {}", what, base::printable(left), base::printable(right)));
    }
  };
  add("kind", std::string(to_string(before.kind)), std::string(to_string(after.kind)));
  add("mode", fmt::format("{:04o}", before.mode), fmt::format("{:04o}", after.mode));
  add("owner", fmt::format("{}:{}", before.uid, before.gid), fmt::format("{}:{}", after.uid, after.gid));
  if (after.kind == oci::FileNode::Kind::symlink) {
    add("link", before.link_target, after.link_target);
  } else if (before.size != after.size) {
    parts.push_back(fmt::format("{} to {}", base::human_bytes(before.size), base::human_bytes(after.size)));
  } else if (before.content != after.content) {
    parts.emplace_back("other content");
  }
  return base::join(parts, ", ");
}

// "2 added, 1 removed, 3 changed, +5.2 MiB"
std::string files_summary(const std::vector<images::FileChange>& files) {
  std::array<int, 3> counts{};
  std::int64_t bytes = 0;
  for (const auto& file : files) {
    counts[static_cast<std::size_t>(file.kind)] += 1;
    bytes += file.size_delta();
  }
  const auto count = [&](images::FileChange::Kind kind) { return counts[static_cast<std::size_t>(kind)]; };
  return fmt::format("{} added, {} removed, {} changed, {} unpacked", count(images::FileChange::Kind::added),
                     count(images::FileChange::Kind::removed), count(images::FileChange::Kind::changed),
                     signed_bytes(bytes));
}

std::string files_text(const std::vector<images::FileChange>& files, std::size_t most) {
  if (files.empty()) {
    return {};
  }
  Rows rows;
  for (const auto& file : std::span(files).first(std::min(most, files.size()))) {
    rows.push_back(
        {signed_bytes(file.size_delta()), std::string(to_string(file.kind)), base::printable(file.path), detail(file)});
  }
  auto text = fmt::format("\nFILES  {}\n", files_summary(files)) + table(rows);
  return files.size() <= most ? text : text + fmt::format("… and {} more (--all shows them)\n", files.size() - most);
}

json::Value node_json(const std::optional<oci::FileNode>& node) {
  if (!node) {
    return nullptr;
  }
  return {{"kind", to_string(node->kind)},
          {"size", node->size},
          {"mode", fmt::format("{:04o}", node->mode)},
          {"uid", node->uid},
          {"gid", node->gid},
          {"linkTarget", node->link_target},
          {"digest", node->content.text()}};
}

json::Value side_json(const std::string& name, const images::ComparedImage& image) {
  return {{"image", name}, {"digest", image.manifest.digest.text()}, {"size", image.total_size}};
}

std::string as_json(const std::string& before, const std::string& after, const images::Comparison& comparison) {
  json::Value value = {{"same", comparison.is_same()},
                       {"before", side_json(before, comparison.before)},
                       {"after", side_json(after, comparison.after)},
                       {"settings", json::Value::array()},
                       {"layers", json::Value::array()},
                       {"files", json::Value::array()}};
  for (const auto& setting : comparison.settings) {
    value["settings"].push_back({{"path", setting.path}, {"before", setting.before}, {"after", setting.after}});
  }
  for (const auto& layer : comparison.layers) {
    auto entry = descriptor_json(layer.blob);
    entry["change"] = to_string(layer.kind);
    entry["createdBy"] = layer.created_by;
    value["layers"].push_back(std::move(entry));
  }
  for (const auto& file : comparison.files) {
    value["files"].push_back({{"path", file.path},
                              {"change", to_string(file.kind)},
                              {"sizeDelta", file.size_delta()},
                              {"before", node_json(file.before)},
                              {"after", node_json(file.after)}});
  }
  return json::to_pretty_text(value);
}

base::Result<images::Comparison> compare(const images::Location& before, const images::Location& after,
                                         const DiffOptions& options, const images::Ports& ports) {
  const auto earlier = images::open_source(before, ports);
  if (!earlier) {
    return earlier.error();
  }
  const auto later = images::open_source(after, ports);
  if (!later) {
    return later.error();
  }
  return images::compare(**earlier, **later, options.platform, ports.on_progress);
}

// With progress for people; in JSON the result is the one document.
base::Result<images::Comparison> compare_visibly(Runtime& runtime, const images::Location& before,
                                                 const images::Location& after, const DiffOptions& options) {
  ImageAccess access(runtime);
  auto ports = access.images("diff");
  if (runtime.wants_json()) {
    ports.on_progress = {};
    return compare(before, after, options, ports);
  }
  execute::StepReport report(access.ports().events, access.ports().clock, "diff", "",
                             fmt::format("comparing {} with {}", to_string(before), to_string(after)));
  auto comparison = compare(before, after, options, ports);
  if (comparison) {
    report.finish(events::StepFinished::Outcome::done, comparison->is_same() ? "nothing differs" : "they differ");
  } else {
    report.finish(events::StepFinished::Outcome::failed, comparison.error().message);
  }
  return comparison;
}

int diff(Runtime& runtime, const DiffOptions& options) {
  const auto before = images::parse_location(options.before);
  const auto after = images::parse_location(options.after);
  if (!before || !after) {
    return runtime.fail(before ? after.error() : before.error());
  }
  const auto comparison = compare_visibly(runtime, *before, *after, options);
  if (!comparison) {
    return runtime.fail(comparison.error());
  }
  const auto names = std::pair(to_string(*before), to_string(*after));
  if (runtime.wants_json()) {
    runtime.print(as_json(names.first, names.second, *comparison));
  } else {
    runtime.print(head_text(names.first, names.second, *comparison) + settings_text(comparison->settings) +
                  layers_text(comparison->layers) +
                  files_text(comparison->files, options.all ? comparison->files.size() : most_lines));
  }
  return comparison->is_same() ? 0 : differences_exit_code;
}

}  // namespace

Action declare_image_diff(CLI::App& parser) {
  auto options = std::make_shared<DiffOptions>();
  add_location(parser, "before", options->before,
               "the earlier image: registry/repository:tag, oci:DIR, docker-archive:FILE");
  add_location(parser, "after", options->after, "the later image");
  add_platform(parser, options->platform, "which image of an index is compared (default: this machine's)");
  parser.add_flag("--all", options->all, fmt::format("every file that differs, not only the {} largest", most_lines));
  return [options](Runtime& runtime) { return diff(runtime, *options); };
}

}  // namespace deployctl::cli
