#include "cli/commands/release_run.hpp"

#include "cli/approval.hpp"
#include "cli/commands/saved_plan.hpp"
#include "cli/options/common.hpp"
#include "cli/options/values.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/base/text.hpp"
#include "core/execute/executor.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/preflight.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

namespace deployctl::cli {
namespace {

// What a saved plan settles is not looked for again.
execute::ObserveOptions observe_options(const ReleaseOptions& options, std::map<std::string, std::string> images,
                                        const std::optional<plan::SavedPlan>& saved) {
  execute::ObserveOptions wanted{
      .tag = options.tag,
      .images = std::move(images),
      .ready_images = options.pull ? execute::ReadyImages::look_up : execute::ReadyImages::keep,
      .take_over = options.take_over,
      .record = options.wish.rollout ? execute::Record::yes : execute::Record::no};
  if (saved) {
    wanted.tag = saved->tag;
    wanted.commit = saved->commit;
    wanted.images = saved->images;
    wanted.with_dry_run = true;
  }
  return wanted;
}

base::Status run(Runtime& runtime, std::string_view command, const project::Target& target,
                 const std::vector<const project::Service*>& services, const ReleaseOptions& options,
                 const std::optional<plan::SavedPlan>& saved) {
  const auto images = parse_images(options.images);
  if (!images) {
    return images.error();
  }
  const auto ports = runtime.ports();
  auto record = record_options(runtime, std::string(command), options.record);
  record.is_partial = !options.wish.services.empty();
  record.is_exact = saved.has_value();
  auto wanted = observe_options(options, *images, saved);
  wanted.older_commits = record.older_commits;
  auto seen = execute::observe(target, options.wish, wanted, ports);
  if (!seen) {
    return seen.error();
  }
  const auto plan = plan::release(target, seen->observation, options.wish);
  if (!plan) {
    return plan.error();
  }
  const auto force = options.take_over ? cluster::Force::yes : cluster::Force::no;
  if (saved) {
    if (const auto same = check_saved_plan(*saved, *plan, *seen); !same) {
      return same;
    }
  }
  if (options.wish.rollout) {
    if (const auto ready =
            execute::preflight(*plan, target, *seen, {.force = force, .services = options.wish.services}, ports);
        !ready) {
      return ready.error();
    }
    const bool is_approved = options.yes || !options.approved.empty();
    if (const auto approved = approve(runtime, target, is_approved, command); !approved) {
      return approved.error();
    }
  }
  const auto execution = execute::execute(*plan, target, *seen,
                                          {.rollout_deadline = deadline_for(services, options.timeout),
                                           .tool_version = std::string(version()),
                                           .record = record,
                                           .force = force},
                                          ports);
  if (execution.status && !runtime.wants_json()) {
    for (const auto& image : execution.images) {
      runtime.print(image.reference + "\n");
    }
  }
  return execution.status;
}

base::Status use_builder(project::Target& target, project::Builder builder) {
  for (auto& service : target.services) {
    if (!service.is_built()) {
      continue;
    }
    if (builder == project::Builder::docker && !service.build->artifacts.empty()) {
      return base::Error::invalid_input("'{}' is made of artifacts, which only the native builder takes", *service.name)
          .at(service.build->artifacts.front().source.span);
    }
    if (builder == project::Builder::docker && service.build->platforms.size() > 1) {
      return base::Error::invalid_input("'{}' is for several platforms at once, which only the native builder makes",
                                        *service.name)
          .with_hint("build without '--builder docker', or name one platform in the project manifest");
    }
    service.build->builder = builder;
  }
  return {};
}

}  // namespace

void add_images(CLI::App& parser, std::vector<std::string>& images) {
  parser.add_option("--image", images, "image of a service instead of its own; may be given several times")
      ->type_name("SERVICE=REFERENCE")
      ->take_all();
}

base::Result<std::map<std::string, std::string>> parse_images(const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> images;
  for (const auto& pair : pairs) {
    const auto [service, reference] = base::split_once(pair, '=');
    if (service.empty() || reference.empty()) {
      return base::Error::usage("'{}' is not SERVICE=REFERENCE", base::printable(pair))
          .with_hint("for example --image api=registry.example.com/team/api:v1.4.0");
    }
    images[std::string(service)] = reference;
  }
  return images;
}

void add_builder(CLI::App& parser, std::optional<project::Builder>& builder) {
  const Choices<project::Builder> choices{{"docker", project::Builder::docker}, {"native", project::Builder::native}};
  add_choice(parser, "--builder", builder, choices, "what makes the images (default: as the project manifest says)");
}

void add_documents(CLI::App& parser, plan::Wish& wish) {
  parser.add_flag("--sbom", wish.sbom, "attach a list of what is in the image (SPDX) to what is pushed");
  parser.add_flag("--provenance", wish.provenance, "attach a statement of what the image was built from");
}

void add_record(CLI::App& parser, RecordFlags& record) {
  add_on_failure(parser, record.on_failure);
  add_on_interrupt(parser, record.on_interrupt);
  add_allow_older(parser, record.allow_older);
  add_lock_timeout(parser, record.lock_timeout);
}

execute::RecordOptions record_options(const Runtime& runtime, std::string action, const RecordFlags& flags) {
  const auto by_default = runtime.runs_in_ci() ? execute::OnFailure::undo : execute::OnFailure::stop;
  return {.action = std::move(action),
          .on_failure = flags.on_failure.value_or(by_default),
          .on_interrupt = flags.on_interrupt,
          .older_commits = flags.allow_older ? execute::OlderCommits::allowed : execute::OlderCommits::refused,
          .lock_timeout = flags.lock_timeout};
}

int run_release(Runtime& runtime, std::string_view command, const ReleaseOptions& given) {
  auto options = given;
  auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  std::optional<plan::SavedPlan> saved;
  if (!options.plan_file.empty() && !options.wish.services.empty()) {
    return runtime.fail(base::Error::usage("a saved plan says itself which services it is about")
                            .with_hint("leave out {}, or plan anew for it", base::join(options.wish.services, ", ")));
  }
  if (!options.plan_file.empty()) {
    auto read = read_plan_file(runtime, options.plan_file, *loaded.target, options.approved);
    if (!read) {
      return runtime.fail(read.error());
    }
    options.wish.services = read->services;
    saved = std::move(*read);
  }
  if (options.builder) {
    if (const auto used = use_builder(*loaded.target, *options.builder); !used) {
      return runtime.fail(used.error());
    }
  }
  const auto services = plan::chosen_services(*loaded.target, options.wish);
  if (!services) {
    return runtime.fail(services.error());
  }
  runtime.begin_run(command, *loaded.target);
  return runtime.end_run(run(runtime, command, *loaded.target, *services, options, saved));
}

}  // namespace deployctl::cli
