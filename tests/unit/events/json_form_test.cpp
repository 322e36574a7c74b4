// The example lines of docs/events.md are the expectation: the page and the program cannot differ.
#include "core/events/json_form.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>

namespace deployctl::events {
namespace {

// The example of every type in docs/events.md, by type.
std::map<std::string, std::string> documented_examples() {
  std::ifstream page(DEPLOYCTL_SOURCE_DIR "/docs/events.md");
  std::map<std::string, std::string> examples;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("{\"v\":1,")) {
      examples[json::Value::parse(line)["type"]] = line;
    }
  }
  return examples;
}

using namespace std::chrono_literals;

TEST(JsonForm, of_every_event_is_the_documented_one) {
  const auto error = base::Error::unreachable("connection refused")
                         .within("asking registry.example.com")
                         .within("pushing miniapp/api")
                         .with_hint("is the registry running?");
  const std::vector<Event> events{
      RunStarted{"release", "miniapp", "prod", "0.1.0"},
      StepStarted{"build:api", "api", "building api"},
      StepFinished{
          "push:api", "api", StepFinished::Outcome::done,
          "registry.example.com/team/api:1a2b3c@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ac"
          "e3c6ef",
          1240ms},
      Output{"build:api", "api", "docker", "#7 [build 3/5] RUN go build ./cmd/api"},
      TransferProgress{"push:api", "api", "layer sha256:1234… (2 of 5)", 1048576, 7340032},
      RolloutProgress{"rollout:api", "api", 3, 2, 3, 3, 1, "waiting for 1 of 3 replicas to be updated"},
      Finding{.step = "rollout:api",
              .service = "api",
              .weight = Finding::Weight::permanent,
              .rule = "container-crashes",
              .kind = "crash",
              .object = "pod/api-7d9f-x2x",
              .field = "status.containerStatuses[api].lastState.terminated",
              .container = "api",
              .reason = "CrashLoopBackOff",
              .message = "the container ended with exit code 1",
              .advice = "read what it printed before it ended",
              .affected = 2,
              .total = 3,
              .seen_for = 14020ms,
              .log = {"panic: DB_PASSWORD is not set"},
              .previous_log = {},
              .context = {"node-1 has DiskPressure: disk is full"}},
      ObjectApplied{"rollout:api", "api", "deployment/api", ObjectApplied::Change::configured},
      Note{Note::Level::warning, "the server warns: policy/v1beta1 PodDisruptionBudget is deprecated"},
      Failure{error},
      RunFinished{9, 14878ms},
  };
  const auto examples = documented_examples();
  EXPECT_EQ(examples.size(), std::variant_size_v<Event>);
  ASSERT_EQ(events.size(), std::variant_size_v<Event>);
  for (const auto& event : events) {
    auto form = to_json(event, {});
    ASSERT_TRUE(examples.contains(form["type"])) << form["type"];
    const auto& example = examples.at(form["type"]);
    form["time"] = json::Value::parse(example)["time"];
    EXPECT_EQ(json::to_compact_text(form), example);
  }
}

TEST(JsonForm, has_the_time_in_utc_with_milliseconds) {
  const auto form = to_json(Note{}, std::chrono::sys_time<std::chrono::milliseconds>(1'795'250'000'007ms));
  EXPECT_EQ(form["time"], "2026-11-21T08:33:20.007Z");
}

TEST(JsonForm, of_a_failure_names_the_line_behind_it) {
  const auto file = std::make_shared<base::SourceFile>("deployctl.yaml", "a: 1\n");
  const auto form = to_json(Failure{base::Error::invalid_input("bad").at({file, {1, 4}, 1})}, {});
  EXPECT_EQ(form["exit_code"], 3);
  EXPECT_EQ(
      json::to_compact_text(form["error"]),
      R"({"code":"invalid_input","message":"bad","contexts":[],"hint":"","file":"deployctl.yaml","line":1,"column":4})");
}

TEST(JsonForm, has_a_word_for_every_choice) {
  struct Row {
    Event event;
    std::string_view field, word;
  };
  const Row rows[] = {
      {StepFinished{.outcome = StepFinished::Outcome::unchanged}, "outcome", "unchanged"},
      {StepFinished{.outcome = StepFinished::Outcome::failed}, "outcome", "failed"},
      {StepFinished{.outcome = StepFinished::Outcome::skipped}, "outcome", "skipped"},
      {Finding{.weight = Finding::Weight::waiting}, "weight", "waiting"},
      {Finding{.weight = Finding::Weight::probable}, "weight", "probable"},
      {ObjectApplied{.change = ObjectApplied::Change::created}, "change", "created"},
      {ObjectApplied{.change = ObjectApplied::Change::unchanged}, "change", "unchanged"},
      {Note{.level = Note::Level::info}, "level", "info"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(to_json(row.event, {})[std::string(row.field)], row.word);
  }
}

}  // namespace
}  // namespace deployctl::events
