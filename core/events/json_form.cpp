#include "core/events/json_form.hpp"

#include "core/base/overloaded.hpp"
#include "core/io/clock.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace deployctl::events {
namespace {

using json::Value;

std::string_view word(StepFinished::Outcome outcome) {
  switch (outcome) {
    case StepFinished::Outcome::done:
      return "done";
    case StepFinished::Outcome::unchanged:
      return "unchanged";
    case StepFinished::Outcome::failed:
      return "failed";
    case StepFinished::Outcome::skipped:
      return "skipped";
    case StepFinished::Outcome::open:
      return "open";
  }
  return "";
}

std::string_view word(Finding::Weight weight) {
  switch (weight) {
    case Finding::Weight::waiting:
      return "waiting";
    case Finding::Weight::probable:
      return "probable";
    case Finding::Weight::permanent:
      return "permanent";
  }
  return "";
}

std::string_view word(ObjectApplied::Change change) {
  switch (change) {
    case ObjectApplied::Change::created:
      return "created";
    case ObjectApplied::Change::configured:
      return "configured";
    case ObjectApplied::Change::unchanged:
      return "unchanged";
    case ObjectApplied::Change::pruned:
      return "pruned";
  }
  return "";
}

Value error_to_json(const base::Error& error) {
  Value form{{"code", base::to_string(error.code)}, {"message", error.message}};
  form["contexts"] = std::vector<std::string>(error.contexts.rbegin(), error.contexts.rend());
  form["hint"] = error.hint;
  if (error.span && error.span->is_known()) {
    form["file"] = error.span->file->path();
    form["line"] = error.span->begin.line;
    form["column"] = error.span->begin.column;
  }
  return form;
}

// The fields every event of a step begins with.
template <typename Event>
Value of_step(std::string_view type, const Event& event) {
  return {{"type", type}, {"step", event.step}, {"service", event.service}};
}

Value own_fields(const Event& event) {
  return std::visit(
      base::Overloaded{
          [](const RunStarted& run) -> Value {
            return {{"type", "run_started"},
                    {"command", run.command},
                    {"project", run.project},
                    {"environment", run.environment},
                    {"version", run.version}};
          },
          [](const StepStarted& step) {
            auto form = of_step("step_started", step);
            form["title"] = step.title;
            return form;
          },
          [](const StepFinished& step) {
            auto form = of_step("step_finished", step);
            form["outcome"] = word(step.outcome);
            form["result"] = step.result;
            form["elapsed_ms"] = step.elapsed.count();
            return form;
          },
          [](const Output& output) {
            auto form = of_step("output", output);
            form["source"] = output.source;
            form["line"] = output.line;
            return form;
          },
          [](const TransferProgress& transfer) {
            auto form = of_step("transfer_progress", transfer);
            form["what"] = transfer.what;
            form["done"] = transfer.done;
            form["total"] = transfer.total;
            return form;
          },
          [](const RolloutProgress& rollout) {
            auto form = of_step("rollout_progress", rollout);
            form["desired"] = rollout.desired;
            form["updated"] = rollout.updated;
            form["ready"] = rollout.ready;
            form["available"] = rollout.available;
            form["old"] = rollout.old;
            form["phase"] = rollout.phase;
            return form;
          },
          [](const Finding& finding) {
            auto form = of_step("finding", finding);
            form["weight"] = word(finding.weight);
            form["rule"] = finding.rule;
            form["class"] = finding.kind;
            form["object"] = finding.object;
            form["field"] = finding.field;
            form["container"] = finding.container;
            form["reason"] = finding.reason;
            form["message"] = finding.message;
            form["advice"] = finding.advice;
            form["affected"] = finding.affected;
            form["total"] = finding.total;
            form["seen_for_ms"] = finding.seen_for.count();
            form["log"] = finding.log;
            form["previous_log"] = finding.previous_log;
            form["context"] = finding.context;
            return form;
          },
          [](const ObjectApplied& applied) {
            auto form = of_step("object_applied", applied);
            form["object"] = applied.object;
            form["change"] = word(applied.change);
            return form;
          },
          [](const Note& note) -> Value {
            return {{"type", "note"},
                    {"level", note.level == Note::Level::warning ? "warning" : "info"},
                    {"text", note.text}};
          },
          [](const Failure& failure) -> Value {
            return {{"type", "failure"},
                    {"exit_code", base::exit_code(failure.error.code)},
                    {"error", error_to_json(failure.error)}};
          },
          [](const RunFinished& run) -> Value {
            return {{"type", "run_finished"}, {"exit_code", run.exit_code}, {"elapsed_ms", run.elapsed.count()}};
          },
      },
      event);
}

}  // namespace

json::Value to_json(const Event& event, std::chrono::sys_time<std::chrono::milliseconds> time) {
  json::Value form{{"v", schema_version}, {"time", io::to_rfc3339_millis(time)}};
  form.update(own_fields(event));
  return form;
}

}  // namespace deployctl::events
