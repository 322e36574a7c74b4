#include "core/canary/progress.hpp"
#include "core/json/reader.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace deployctl::canary {
namespace {

using base::Error;
using base::Result;
using json::Reader;
using json::Value;

constexpr std::array stages{Stage::stepping, Stage::holding,  Stage::promoting,
                            Stage::aborting, Stage::promoted, Stage::aborted};

Value to_json(const Counts& counts) {
  return {{"requests", counts.requests}, {"errors", counts.errors}};
}

double number(const Reader& reader) {
  const auto* value = reader.value();
  return value != nullptr && value->is_number() ? value->get<double>() : 0;
}

Counts counts_from(const Reader& reader) {
  return {.requests = number(reader.at("requests")), .errors = number(reader.at("errors"))};
}

void add_time(Value& out, std::string_view key, const std::optional<io::WallTime>& time) {
  if (time) {
    out[std::string(key)] = io::to_rfc3339_millis(*time);
  }
}

std::optional<io::WallTime> time_at(const Reader& reader) {
  return io::parse_rfc3339(reader.string_or());
}

Value to_json(const Evidence& evidence) {
  return {{"against_stable", evidence.against_stable},
          {"against_tolerated", evidence.against_tolerated},
          {"most_against_stable", evidence.most_against_stable},
          {"most_against_tolerated", evidence.most_against_tolerated},
          {"canary", to_json(evidence.canary)},
          {"stable", to_json(evidence.stable)}};
}

Evidence evidence_from(const Reader& reader) {
  return {.against_stable = number(reader.at("against_stable")),
          .against_tolerated = number(reader.at("against_tolerated")),
          .most_against_stable = number(reader.at("most_against_stable")),
          .most_against_tolerated = number(reader.at("most_against_tolerated")),
          .canary = counts_from(reader.at("canary")),
          .stable = counts_from(reader.at("stable"))};
}

Value to_json(const GateProgress& gate) {
  Value out{{"failures", gate.failures}, {"successes", gate.successes}};
  add_time(out, "measured", gate.measured);
  add_time(out, "silent_since", gate.silent_since);
  if (!gate.last.empty()) {
    out["last"] = gate.last;
  }
  if (gate.evidence != Evidence{}) {
    out["evidence"] = to_json(gate.evidence);
  }
  if (gate.counters) {
    out["counters"] = {{"canary", to_json(gate.counters->canary)}, {"stable", to_json(gate.counters->stable)}};
  }
  return out;
}

GateProgress gate_from(const Reader& reader) {
  GateProgress gate{.failures = static_cast<int>(reader.at("failures").integer_or()),
                    .successes = static_cast<int>(reader.at("successes").integer_or()),
                    .measured = time_at(reader.at("measured")),
                    .silent_since = time_at(reader.at("silent_since")),
                    .last = reader.at("last").string_or(),
                    .evidence = evidence_from(reader.at("evidence")),
                    .counters = std::nullopt};
  if (const auto counters = reader.at("counters"); counters.exists()) {
    gate.counters = Measurement::Counters{.canary = counts_from(counters.at("canary")),
                                          .stable = counts_from(counters.at("stable"))};
  }
  return gate;
}

Result<Stage> stage_from(const Reader& reader) {
  const auto word = reader.string_or();
  for (const auto stage : stages) {
    if (to_string(stage) == word) {
      return stage;
    }
  }
  return Error::failed("'{}' is no stage of a canary that this version knows", word);
}

}  // namespace

Value to_json(const Progress& progress) {
  Value out{{"stage", to_string(progress.stage)}, {"step", progress.step}};
  if (progress.is_weight_set) {
    out["since"] = io::to_rfc3339_millis(progress.since);
  }
  if (progress.is_excused) {
    out["excused"] = true;
  }
  if (!progress.reason.empty()) {
    out["reason"] = progress.reason;
  }
  auto gates = Value::array();
  for (const auto& gate : progress.gates) {
    gates.push_back(to_json(gate));
  }
  out["gates"] = std::move(gates);
  return out;
}

Result<Progress> progress_from_json(const Value& value) {
  const Reader reader(value, "progress");
  const auto stage = stage_from(reader.at("stage"));
  if (!stage) {
    return stage.error();
  }
  const auto since = time_at(reader.at("since"));
  Progress progress{.stage = *stage,
                    .step = static_cast<std::size_t>(std::max<long long>(0, reader.at("step").integer_or())),
                    .is_weight_set = since.has_value(),
                    .is_excused = reader.at("excused").boolean_or(),
                    .since = since.value_or(io::WallTime{}),
                    .gates = {},
                    .reason = reader.at("reason").string_or()};
  for (const auto& gate : reader.at("gates").elements()) {
    progress.gates.push_back(gate_from(gate));
  }
  return progress;
}

}  // namespace deployctl::canary
