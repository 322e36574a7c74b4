#include "core/canary/settings_json.hpp"

#include "core/base/overloaded.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace deployctl::canary {
namespace {

using base::Error;
using base::Result;
using json::Reader;
using json::Value;

constexpr std::array<std::pair<std::string_view, project::Router>, 4> routers{{{"replicas", project::Router::replicas},
                                                                               {"nginx", project::Router::nginx},
                                                                               {"gateway", project::Router::gateway},
                                                                               {"istio", project::Router::istio}}};

constexpr std::array<std::pair<std::string_view, project::OnInconclusive>, 3> policies{
    {{"abort", project::OnInconclusive::abort},
     {"pause", project::OnInconclusive::pause},
     {"promote", project::OnInconclusive::promote}}};

template <typename Words, typename T>
std::string word_for(const Words& words, T value) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value) {
      return std::string(word);
    }
  }
  return {};
}

template <typename Words>
auto meaning_of(const Words& words, const Reader& reader) -> Result<decltype(words[0].second)> {
  const auto written = reader.string_or();
  for (const auto& [word, meaning] : words) {
    if (word == written) {
      return meaning;
    }
  }
  return Error::failed("{} is '{}', which this version does not know", reader.path(), written);
}

Value milliseconds(base::Milliseconds duration) {
  return duration.count();
}

base::Milliseconds duration_at(const Reader& reader) {
  return base::Milliseconds(reader.integer_or());
}

double number_at(const Reader& reader, double fallback) {
  const auto* value = reader.value();
  return value != nullptr && value->is_number() ? value->get<double>() : fallback;
}

std::optional<double> optional_number_at(const Reader& reader) {
  return reader.exists() ? std::optional(number_at(reader, 0)) : std::nullopt;
}

int int_at(const Reader& reader, int fallback) {
  return static_cast<int>(reader.integer_or(fallback));
}

void add_token(Value& out, const std::optional<project::SecretSource>& token) {
  if (token) {
    const bool is_file = token->from == project::SecretSource::From::file;
    out["token"] = {{is_file ? "file" : "env", token->name}};
  }
}

std::optional<project::SecretSource> token_at(const Reader& reader) {
  using From = project::SecretSource::From;
  if (const auto file = reader.at("file").string()) {
    return project::SecretSource{From::file, *file};
  }
  if (const auto variable = reader.at("env").string()) {
    return project::SecretSource{From::environment, *variable};
  }
  return std::nullopt;
}

Value check_to_json(const project::HttpGate& gate) {
  Value out{{"status", gate.status}, {"probes", gate.probes}, {"passes", gate.passes}};
  if (!gate.path.empty()) {
    out["path"] = gate.path;
  }
  if (!gate.url.empty()) {
    out["url"] = gate.url;
  }
  if (gate.within) {
    out["within"] = milliseconds(*gate.within);
  }
  for (const auto& [pointer, text] : gate.json) {
    out["json"][pointer] = text;
  }
  return {{"http", std::move(out)}};
}

Value check_to_json(const project::PrometheusGate& gate) {
  Value out{{"server", gate.server},
            {"query", gate.query},
            {"results", gate.results},
            {"max_age", milliseconds(gate.max_age)}};
  if (gate.at_least) {
    out["at_least"] = *gate.at_least;
  }
  if (gate.at_most) {
    out["at_most"] = *gate.at_most;
  }
  if (!gate.requests.empty()) {
    out["requests"] = gate.requests;
    out["min_requests"] = gate.min_requests;
  }
  add_token(out, gate.token);
  return {{"prometheus", std::move(out)}};
}

Value check_to_json(const project::ErrorsGate& gate) {
  Value out{{"server", gate.server},
            {"requests", gate.requests},
            {"errors", gate.errors},
            {"min_requests", gate.min_requests},
            {"ratio", gate.ratio},
            {"tolerated", gate.tolerated},
            {"max_age", milliseconds(gate.max_age)}};
  add_token(out, gate.token);
  return {{"errors", std::move(out)}};
}

project::HttpGate http_from_json(const Reader& reader) {
  project::HttpGate gate{.path = reader.at("path").string_or(),
                         .url = reader.at("url").string_or(),
                         .status = int_at(reader.at("status"), 200),
                         .json = {},
                         .within = std::nullopt,
                         .probes = int_at(reader.at("probes"), 5),
                         .passes = int_at(reader.at("passes"), 5)};
  for (const auto& [pointer, text] : reader.at("json").members()) {
    gate.json.emplace_back(pointer, text.string_or());
  }
  if (reader.at("within").exists()) {
    gate.within = duration_at(reader.at("within"));
  }
  return gate;
}

