// What one look through a gate showed. "Inconclusive" is an answer of its own: it is never taken for good, and not at
// once for bad.
#pragma once

#include "core/base/duration.hpp"
#include "core/canary/sequential_test.hpp"
#include "core/io/clock.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::canary {

enum class Verdict { pass, fail, inconclusive };

struct Measurement {
  Verdict verdict = Verdict::inconclusive;
  std::string message;  // one line: "5 of 5 probes passed", "the query gave no value"
  // Of an errors gate, in place of a verdict: the counters as they stand.
  struct Counters {
    Counts canary;
    Counts stable;

    friend bool operator==(const Counters&, const Counters&) = default;
  };
  std::optional<Counters> counters;
};

// One request of an HTTP gate. `problem` says why there was no answer; `is_ours` that the way there failed on our side,
// so that it says nothing about the pods.
struct ProbeAnswer {
  int status = 0;
  std::string body;
  base::Milliseconds elapsed{0};
  std::string problem;
  bool is_ours = false;
};

// Why an answer is not as it should be; "" when it is.
std::string why_not(const project::HttpGate& gate, const ProbeAnswer& answer);
Measurement judge(const project::HttpGate& gate, std::span<const ProbeAnswer> answers);

// The answer to an instant query: an HTTP answer, or why there was none.
struct QueryAnswer {
  int status = 0;
  std::string body;
  std::string problem;
};

struct QueryAnswers {
  QueryAnswer values;
  std::optional<QueryAnswer> requests;  // when the gate asks for them
};
Measurement judge(const project::PrometheusGate& gate, const QueryAnswers& answers, io::WallTime now);

struct CounterAnswers {
  QueryAnswer canary_requests;
  QueryAnswer canary_errors;
  QueryAnswer stable_requests;
  QueryAnswer stable_errors;
};
Measurement judge(const project::ErrorsGate& gate, const CounterAnswers& answers, io::WallTime now);

// A query with {{service}}, {{namespace}}, {{deployment}} and {{pods}} filled in; the last is a regular expression that
// matches the Deployment's pods and no others.
struct QueryPlace {
  std::string service;
  std::string name_space;
  std::string deployment;
};
std::string filled_in(std::string_view query, const QueryPlace& place);

}  // namespace deployctl::canary
