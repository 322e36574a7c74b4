// What a plan sets is compared with what there is by making the same plan anew: a field the plan does not set cannot be
// in either, so whatever else happened to an object does not stand in its way.
#include "core/plan/saved.hpp"

#include "core/base/text.hpp"
#include "core/canary/settings_json.hpp"
#include "core/json/reader.hpp"
#include "core/oci/digest.hpp"

#include <algorithm>
#include <set>

namespace deployctl::plan {
namespace {

using json::Value;

constexpr std::size_t most_told = 10;

std::string_view word_for(Change change) {
  switch (change) {
    case Change::create:
      return "create";
    case Change::update:
      return "update";
    case Change::none:
      return "none";
    case Change::remove:
      return "remove";
    case Change::unknown:
      return "unknown";
  }
  return "unknown";
}

Change change_from(std::string_view word) {
  for (const auto change : {Change::create, Change::update, Change::none, Change::remove}) {
    if (word_for(change) == word) {
      return change;
    }
  }
  return Change::unknown;
}

std::string text_of(const std::optional<Value>& value) {
  return value ? json::to_compact_text(*value) : std::string();
}

Value to_json(const SavedField& field) {
  Value value = {{"path", field.path}, {"before", field.before}, {"after", field.after}};
  if (!field.manager.empty()) {
    value["manager"] = field.manager;
  }
  return value;
}

Value to_json(const SavedStep& step) {
  Value value = {{"id", step.id},         {"service", step.service},
                 {"title", step.title},   {"change", word_for(step.change)},
                 {"reason", step.reason}, {"after", step.after}};
  if (!step.object.is_null()) {
    value["uid"] = step.uid;
    value["fields"] = Value::array();
    for (const auto& field : step.fields) {
      value["fields"].push_back(to_json(field));
    }
    value["object"] = step.object;
  }
  return value;
}

// Everything but the digest.
Value content_of(const SavedPlan& plan) {
  Value value = {{"format", saved_plan_format},
                 {"project", plan.project},
                 {"environment", plan.environment},
                 {"namespace", plan.name_space},
                 {"tag", plan.tag},
                 {"commit", plan.commit},
                 {"deployctl", plan.tool_version},
                 {"created", plan.created},
                 {"cluster", {{"uid", plan.cluster.uid}, {"authorities", plan.cluster.authorities}}},
                 {"services", plan.services},
                 {"images", plan.images},
                 {"steps", Value::array()}};
  for (const auto& step : plan.steps) {
    value["steps"].push_back(to_json(step));
  }
  return value;
}

std::vector<std::string> texts(const json::Reader& list) {
  std::vector<std::string> texts;
  for (const auto& text : list.elements()) {
    texts.push_back(text.string_or());
  }
  return texts;
}

SavedField field_from(const json::Reader& value) {
  return {.path = value.at("path").string_or(),
          .before = value.at("before").string_or(),
          .after = value.at("after").string_or(),
          .manager = value.at("manager").string_or()};
}

SavedStep step_from(const json::Reader& value) {
  SavedStep step{.id = value.at("id").string_or(),
                 .service = value.at("service").string_or(),
                 .title = value.at("title").string_or(),
                 .change = change_from(value.at("change").string_or()),
                 .reason = value.at("reason").string_or(),
                 .after = texts(value.at("after")),
                 .object = {},
                 .uid = value.at("uid").string_or(),
                 .fields = {}};
  if (const auto* object = value.at("object").value()) {
    step.object = *object;
  }
  for (const auto& field : value.at("fields").elements()) {
    step.fields.push_back(field_from(field));
  }
  return step;
}

SavedPlan plan_from(const json::Reader& value) {
  SavedPlan plan{.project = value.at("project").string_or(),
                 .environment = value.at("environment").string_or(),
                 .name_space = value.at("namespace").string_or(),
                 .tag = value.at("tag").string_or(),
                 .commit = value.at("commit").string_or(),
                 .tool_version = value.at("deployctl").string_or(),
                 .created = value.at("created").string_or(),
                 .cluster = {.uid = value.at("cluster", "uid").string_or(),
                             .authorities = texts(value.at("cluster", "authorities"))},
                 .services = texts(value.at("services")),
                 .images = {},
                 .steps = {}};
  for (const auto& [service, reference] : value.at("images").members()) {
    plan.images[service] = reference.string_or();
  }
  for (const auto& step : value.at("steps").elements()) {
    plan.steps.push_back(step_from(step));
  }
  return plan;
}

const SavedStep* find_step(const SavedPlan& plan, std::string_view id) {
  const auto found = std::ranges::find(plan.steps, id, &SavedStep::id);
  return found == plan.steps.end() ? nullptr : &*found;
}

// What a run of the plan has done, or somebody else, and no other can do: it is gone, or the namespace is there.
std::set<std::string> done_already(const SavedPlan& before, const SavedPlan& now) {
  std::set<std::string> done;
  for (const auto& step : before.steps) {
    const bool is_namespace = json::Reader(step.object).at("kind").string_or() == "Namespace";
    if (find_step(now, step.id) == nullptr && (step.change == Change::remove || is_namespace)) {
      done.insert(step.id);
    }
  }
  return done;
}

std::vector<std::string> without(std::vector<std::string> ids, const std::set<std::string>& done) {
  std::erase_if(ids, [&](const std::string& id) { return done.contains(id); });
  return ids;
}

base::Error another_intent(const std::string& words) {
  return base::Error::refused("this is no longer the plan that was saved: {}", words)
      .with_hint("the project manifest, its files or the secrets' values have changed since; make a new plan");
}

std::string shown(const std::optional<Value>& value) {
  return value ? base::printable(json::to_compact_text(*value)) : std::string("not there");
}

std::string object_name(const SavedStep& step) {
  return kube::to_string(kube::Object{step.object}.key());
}

std::string shown(const std::string& text) {
  return text.empty() ? "not there" : base::printable(text);
}

const SavedField* find_field(const SavedStep& step, std::string_view path) {
  const auto found = std::ranges::find(step.fields, path, &SavedField::path);
  return found == step.fields.end() ? nullptr : &*found;
}

// Finds what has become different of the objects of one step.
class DriftFinder {
 public:
  DriftFinder(const SavedStep& before, const SavedStep& now, const ExpectedChange* expected, std::vector<Drift>& drifts)
      : before_(before), now_(now), expected_(expected), drifts_(drifts) {}