project::PrometheusGate prometheus_from_json(const Reader& reader) {
  return {.server = reader.at("server").string_or(),
          .query = reader.at("query").string_or(),
          .at_least = optional_number_at(reader.at("at_least")),
          .at_most = optional_number_at(reader.at("at_most")),
          .results = int_at(reader.at("results"), 1),
          .requests = reader.at("requests").string_or(),
          .min_requests = int_at(reader.at("min_requests"), 0),
          .max_age = duration_at(reader.at("max_age")),
          .token = token_at(reader.at("token"))};
}

project::ErrorsGate errors_from_json(const Reader& reader) {
  const project::ErrorsGate usual;
  return {.server = reader.at("server").string_or(),
          .requests = reader.at("requests").string_or(),
          .errors = reader.at("errors").string_or(),
          .min_requests = int_at(reader.at("min_requests"), usual.min_requests),
          .ratio = number_at(reader.at("ratio"), usual.ratio),
          .tolerated = number_at(reader.at("tolerated"), usual.tolerated),
          .max_age = duration_at(reader.at("max_age")),
          .token = token_at(reader.at("token"))};
}

Value gate_to_json(const project::Gate& gate) {
  auto out = std::visit([](const auto& check) { return check_to_json(check); }, gate.check);
  out["initial_delay"] = milliseconds(gate.initial_delay);
  out["interval"] = milliseconds(gate.interval);
  out["failure_limit"] = gate.failure_limit;
  out["success_limit"] = gate.success_limit;
  return out;
}

Result<project::Gate> gate_from_json(const Reader& reader) {
  project::Gate gate;
  if (reader.at("http").exists()) {
    gate.check = http_from_json(reader.at("http"));
  } else if (reader.at("prometheus").exists()) {
    gate.check = prometheus_from_json(reader.at("prometheus"));
  } else if (reader.at("errors").exists()) {
    gate.check = errors_from_json(reader.at("errors"));
  } else {
    return Error::failed("{} is a gate of a kind this version does not know", reader.path());
  }
  gate.initial_delay = duration_at(reader.at("initial_delay"));
  gate.interval = duration_at(reader.at("interval"));
  gate.failure_limit = int_at(reader.at("failure_limit"), 0);
  gate.success_limit = int_at(reader.at("success_limit"), 1);
  return gate;
}

Value step_to_json(const project::CanaryStep& step) {
  Value out{{"weight", step.weight}, {"pause", milliseconds(step.pause)}};
  if (step.waits_for_promote) {
    out["manual"] = true;
  }
  return out;
}

project::CanaryStep step_from_json(const Reader& reader) {
  return {.weight = int_at(reader.at("weight"), 0),
          .pause = duration_at(reader.at("pause")),
          .waits_for_promote = reader.at("manual").boolean_or()};
}

}  // namespace

Value to_json(const project::Canary& canary) {
  Value out{{"router", word_for(routers, canary.router)}, {"steps", Value::array()}, {"gates", Value::array()}};
  for (const auto& step : canary.steps) {
    out["steps"].push_back(step_to_json(step));
  }
  if (canary.header) {
    out["header"] = {{"name", canary.header->name}, {"value", canary.header->value}};
  }
  if (!canary.cookie.empty()) {
    out["cookie"] = canary.cookie;
  }
  for (const auto& gate : canary.gates.gates) {
    out["gates"].push_back(gate_to_json(gate));
  }
  out["on_inconclusive"] = word_for(policies, canary.gates.on_inconclusive);
  out["max_wait"] = milliseconds(canary.gates.max_wait);
  return out;
}

Result<project::Canary> canary_from_json(const Value& value) {
  const Reader reader(value, "strategy");
  project::Canary canary;
  const auto router = meaning_of(routers, reader.at("router"));
  const auto policy = meaning_of(policies, reader.at("on_inconclusive"));
  if (!router || !policy) {
    return !router ? router.error() : policy.error();
  }
  canary.router = *router;
  for (const auto& step : reader.at("steps").elements()) {
    canary.steps.push_back(step_from_json(step));
  }
  if (canary.steps.empty()) {
    return Error::failed("strategy.steps is empty");
  }
  if (reader.at("header").exists()) {
    canary.header = project::RequestHeader{.name = reader.at("header", "name").string_or(),
                                           .value = reader.at("header", "value").string_or()};
  }
  canary.cookie = reader.at("cookie").string_or();
  for (const auto& each : reader.at("gates").elements()) {
    auto gate = gate_from_json(each);
    if (!gate) {
      return gate.error();
    }
    canary.gates.gates.push_back(std::move(*gate));
  }
  canary.gates.on_inconclusive = *policy;
  canary.gates.max_wait = duration_at(reader.at("max_wait"));
  return canary;
}

}  // namespace deployctl::canary
