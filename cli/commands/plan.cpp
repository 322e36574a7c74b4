#include "cli/commands/commands.hpp"
#include "cli/commands/release_run.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/base/text.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/observe.hpp"
#include "core/json/value.hpp"
#include "core/plan/release.hpp"
#include "core/plan/saved.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace deployctl::cli {
namespace {

constexpr std::size_t longest_value = 200;  // of a field, in text

struct PlanOptions {
  std::vector<std::string> services;
  std::string tag;
  std::vector<std::string> images;  // "SERVICE=REFERENCE"
  std::string out;
  bool pull = false;
};

std::string_view word_for(plan::Change change) {
  switch (change) {
    case plan::Change::create:
      return "create";
    case plan::Change::update:
      return "update";
    case plan::Change::none:
      return "unchanged";
    case plan::Change::remove:
      return "delete";
    case plan::Change::unknown:
      return "";
  }
  return "";
}

const plan::ExpectedChange* expected_of(const plan::Step& step, const plan::Observation& seen) {
  const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
  if (apply == nullptr) {
    return nullptr;
  }
  const auto expected = seen.expected.find(apply->object.key());
  return expected == seen.expected.end() ? nullptr : &expected->second;
}

std::string step_line(const plan::Step& step) {
  auto line = fmt::format("{:<10}{}", word_for(step.change), plan::title(step));
  if (!step.reason.empty()) {
    line += fmt::format("  ({})", step.reason);
  }
  return line + "\n";
}

std::string shown(const json::Value& value) {
  auto text = base::printable(json::to_compact_text(value));
  if (text.size() > longest_value) {
    text = text.substr(0, base::utf8_boundary(text, longest_value)) + "…";
  }
  return text;
}

std::string field_lines(const plan::ExpectedChange& expected) {
  std::string lines;
  for (const auto& field : expected.fields) {
    const auto path = kube::to_string(field.path);
    if (field.before) {
      lines +=
          fmt::format("            - {}: {}{}\n", path, shown(*field.before),
                      field.manager ? fmt::format("  (by {} at {})", field.manager->name, field.manager->time) : "");
    }
    if (field.after) {
      lines += fmt::format("            + {}: {}\n", path, shown(*field.after));
    }
  }
  return lines;
}

std::string plan_text(const plan::Plan& plan, const plan::Observation& seen) {
  auto text = fmt::format("{} in namespace {}{}\n", plan.project, plan.name_space,
                          plan.environment.empty() ? "" : fmt::format(" ({})", plan.environment));
  std::array<int, 5> counts{};
  for (const auto& step : plan.steps) {
    text += "  " + step_line(step);
    counts[static_cast<std::size_t>(step.change)] += 1;
    if (const auto* expected = expected_of(step, seen)) {
      text += field_lines(*expected);
    }
  }
  const auto count = [&](plan::Change change) { return counts[static_cast<std::size_t>(change)]; };
  const auto removals = count(plan::Change::remove);
  return text + fmt::format("{} to create, {} to update, {} unchanged{}\n", count(plan::Change::create),
                            count(plan::Change::update), count(plan::Change::none),
                            removals == 0 ? "" : fmt::format(", {} to delete", removals));
}

json::Value to_json(const plan::ExpectedField& field) {
  json::Value value = {{"path", kube::to_string(field.path)},
                       {"before", field.before ? json::to_compact_text(*field.before) : ""},
                       {"after", field.after ? json::to_compact_text(*field.after) : ""}};
  if (field.manager) {
    value["manager"] = field.manager->name;
    value["time"] = field.manager->time;
  }
  return value;
}

std::string plan_json(const plan::Plan& plan, const plan::Observation& seen) {
  auto steps = json::Value::array();
  for (const auto& step : plan.steps) {
    auto entry = json::Value{{"id", step.id},
                             {"service", step.service},
                             {"title", plan::title(step)},
                             {"change", word_for(step.change)},
                             {"reason", step.reason},
                             {"after", step.after}};
    if (const auto* expected = expected_of(step, seen)) {
      entry["replaces_pods"] = plan::replaces_pods(std::get<plan::ApplyObject>(step.action).object.key(), *expected);
      entry["fields"] = json::Value::array();
      for (const auto& field : expected->fields) {
        entry["fields"].push_back(to_json(field));
      }
    }
    steps.push_back(std::move(entry));
  }
  return json::to_pretty_text(
      {{"project", plan.project}, {"environment", plan.environment}, {"namespace", plan.name_space}, {"steps", steps}});
}

// What a rollout would meet of a release that waits or is under way; empty for none.
std::string open_release_in_words(const plan::Observation& seen, const std::vector<std::string>& services) {
  const auto* open = execute::release_under_way(seen.releases);
  if (open == nullptr) {
    return {};
  }
  const execute::CanaryRecord record(open->progress, {});
  auto others = record.open_services();
  std::erase_if(others, [&](const std::string& each) { return std::ranges::find(services, each) != services.end(); });
  const auto where = fmt::format("release {} is open ({})", open->number, record.open_in_words());
  return services.empty() || others.empty()
             ? where + ": a rollout of the same goes on with it, one of anything else takes it back first"
             : fmt::format("{}: a rollout that is not about {} is refused", where, base::join(others, ", "));
}

bool needs_take_over(const plan::Observation& seen) {
  return std::ranges::any_of(seen.expected, [](const auto& each) { return plan::needs_take_over(each.second); });
}

base::Result<std::string> save(Runtime& runtime, const plan::Plan& plan, const execute::Seen& seen,
                               const PlanOptions& options) {
  auto saved = plan::saved(plan, seen.observation, {.services = options.services, .rollout = true});
  saved.tool_version = version();
  saved.created = io::to_rfc3339(runtime.ports().clock.now());
  saved.cluster = seen.cluster;
  const auto written = runtime.files().write(options.out, plan::to_text(saved), io::Permissions::plain);
  return written ? base::Result(plan::digest_of(saved)) : written.error().within("writing the plan");
}

int show_plan(Runtime& runtime, const PlanOptions& options) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto images = parse_images(options.images);
  if (!images) {
    return runtime.fail(images.error());
  }
  // A plan shows a whole release; building and pushing are not tried, so the engine need not be there. One that is
  // saved is of the rollout alone: it names every image by its digest. So is one of images that are somewhere already.
  const bool is_saved = !options.out.empty();
  const bool is_whole = !is_saved && images->empty();
  const plan::Wish looked_at{.services = options.services, .rollout = true};
  const plan::Wish wish{.services = options.services, .build = is_whole, .push = is_whole, .rollout = true};
  const auto ready_images = options.pull ? execute::ReadyImages::look_up : execute::ReadyImages::keep;
  const auto seen = execute::observe(
      *loaded.target, looked_at,
      {.tag = options.tag,
       .images = *images,
       .ready_images = ready_images,
       .older_commits = execute::OlderCommits::told,
       .with_dry_run = true,
       .missing_images = is_whole ? execute::MissingImages::expected : execute::MissingImages::refused},
      runtime.ports());
  if (!seen) {
    return runtime.fail(seen.error());
  }
  const auto plan = plan::release(*loaded.target, seen->observation, wish);
  if (!plan) {
    return runtime.fail(plan.error());
  }
  runtime.print(runtime.wants_json() ? plan_json(*plan, seen->observation) : plan_text(*plan, seen->observation));
  if (const auto open = open_release_in_words(seen->observation, options.services); !open.empty()) {
    runtime.remark(open);
  }
  if (is_saved) {
    const auto digest = save(runtime, *plan, *seen, options);
    if (!digest) {
      return runtime.fail(digest.error());
    }
    if (runtime.wants_json()) {
      return 0;  // the digest is in the file
    }
    runtime.remark(fmt::format("{} is the plan {}; 'deployctl rollout --plan {}{}{} --approve {}' carries it out",
                               options.out, *digest, options.out,
                               plan->environment.empty() ? "" : fmt::format(" -e {}", plan->environment),
                               needs_take_over(seen->observation) ? " --take-over" : "", *digest));
  }
  return 0;
}

}  // namespace

Action declare_plan(CLI::App& parser) {
  auto options = std::make_shared<PlanOptions>();
  add_services(parser, options->services);
  parser.add_option("--tag", options->tag, "tag of the images (default: the commit, as git describe says it)");
  add_images(parser, options->images);
  add_pull(parser, options->pull);
  parser
      .add_option("--out", options->out,
                  "save the plan of the rollout, for 'rollout --plan'; its images must be pushed")
      ->type_name("FILE");
  return [options](Runtime& runtime) { return show_plan(runtime, *options); };
}

}  // namespace deployctl::cli