  void run() {
    // Made since as the plan makes it: by an earlier run of the same plan.
    if (before_.uid.empty() && now_.change == Change::none) {
      return;
    }
    if (before_.uid != now_.uid) {
      add("", before_.uid.empty() ? "was not there, and is now"
              : now_.uid.empty()  ? "was there, and is gone"
                                  : "was made anew since");
      return;
    }
    for (const auto& field : before_.fields) {
      const auto* same = find_field(now_, field.path);
      // A field that is no longer to be changed has the planned value already.
      if (same != nullptr && same->before != field.before) {
        add(field.path, fmt::format("was {}, is {} now", shown(field.before), shown(same->before)));
      }
    }
    for (const auto& field : now_.fields) {
      if (find_field(before_, field.path) == nullptr) {
        add(field.path, fmt::format("was {}, is {} now", shown(field.after), shown(field.before)));
      }
    }
  }

 private:
  void add(const std::string& path, std::string words) {
    Drift drift{.object = object_name(now_), .path = path, .words = std::move(words), .manager = {}, .time = {}};
    if (expected_ != nullptr) {
      for (const auto& field : expected_->fields) {
        if (kube::to_string(field.path) == path && field.manager) {
          drift.manager = field.manager->name;
          drift.time = field.manager->time;
        }
      }
    }
    drifts_.push_back(std::move(drift));
  }

