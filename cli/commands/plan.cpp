#include "cli/commands/commands.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "core/execute/observe.hpp"
#include "core/json/value.hpp"
#include "core/plan/release.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace deployctl::cli {
namespace {

struct PlanOptions {
  std::vector<std::string> services;
  std::string tag;
  bool pull = false;
  bool diff = false;
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

const std::vector<json::Difference>* fields_of(const plan::Step& step, const plan::Observation& seen) {
  const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
  if (apply == nullptr) {
    return nullptr;
  }
  const auto expected = seen.expected.find(apply->object.key());
  return expected == seen.expected.end() ? nullptr : &expected->second.fields;
}

std::string step_line(const plan::Step& step) {
  auto line = fmt::format("{:<10}{}", word_for(step.change), plan::title(step));
  if (!step.reason.empty()) {
    line += fmt::format("  ({})", step.reason);
  }
  return line + "\n";
}

std::string field_lines(const std::vector<json::Difference>& fields) {
  std::string lines;
  for (const auto& field : fields) {
    if (!field.before.empty()) {
      lines += fmt::format("          - {}: {}\n", field.path, field.before);
    }
    if (!field.after.empty()) {
      lines += fmt::format("          + {}: {}\n", field.path, field.after);
    }
  }
  return lines;
}

std::string plan_text(const plan::Plan& plan, const plan::Observation& seen, bool with_fields) {
  auto text = fmt::format("{} in namespace {}{}\n", plan.project, plan.name_space,
                          plan.environment.empty() ? "" : fmt::format(" ({})", plan.environment));
  std::array<int, 5> counts{};
  for (const auto& step : plan.steps) {
    text += "  " + step_line(step);
    counts[static_cast<std::size_t>(step.change)] += 1;
    if (const auto* fields = fields_of(step, seen); fields != nullptr && with_fields) {
      text += field_lines(*fields);
    }
  }
  const auto count = [&](plan::Change change) { return counts[static_cast<std::size_t>(change)]; };
  const auto removals = count(plan::Change::remove);
  return text + fmt::format("{} to create, {} to update, {} unchanged{}\n", count(plan::Change::create),
                            count(plan::Change::update), count(plan::Change::none),
                            removals == 0 ? "" : fmt::format(", {} to delete", removals));
}

std::string plan_json(const plan::Plan& plan, const plan::Observation& seen) {
  auto steps = json::Value::array();
  for (const auto& step : plan.steps) {
    auto entry = json::Value{{"id", step.id},
                             {"service", step.service},
                             {"title", plan::title(step)},
                             {"change", word_for(step.change)},
                             {"after", step.after}};
    if (const auto* fields = fields_of(step, seen)) {
      entry["fields"] = json::Value::array();
      for (const auto& field : *fields) {
        entry["fields"].push_back({{"path", field.path}, {"before", field.before}, {"after", field.after}});
      }
    }
    steps.push_back(std::move(entry));
  }
  return json::to_pretty_text(
      {{"project", plan.project}, {"environment", plan.environment}, {"namespace", plan.name_space}, {"steps", steps}});
}

int show_plan(Runtime& runtime, const PlanOptions& options) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  // A plan shows a whole release; building and pushing are not tried, so the engine need not be there.
  const plan::Wish looked_at{.services = options.services, .rollout = true};
  const plan::Wish wish{.services = options.services, .build = true, .push = true, .rollout = true};
  const auto ready_images = options.pull ? execute::ReadyImages::look_up : execute::ReadyImages::keep;
  const auto seen =
      execute::observe(*loaded.target, looked_at,
                       {.tag = options.tag, .ready_images = ready_images, .with_dry_run = true}, runtime.ports());
  if (!seen) {
    return runtime.fail(seen.error());
  }
  const auto plan = plan::release(*loaded.target, seen->observation, wish);
  if (!plan) {
    return runtime.fail(plan.error());
  }
  runtime.print(runtime.wants_json() ? plan_json(*plan, seen->observation)
                                     : plan_text(*plan, seen->observation, options.diff));
  return 0;
}

}  // namespace

Action declare_plan(CLI::App& parser) {
  auto options = std::make_shared<PlanOptions>();
  add_services(parser, options->services);
  parser.add_option("--tag", options->tag, "tag of the images (default: the commit, as git describe says it)");
  add_pull(parser, options->pull);
  parser.add_flag("--diff", options->diff, "show every field that would change");
  return [options](Runtime& runtime) { return show_plan(runtime, *options); };
}

}  // namespace deployctl::cli
