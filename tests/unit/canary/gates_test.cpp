// What the answers to probes and queries mean.
#include "core/canary/measurement.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

namespace deployctl::canary {
namespace {

using namespace std::chrono_literals;

constexpr io::WallTime now = io::WallTime(1'700'000'000'000ms);

std::string outcome(const Measurement& measurement) {
  const auto* const word = measurement.verdict == Verdict::pass   ? "pass"
                           : measurement.verdict == Verdict::fail ? "fail"
                                                                  : "inconclusive";
  return std::string(word) + ": " + measurement.message;
}

project::HttpGate strict_gate() {
  project::HttpGate gate;
  gate.path = "/health";
  gate.json = {{"/status", "ok"}, {"/checks/1/a~1b", "3"}, {"/ready", "true"}};
  gate.within = 500ms;
  return gate;
}

struct ProbeRow {
  std::string name;
  ProbeAnswer answer;
  std::string why_not;
};

TEST(HttpGate, SaysWhyAnAnswerIsNotAsItShouldBe) {
  const std::string good = R"({"status":"ok","ready":true,"checks":[0,{"a/b":3}]})";
  const auto answered = [](int status, std::string body, base::Milliseconds elapsed = 20ms) {
    return ProbeAnswer{.status = status, .body = std::move(body), .elapsed = elapsed, .problem = {}};
  };
  const std::vector<ProbeRow> rows{
      {"good", answered(200, good), ""},
      {"status", answered(503, good), "status 503, not 200"},
      {"redirect", answered(302, good), "status 302, not 200"},
      {"slow", answered(200, good, 501ms), "answered after 501ms, later than 500ms"},
      {"at the bound", answered(200, good, 500ms), ""},
      {"no JSON", answered(200, "<html>"), "the answer is no JSON"},
      {"empty", answered(200, ""), "the answer is no JSON"},
      {"other text", answered(200, R"({"status":"degraded"})"), "/status is 'degraded', not 'ok'"},
      {"missing", answered(200, R"({"status":"ok","checks":[0]})"), "the answer has nothing at /checks/1/a~1b"},
      {"no such place", answered(200, R"({"status":"ok","checks":"none"})"),
       "the answer has nothing at /checks/1/a~1b"},
      {"another type", answered(200, R"({"status":"ok","ready":1,"checks":[0,{"a/b":3}]})"),
       "/ready is '1', not 'true'"},
      {"long and odd", answered(200, R"({"status":")" + std::string(100, 'x') + "\\u001b[2J\"}"),
       "/status is '" + std::string(80, 'x') + "…', not 'ok'"},
      {"no answer", {.status = 0, .body = {}, .problem = "connection refused"}, "connection refused"},
  };
  for (const auto& [name, answer, why] : rows) {
    EXPECT_EQ(why_not(strict_gate(), answer), why) << name;
  }
}

TEST(HttpGate, CountsProbes) {
  project::HttpGate gate;
  gate.passes = 4;
  const ProbeAnswer good{.status = 200, .body = {}, .problem = {}};
  const ProbeAnswer bad{.status = 500, .body = {}, .problem = {}};
  const ProbeAnswer ours{.status = 0, .body = {}, .problem = "the API server does not answer", .is_ours = true};

  EXPECT_EQ(outcome(judge(gate, std::vector{good, good, good, good, good})), "pass: 5 of 5 probes passed");
  EXPECT_EQ(outcome(judge(gate, std::vector{good, bad, good, good, good})), "pass: 4 of 5 probes passed");
  EXPECT_EQ(outcome(judge(gate, std::vector{good, bad, bad, good, good})),
            "fail: 3 of 5 probes passed: status 500, not 200");
  EXPECT_EQ(outcome(judge(gate, std::vector{ours, ours, good, good, good})),
            "inconclusive: 3 of 5 probes passed: the API server does not answer");
  EXPECT_EQ(outcome(judge(gate, std::vector<ProbeAnswer>{})), "fail: 0 of 0 probes passed, 4 are needed");
}

std::string vector_of(const std::vector<std::string>& values, const std::string& time = "1700000000.000") {
  std::string text;
  for (const auto& value : values) {
    text += (text.empty() ? "" : ",") + std::string(R"({"metric":{},"value":[)") + time + ",\"" + value + "\"]}";
  }
  return R"({"status":"success","data":{"resultType":"vector","result":[)" + text + "]}}";
}

QueryAnswer said(std::string body, int status = 200) {
  return {.status = status, .body = std::move(body), .problem = {}};
}

struct QueryRow {
  std::string name;
  QueryAnswer answer;
  std::string outcome;
};

TEST(PrometheusGate, TakesNothingForGoodThatIsNot) {
  project::PrometheusGate gate;
  gate.at_least = 0.5;
  gate.at_most = 2;
  const std::vector<QueryRow> rows{
      {"within", said(vector_of({"1"})), "pass: 1 is within bounds"},
      {"at the bounds", said(vector_of({"0.5"})), "pass: 0.5 is within bounds"},
      {"exponent", said(vector_of({"1.5e0"})), "pass: 1.5 is within bounds"},
      {"below", said(vector_of({"0.4"})), "fail: 0.4 is below 0.5"},
      {"above", said(vector_of({"2.5"})), "fail: 2.5 is above 2"},
      {"NaN", said(vector_of({"NaN"})), "inconclusive: the query gave NaN, which is no number"},
      {"+Inf", said(vector_of({"+Inf"})), "inconclusive: the query gave +Inf, which is no number"},
      {"-Inf", said(vector_of({"-Inf"})), "inconclusive: the query gave -Inf, which is no number"},
      {"text", said(vector_of({"1x"})), "inconclusive: the query gave 1x, which is no number"},
      {"empty text", said(vector_of({""})), "inconclusive: the query gave nothing, which is no number"},
      {"empty", said(vector_of({})), "inconclusive: the query gave no value, one is expected"},
      {"two", said(vector_of({"1", "1"})), "inconclusive: the query gave 2 values, one is expected"},
      {"stale", said(vector_of({"1"}, "1699999900")), "inconclusive: the sample is 100 s old, at most 1m are allowed"},
      {"ahead", said(vector_of({"1"}, "1700000100")),
       "inconclusive: the sample is 100 s ahead of our clock, at most 1m are allowed"},
      {"no time", said(vector_of({"1"}, "null")), "inconclusive: a sample without a time"},
      {"a matrix", said(R"({"status":"success","data":{"resultType":"matrix","result":[]}})"),
       "inconclusive: the query gave a matrix, a vector is needed"},
      {"an error", said(R"({"status":"error","errorType":"bad_data","error":"parse error"})", 400),
       "inconclusive: Prometheus answered with status 400: parse error"},
      {"a failure", said("oops", 500), "inconclusive: Prometheus answered with status 500"},
      {"an error with 200", said(R"({"status":"error","error":"timed out"})"),
       "inconclusive: the query failed: timed out"},
      {"a page", said("<html>"), "inconclusive: the answer of Prometheus is not usable JSON"},
      {"half", said(R"({"status":"success","data":{)"), "inconclusive: the answer of Prometheus is not usable JSON"},
      {"nothing", said(R"({"status":"success"})"),
       "inconclusive: the query gave a thing of no type, a vector is needed"},
      {"unreachable",
       {.status = 0, .body = {}, .problem = "connection refused"},
       "inconclusive: Prometheus does not answer: connection refused"},
  };
  for (const auto& [name, answer, wanted] : rows) {
    const auto told = outcome(judge(gate, {.values = answer, .requests = std::nullopt}, now));
    EXPECT_EQ(told.substr(0, wanted.size()), wanted) << name;
  }
}

TEST(PrometheusGate, WantsExactlyAsManyValuesAsItExpects) {
  project::PrometheusGate gate;
  gate.at_most = 2;
  gate.results = 2;
  const auto of = [&](const std::vector<std::string>& values) {
    return outcome(judge(gate, {.values = said(vector_of(values)), .requests = std::nullopt}, now));
  };
  EXPECT_EQ(of({"1", "2"}), "pass: 2 values are within bounds");
  EXPECT_EQ(of({"1", "3"}), "fail: 3 is above 2");
  EXPECT_EQ(of({"1", "NaN"}), "inconclusive: the query gave NaN, which is no number");
  EXPECT_EQ(of({"1"}), "inconclusive: the query gave 1 values, 2 are expected");
}

TEST(PrometheusGate, CallsTooLittleTrafficByItsName) {
  project::PrometheusGate gate;
  gate.at_most = 2;
  gate.requests = "requests";
  gate.min_requests = 100;
  const auto with = [&](const QueryAnswer& requests) {
    return outcome(judge(gate, {.values = said(vector_of({"1"})), .requests = requests}, now));
  };
  EXPECT_EQ(with(said(vector_of({"100"}))), "pass: 1 is within bounds");
  EXPECT_EQ(with(said(vector_of({"12"}))), "inconclusive: too little traffic: 12 requests, 100 are needed");
  EXPECT_EQ(with(said(vector_of({"0"}))), "inconclusive: too little traffic: 0 requests, 100 are needed");
  EXPECT_EQ(with(said(vector_of({}))), "inconclusive: counting requests: the query gave no value, one is expected");
}

TEST(ErrorsGate, ReadsFourCounters) {
  const project::ErrorsGate gate;
  const auto read = judge(
      gate, {said(vector_of({"100"})), said(vector_of({"1"})), said(vector_of({"900"})), said(vector_of({"2"}))}, now);
  ASSERT_TRUE(read.counters);
  EXPECT_EQ(read.counters->canary, (Counts{100, 1}));
  EXPECT_EQ(read.counters->stable, (Counts{900, 2}));

  const auto missing = judge(
      gate, {said(vector_of({"100"})), said(vector_of({})), said(vector_of({"900"})), said(vector_of({"2"}))}, now);
  EXPECT_FALSE(missing.counters);
  EXPECT_EQ(outcome(missing), "inconclusive: errors of the canary: the query gave no value, one is expected");
}

TEST(Query, IsFilledInForOneDeployment) {
  const QueryPlace place{.service = "api", .name_space = "shop", .deployment = "api-canary"};
  EXPECT_EQ(filled_in(R"(sum(x{ns="{{namespace}}",svc="{{service}}",d="{{deployment}}",pod=~"{{pods}}"}))", place),
            R"(sum(x{ns="shop",svc="api",d="api-canary",pod=~"api-canary-[a-z0-9]+-[a-z0-9]{5}"}))");
}

// What the API server makes of long names: "<deployment>-<hash>-" cut to 58 characters, and five more. Those of the
// canary are told apart by it up to 49 characters, which is as long as such a service may be named.
TEST(Query, FindsPodsWhoseNamesAreCut) {
  for (std::size_t length = 1; length <= 63; ++length) {
    for (const std::string hash : {"5d8c7f9b4", "5d8c7f9b46", "5d8c7f9b"}) {
      const std::string deployment(length, 'a');
      const auto pods = filled_in("{{pods}}", {.service = {}, .name_space = {}, .deployment = deployment});
      const auto pod = (deployment + "-" + hash + "-").substr(0, 58) + "x2x4z";
      EXPECT_TRUE(std::regex_match(pod, std::regex(pods))) << pod << " " << pods;
      const auto other = (deployment + "-canary-" + hash + "-").substr(0, 58) + "x2x4z";
      EXPECT_TRUE(length > 49 || !std::regex_match(other, std::regex(pods))) << other << " " << pods;
    }
  }
}

}  // namespace
}  // namespace deployctl::canary
