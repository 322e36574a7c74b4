// The HTTP API of Prometheus, "Instant queries": {"status":"success","data":{"resultType":"vector","result":[
// {"metric":{…},"value":[1700000000.123,"0.5"]}]}}. Values are text, because JSON has neither NaN nor infinity.
#include "core/base/text.hpp"
#include "core/canary/measurement.hpp"
#include "core/json/reader.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>

namespace deployctl::canary {
namespace {

using base::Error;
using base::Result;

struct Expectation {
  std::size_t results = 1;
  base::Milliseconds max_age{60'000};
};

Measurement inconclusive(std::string message) {
  return {.verdict = Verdict::inconclusive, .message = std::move(message), .counters = std::nullopt};
}

Result<double> parse_value(const json::Reader& sample) {
  const auto text = sample.string_or();
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    return Error::failed("the query gave {}, which is no number", text.empty() ? "nothing" : base::printable(text));
  }
  return number;
}

base::Status check_age(const json::Reader& time, const Expectation& expected, io::WallTime now) {
  const auto* value = time.value();
  if (value == nullptr || !value->is_number()) {
    return Error::failed("a sample without a time");
  }
  const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count() - value->get<double>();
  if (std::abs(seconds) > static_cast<double>(expected.max_age.count()) / 1000) {
    return Error::failed("the sample is {:.0f} s {}, at most {} are allowed", std::abs(seconds),
                         seconds < 0 ? "ahead of our clock" : "old", base::to_string(expected.max_age));
  }
  return {};
}

std::string what_it_said(const QueryAnswer& answer) {
  const auto document = json::parse(answer.body, "the answer");
  const auto said = document ? json::Reader(*document).at("error").string_or() : std::string();
  return said.empty() ? "" : ": " + base::printable(said.substr(0, 200));
}

Result<std::vector<double>> values_of(const QueryAnswer& answer, const Expectation& expected, io::WallTime now) {
  if (!answer.problem.empty()) {
    return Error::failed("Prometheus does not answer: {}", answer.problem);
  }
  if (answer.status != 200) {
    return Error::failed("Prometheus answered with status {}{}", answer.status, what_it_said(answer));
  }
  const auto document = json::parse(answer.body, "the answer of Prometheus");
  if (!document) {
    return document.error();
  }
  const json::Reader reader(*document);
  if (reader.at("status").string_or() != "success") {
    return Error::failed("the query failed{}", what_it_said(answer));
  }
  if (const auto type = reader.at("data", "resultType").string_or(); type != "vector") {
    return Error::failed("the query gave a {}, a vector is needed",
                         type.empty() ? "thing of no type" : base::printable(type));
  }
  const auto samples = reader.at("data", "result").elements();
  if (samples.size() != expected.results) {
    return Error::failed("the query gave {}, {} expected",
                         samples.empty() ? std::string("no value") : fmt::format("{} values", samples.size()),
                         expected.results == 1 ? "one is" : fmt::format("{} are", expected.results));
  }
  std::vector<double> values;
  for (const auto& sample : samples) {
    if (const auto fresh = check_age(sample.at("value").at(0), expected, now); !fresh) {
      return fresh.error();
    }
    const auto value = parse_value(sample.at("value").at(1));
    if (!value) {
      return value.error();
    }
    values.push_back(*value);
  }
  return values;
}

Result<double> value_of(const QueryAnswer& answer, base::Milliseconds max_age, io::WallTime now) {
  const auto values = values_of(answer, {.results = 1, .max_age = max_age}, now);
  return values ? Result<double>(values->front()) : Result<double>(values.error());
}

// Nothing when there is enough traffic.
std::optional<Measurement> too_little(const project::PrometheusGate& gate, const QueryAnswers& answers,
                                      io::WallTime now) {
  if (!answers.requests) {
    return std::nullopt;
  }
  const auto requests = value_of(*answers.requests, gate.max_age, now);
  if (!requests) {
    return inconclusive("counting requests: " + requests.error().message);
  }
  if (*requests < gate.min_requests) {
    return inconclusive(
        fmt::format("too little traffic: {:.0f} requests, {} are needed", *requests, gate.min_requests));
  }
  return std::nullopt;
}

Measurement within_bounds(const project::PrometheusGate& gate, const std::vector<double>& values) {
  for (const double value : values) {
    if (gate.at_least && value < *gate.at_least) {
      return {Verdict::fail, fmt::format("{:g} is below {:g}", value, *gate.at_least), std::nullopt};
    }
    if (gate.at_most && value > *gate.at_most) {
      return {Verdict::fail, fmt::format("{:g} is above {:g}", value, *gate.at_most), std::nullopt};
    }
  }
  return {Verdict::pass,
          values.size() == 1 ? fmt::format("{:g} is within bounds", values.front())
                             : fmt::format("{} values are within bounds", values.size()),
          std::nullopt};
}

}  // namespace

Measurement judge(const project::PrometheusGate& gate, const QueryAnswers& answers, io::WallTime now) {
  if (auto few = too_little(gate, answers, now)) {
    return std::move(*few);
  }
  const auto values =
      values_of(answers.values, {.results = static_cast<std::size_t>(gate.results), .max_age = gate.max_age}, now);
  return values ? within_bounds(gate, *values) : inconclusive(values.error().message);
}

Measurement judge(const project::ErrorsGate& gate, const CounterAnswers& answers, io::WallTime now) {
  Measurement::Counters counters;
  struct Wanted {
    const QueryAnswer& answer;
    double& place;
    std::string_view what;
  };
  for (const auto& [answer, place, what] : {
           Wanted{answers.canary_requests, counters.canary.requests, "requests of the canary"},
           Wanted{answers.canary_errors, counters.canary.errors, "errors of the canary"},
           Wanted{answers.stable_requests, counters.stable.requests, "requests of the stable pods"},
           Wanted{answers.stable_errors, counters.stable.errors, "errors of the stable pods"},
       }) {
    const auto value = value_of(answer, gate.max_age, now);
    if (!value) {
      return inconclusive(fmt::format("{}: {}", what, value.error().message));
    }
    place = *value;
  }
  return {.verdict = Verdict::inconclusive, .message = {}, .counters = counters};
}

// <deployment>-<hash of the template>-<five characters>, of which the API server cuts what is before the five to 58
// (names of pods are host names).
std::string pods_of(const std::string& deployment) {
  constexpr std::size_t longest = 58;
  constexpr std::size_t longest_hash = 10;
  const auto name = base::replace_all(deployment.substr(0, longest), ".", "[.]");
  if (deployment.size() >= longest) {
    return name + "[a-z0-9]{5}";
  }
  const auto room = longest - deployment.size() - 1;
  const auto whole = name + "-[a-z0-9]+-[a-z0-9]{5}";
  return room > longest_hash ? whole : fmt::format("({}|{}-[a-z0-9]{{{}}})", whole, name, room + 5);
}

std::string filled_in(std::string_view query, const QueryPlace& place) {
  auto text = base::replace_all(std::string(query), "{{service}}", place.service);
  text = base::replace_all(std::move(text), "{{namespace}}", place.name_space);
  text = base::replace_all(std::move(text), "{{deployment}}", place.deployment);
  return base::replace_all(std::move(text), "{{pods}}", pods_of(place.deployment));
}

}  // namespace deployctl::canary
