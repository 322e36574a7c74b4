#include "cli/commands/commands.hpp"
#include "cli/options/values.hpp"
#include "cli/runtime.hpp"
#include "core/base/text.hpp"
#include "core/generate/artifacts.hpp"
#include "core/generate/write.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace deployctl::cli {
namespace {

constexpr int differences_exit_code = 4;

struct GenerateOptions {
  std::vector<std::string> families;
  std::string out;
  std::string tag = "latest";
  bool check = false;
  bool diff = false;
  bool to_stdout = false;
  bool force = false;
};

std::vector<generate::Family> chosen_families(const std::vector<std::string>& words) {
  std::vector<generate::Family> families;
  for (const auto family :
       {generate::Family::dockerfile, generate::Family::compose, generate::Family::kubernetes, generate::Family::ci}) {
    if (std::ranges::find(words, to_string(family)) != words.end()) {
      families.push_back(family);
    }
  }
  return families;
}

// Pipelines roll out to every environment; no other artifact looks beyond its own.
bool has_pipelines(const project::Target& target) {
  return target.ci.github || target.ci.gitlab;
}

base::Result<std::vector<generate::Artifact>> make_artifacts(Runtime& runtime, const Runtime::LoadedTarget& loaded,
                                                             const GenerateOptions& options) {
  const auto& target = *loaded.target;
  const auto templates = templating::TemplateSet::load(target.directory, runtime.files());
  if (!templates) {
    return templates.error();
  }
  const auto inputs = generate::read_inputs(target, runtime.files());
  if (!inputs) {
    return inputs.error();
  }
  return generate::artifacts(
      target, *inputs, *templates,
      {.families = chosen_families(options.families),
       .tag = options.tag,
       .environments = has_pipelines(target) ? runtime.load_environments(loaded) : std::vector<project::Target>()});
}

// Whether the file would have to be written or removed to be as the project manifest says.
bool differs(const generate::Comparison& comparison) {
  return comparison.state != generate::FileState::same;
}

int show_on_stdout(Runtime& runtime, const std::vector<generate::Artifact>& artifacts) {
  for (const auto& artifact : artifacts) {
    if (artifacts.size() > 1) {
      runtime.print(fmt::format("# ---- {}\n", artifact.path));
    }
    runtime.print(artifact.content);
  }
  return 0;
}

int show_differences(Runtime& runtime, const std::vector<generate::Comparison>& comparisons,
                     const GenerateOptions& options) {
  const auto count = std::ranges::count_if(comparisons, differs);
  for (const auto& comparison : comparisons) {
    if (!differs(comparison)) {
      continue;
    }
    if (options.diff) {
      runtime.print(comparison.diff.empty() ? fmt::format("{}: {}\n", to_string(comparison.state), comparison.path)
                                            : comparison.diff);
    } else {
      runtime.print(fmt::format("{}: {}\n", to_string(comparison.state), comparison.path));
    }
  }
  if (count == 0) {
    runtime.remark(fmt::format("{} files are as the project manifest says", comparisons.size()));
    return 0;
  }
  runtime.remark(fmt::format("{} of {} files differ; 'deployctl generate' writes them", count, comparisons.size()));
  return differences_exit_code;
}

int write_files(Runtime& runtime, const std::vector<generate::Artifact>& artifacts,
                const std::vector<generate::Comparison>& stale, const std::string& root,
                const GenerateOptions& options) {
  const auto written =
      generate::write(artifacts, root, runtime.files(), options.force ? generate::Force::yes : generate::Force::no);
  if (!written) {
    return runtime.fail(written.error());
  }
  for (const auto& path : written->written) {
    runtime.print(fmt::format("wrote {}\n", path));
  }
  for (const auto& comparison : stale) {
    runtime.remark(fmt::format("{} is not generated any more: remove it if nothing else needs it", comparison.path));
  }
  if (written->written.empty()) {
    runtime.remark(fmt::format("unchanged: {} files", written->unchanged.size()));
  }
  return 0;
}

int generate_files(Runtime& runtime, const GenerateOptions& options) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto& target = *loaded.target;
  const auto artifacts = make_artifacts(runtime, loaded, options);
  if (!artifacts) {
    return runtime.fail(artifacts.error());
  }
  if (options.to_stdout) {
    return show_on_stdout(runtime, *artifacts);
  }
  const auto root =
      options.out.empty() ? target.directory : io::join_path(runtime.files().current_directory(), options.out);
  auto stale = options.out.empty()
                   ? generate::stale(target, *artifacts, chosen_families(options.families), root, runtime.files())
                   : std::vector<generate::Comparison>{};
  if (!stale) {
    return runtime.fail(stale.error());
  }
  if (!options.check && !options.diff) {
    if (const auto made = runtime.files().make_directory(root, io::Permissions::plain); !made) {
      return runtime.fail(made.error());
    }
    return write_files(runtime, *artifacts, *stale, root, options);
  }
  auto comparisons = generate::compare(*artifacts, root, runtime.files());
  if (!comparisons) {
    return runtime.fail(comparisons.error());
  }
  std::ranges::move(*stale, std::back_inserter(*comparisons));
  return show_differences(runtime, *comparisons, options);
}

}  // namespace

Action declare_generate(CLI::App& parser) {
  auto options = std::make_shared<GenerateOptions>();
  parser.add_option("family", options->families, "dockerfile, compose, kubernetes, ci or all (default: all)")
      ->check(one_of({"all", "dockerfile", "compose", "kubernetes", "ci"}));
  parser.add_option("--out", options->out, "write below this folder instead of the project's")->type_name("DIR");
  parser.add_option("--tag", options->tag, "tag of the images in Compose and Kubernetes files (default: latest)");
  auto* check = parser.add_flag("--check", options->check, "write nothing; exit 4 and name the files that differ");
  auto* diff =
      parser.add_flag("--diff", options->diff, "write nothing; show what would change; exit 4 if anything would");
  auto* to_stdout = parser.add_flag("--stdout", options->to_stdout, "print the files instead of writing them");
  auto* force = parser.add_flag("--force", options->force, "overwrite files that deployctl did not write");
  to_stdout->excludes(check)->excludes(diff)->excludes(force);
  return [options](Runtime& runtime) { return generate_files(runtime, *options); };
}

}  // namespace deployctl::cli