  const SavedStep& before_;
  const SavedStep& now_;
  const ExpectedChange* expected_;
  std::vector<Drift>& drifts_;
};

std::string line_of(const Drift& drift) {
  const auto what = drift.path.empty() ? drift.object : fmt::format("{}: {}", drift.object, drift.path);
  const auto who = drift.manager.empty() ? "" : fmt::format(" (by {} at {})", drift.manager, drift.time);
  return fmt::format("{} {}{}", what, drift.words, who);
}

}  // namespace

namespace {

// The way of a canary is approved with the plan, as if it were an object of the cluster.
Value walk_of(const std::string& service, const project::Canary& settings) {
  return {{"kind", "Canary"}, {"metadata", {{"name", service}}}, {"spec", canary::to_json(settings)}};
}

}  // namespace

SavedPlan saved(const Plan& plan, const Observation& seen, const Wish& wish) {
  SavedPlan saved{.project = plan.project,
                  .environment = plan.environment,
                  .name_space = plan.name_space,
                  .tag = seen.tag,
                  .commit = seen.commit,
                  .tool_version = {},
                  .created = {},
                  .cluster = {},
                  .services = wish.services,
                  .images = seen.images,
                  .steps = {}};
  for (const auto& step : plan.steps) {
    auto& entry = saved.steps.emplace_back(SavedStep{.id = step.id,
                                                     .service = step.service,
                                                     .title = title(step),
                                                     .change = step.change,
                                                     .reason = step.reason,
                                                     .after = step.after,
                                                     .object = {},
                                                     .uid = {},
                                                     .fields = {}});
    if (const auto* run = std::get_if<RunCanary>(&step.action)) {
      entry.object = walk_of(step.service, run->settings);
    }
    const auto* apply = std::get_if<ApplyObject>(&step.action);
    if (apply == nullptr) {
      continue;
    }
    entry.object = apply->object.body;
    if (const auto expected = seen.expected.find(apply->object.key()); expected != seen.expected.end()) {
      entry.uid = expected->second.uid;
      for (const auto& field : expected->second.fields) {
        entry.fields.push_back({.path = kube::to_string(field.path),
                                .before = text_of(field.before),
                                .after = text_of(field.after),
                                .manager = field.manager ? field.manager->name : ""});
      }
    }
  }
  return saved;
}

std::string digest_of(const SavedPlan& plan) {
  return oci::Digest::of(json::to_canonical_text(content_of(plan))).text();
}

std::string to_text(const SavedPlan& plan) {
  auto value = content_of(plan);
  value["digest"] = digest_of(plan);
  return json::to_pretty_text(value);
}

base::Result<SavedPlan> read_saved_plan(std::string_view text, const std::string& path) {
  const auto value = json::parse(text, path, {.bytes = 64u << 20u});
  if (!value) {
    return base::Error::invalid_input("{} is no saved plan: {}", path, value.error().message);
  }
  const json::Reader reader(*value);
  const auto format = reader.at("format").string_or();
  if (format != saved_plan_format) {
    return base::Error::invalid_input("{} is no saved plan of the form {}", path, saved_plan_format)
        .with_hint("'deployctl plan --out FILE' makes one");
  }
  auto plan = plan_from(reader);
  if (reader.at("digest").string_or() != digest_of(plan)) {
    return base::Error::invalid_input("{} is not what its digest says: it was changed after it was made", path)
        .with_hint("make it anew with 'deployctl plan --out {}'", path);
  }
  return plan;
}

base::Status same_intent(const SavedPlan& before, const SavedPlan& now) {
  const auto done = done_already(before, now);
  for (const auto& step : before.steps) {
    const auto* same = find_step(now, step.id);
    if (done.contains(step.id)) {
      continue;
    }
    if (same == nullptr) {
      return another_intent(fmt::format("'{}' is not to be done any more", step.title));
    }
    if (step.object != same->object) {
      const auto changes = kube::field_changes(step.object, same->object);
      const auto where = changes.empty()
                             ? std::string("its order of fields")
                             : fmt::format("{} is {} in the plan and {} now", kube::to_string(changes.front().path),
                                           shown(changes.front().before), shown(changes.front().after));
      return another_intent(fmt::format("{}: {}", object_name(step), where));
    }
    if (without(step.after, done) != same->after) {
      return another_intent(fmt::format("'{}' waits for other steps", step.title));
    }
  }
  for (const auto& step : now.steps) {
    if (find_step(before, step.id) == nullptr) {
      return another_intent(fmt::format("'{}' would be done as well", step.title));
    }
  }
  return {};
}

std::vector<Drift> drift(const SavedPlan& before, const SavedPlan& now, const Observation& seen) {
  std::vector<Drift> drifts;
  for (const auto& step : before.steps) {
    const auto* same = find_step(now, step.id);
    if (same == nullptr || step.object.is_null()) {
      continue;
    }
    const auto expected = seen.expected.find(kube::Object{same->object}.key());
    DriftFinder(step, *same, expected == seen.expected.end() ? nullptr : &expected->second, drifts).run();
  }
  return drifts;
}

base::Error to_error(const std::vector<Drift>& drifts) {
  std::vector<std::string> lines;
  for (const auto& drift : drifts) {
    if (lines.size() == most_told) {
      lines.push_back(fmt::format("and {} more", drifts.size() - most_told));
      break;
    }
    lines.push_back(line_of(drift));
  }
  return base::Error::refused("what the plan touches has changed since it was made, and nothing was done:\n{}",
                              base::join(lines, "\n"))
      .with_hint("look at it ('deployctl diff') and make a new plan");
}

}  // namespace deployctl::plan
