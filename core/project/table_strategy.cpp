#include "core/project/table_strategy.hpp"

#include "core/base/text.hpp"
#include "core/kube/verdict.hpp"
#include "core/project/values.hpp"

#include <algorithm>
#include <array>

namespace deployctl::project {
namespace {

using namespace std::chrono_literals;

constexpr int most_requests = 1'000'000'000;

base::Result<StepPause> parse_pause(const std::string& written) {
  if (written == "manual") {
    return StepPause{.is_manual = true};
  }
  const auto least = base::parse_duration(written);
  if (least && least->count() % 1000 == 0) {
    return StepPause{.least = *least};
  }
  const std::array<std::string, 1> words{"manual"};
  const auto meant = base::did_you_mean(written, words);
  return base::Error::invalid_input("'{}' is no pause", base::printable(written))
      .with_hint("{}", meant.empty() ? "write whole seconds with units (2m, 90s) or manual" : meant);
}

Form<StepPause> pause() {
  return text<StepPause>({.name = "pause",
                          .doc = "a duration, or `manual` to wait for `deployctl promote`",
                          .pattern = "^(manual|0|([0-9]+(s|m|h|d))+)$",
                          .accepts_numbers = true},
                         parse_pause);
}

Form<WrittenCanaryStep> step_form() {
  using S = WrittenCanaryStep;
  return mapping<S>(
      "step", "One step of a canary. Behind the last one the release is promoted: all requests go to the new version.",
      {
          field("weight", &S::weight, number(1, 99),
                {.doc = "per cent of the requests that go to the canary",
                 .example = "5",
                 .fallback = "what it was in the step before"}),
          field("pause", &S::pause, pause(),
                {.doc = "how long the step is watched at least; `manual`: until `deployctl promote`",
                 .example = "2m",
                 .fallback = "until every gate has passed"}),
      });
}

Form<WrittenHeader> header_form() {
  using H = WrittenHeader;
  auto whole = mapping<H>(
      "header", "A header that a request carries to be sent to the canary whatever its share.",
      {
          field("name", &H::name, header_name(),
                {.doc = "name of the header", .example = "X-Canary", .need = Need::required}),
          field("value", &H::value, loose_text("text"), {.doc = "its value", .example = "beta", .fallback = "always"}),
      });
  return short_or_whole<std::string, H>(
      header_name(),
      [](std::string name, const yaml::Node& node) {
        H header;
        header.name = Given<std::string>{std::move(name), node.span, node.span};
        return header;
      },
      std::move(whole));
}

Form<WrittenHttpGate> http_gate_form() {
  using G = WrittenHttpGate;
  return mapping<G>("http gate", "Requests that show whether the new version is well. Redirects are not followed.",
                    {
                        field("path", &G::path, web_path(),
                              {.doc = "asked of the new pods alone, through the Kubernetes API; this or `url`",
                               .example = "/health"}),
                        field("url", &G::url, http_url(),
                              {.doc = "asked the way users ask, with the `header` or `cookie` that leads to the canary",
                               .example = "https://api.example.com/health"}),
                        field("status", &G::status, number(100, 599),
                              {.doc = "the status of a good answer", .example = "204", .fallback = "200"}),
                        field("json", &G::json, map_of(json_pointer(), loose_text("text"), Empty::refused),
                              {.doc = "what must stand at places of the answer", .example = "{/status: ok}"}),
                        field("within", &G::within, exact_duration(),
                              {.doc = "an answer that takes longer does not count", .example = "500ms"}),
                        field("probes", &G::probes, number(1, 100),
                              {.doc = "requests of one measurement", .example = "10", .fallback = "5"}),
                        field("passes", &G::passes, number(1, 100),
                              {.doc = "how many of them must be answered well", .example = "9", .fallback = "all"}),
                    });
}

Form<WrittenPrometheusGate> prometheus_gate_form() {
  using G = WrittenPrometheusGate;
  return mapping<G>(
      "prometheus gate",
      "An instant query whose every value must lie within bounds. No value, too many or too few, NaN, infinity, an old "
      "sample and an error are no answer: neither good nor bad.",
      {
          field("server", &G::server, http_url(),
                {.doc = "base URL of Prometheus",
                 .example = "http://prometheus.monitoring:9090",
                 .need = Need::required}),
          field("query", &G::query, any_text("PromQL"),
                {.doc = "`{{service}}`, `{{namespace}}`, `{{deployment}}` and `{{pods}}` (a regular expression) stand "
                        "for what is measured",
                 .example = "histogram_quantile(0.99, sum by (le) (rate(http_seconds_bucket{pod=~\"{{pods}}\"}[1m])))",
                 .need = Need::required}),
          field("at_least", &G::at_least, decimal(-1e15, 1e15), {.doc = "the least good value", .example = "0.99"}),
          field("at_most", &G::at_most, decimal(-1e15, 1e15), {.doc = "the greatest good value", .example = "0.5"}),
          field("results", &G::results, number(1, 1000),
                {.doc = "how many values the query gives", .example = "2", .fallback = "1"}),
          field("requests", &G::requests, any_text("PromQL"),
                {.doc = "how many requests the value is about, for `min_requests`",
                 .example = "sum(increase(http_requests_total{pod=~\"{{pods}}\"}[1m]))"}),
          field("min_requests", &G::min_requests, number(1, most_requests),
                {.doc = "fewer than so many say nothing", .example = "100"}),
          field("max_age", &G::max_age, duration(1s),
                {.doc = "an older sample says nothing", .example = "30s", .fallback = "1m"}),
          field("token", &G::token, secret_source(),
                {.doc = "where the bearer token for the server comes from", .example = "env:PROMETHEUS_TOKEN"}),
      });
}

Form<WrittenErrorsGate> errors_gate_form() {
  using G = WrittenErrorsGate;
  return mapping<G>(
      "errors gate",
      "The canary's errors against those of the stable pods, counted from step to step until a sequential test says "
      "that it is worse, or that it is not. Promotion waits for the second.",
      {
          field("server", &G::server, http_url(),
                {.doc = "base URL of Prometheus",
                 .example = "http://prometheus.monitoring:9090",
                 .need = Need::required}),
          field("requests", &G::requests, any_text("PromQL"),
                {.doc = "a counter of requests, without rate or increase; asked for the canary's `{{pods}}` and for "
                        "the stable ones",
                 .example = "sum(http_requests_total{pod=~\"{{pods}}\"})",
                 .need = Need::required}),
          field("errors", &G::errors, any_text("PromQL"),
                {.doc = "the counter of those that failed",
                 .example = "sum(http_requests_total{pod=~\"{{pods}}\", code=~\"5..\"}) or vector(0)",
                 .need = Need::required}),
          field(
              "min_requests", &G::min_requests, number(1, most_requests),
              {.doc = "requests the canary must have had before a further step", .example = "500", .fallback = "100"}),
          field("ratio", &G::ratio, decimal(1.1, 100),
                {.doc = "so many times the error rate of the stable pods is bad", .example = "1.5", .fallback = "2"}),
          field("tolerated", &G::tolerated, decimal(0.00001, 0.5),
                {.doc = "an error rate below it is never bad", .example = "0.001", .fallback = "0.01"}),
          field("max_age", &G::max_age, duration(1s),
                {.doc = "an older sample says nothing", .example = "30s", .fallback = "1m"}),
          field("token", &G::token, secret_source(),
                {.doc = "where the bearer token for the server comes from", .example = "env:PROMETHEUS_TOKEN"}),
      });
}

Form<WrittenGate> gate_form() {
  using G = WrittenGate;
  return mapping<G>(
      "gate", "One of `http`, `prometheus` and `errors`, and how often it is measured.",
      {
          field("http", &G::http, http_gate_form(), {.doc = "requests of our own", .example = "{path: /health}"}),
          field("prometheus", &G::prometheus, prometheus_gate_form(),
                {.doc = "a query within bounds",
                 .example = "{server: \"http://prometheus:9090\", query: up, at_least: 1}"}),
          field("errors", &G::errors, errors_gate_form(),
                {.doc = "error counts against the stable pods",
                 .example = "{server: \"http://prometheus:9090\", requests: sum(requests_total{pod=~\"{{pods}}\"}), "
                            "errors: sum(errors_total{pod=~\"{{pods}}\"})}"}),
          field("initial_delay", &G::initial_delay, duration(0s),
                {.doc = "before the first measurement of a step",
                 .example = "30s",
                 .fallback = "0s; 30s with Prometheus, twice what it usually takes to scrape"}),
          field("interval", &G::interval, duration(1s),
                {.doc = "between two measurements", .example = "30s", .fallback = "10s"}),
          field("failure_limit", &G::failure_limit, number(0, 1000),
                {.doc = "measurements of a step that may fail; one more ends the release",
                 .example = "2",
                 .fallback = "0"}),
          field("success_limit", &G::success_limit, number(1, 1000),
                {.doc = "measurements in a row that must pass before the next step", .example = "3", .fallback = "1"}),
      });
}

Form<std::string> rule_name() {
  const auto parse = [](const std::string& written) -> base::Result<std::string> {
    std::vector<std::string> names;
    for (const auto& rule : kube::verdict::default_rules()) {
      names.emplace_back(rule.name);
    }
    if (std::ranges::find(names, written) != names.end()) {
      return written;
    }
    const auto nearest = base::did_you_mean(written, names);
    return base::Error::invalid_input("there is no rule '{}'", written)
        .with_hint("{}", nearest.empty() ? "docs/verdicts.md lists the rules" : nearest);
  };
  return text<std::string>({.name = "rule", .doc = "the name of a rule of the verdict (`docs/verdicts.md`)"}, parse);
}

Form<WrittenPatience> patience() {
  const auto parse = [](const std::string& written) -> base::Result<WrittenPatience> {
    if (written == "never") {
      return WrittenPatience();
    }
    const auto value = base::parse_duration(written);
    if (!value) {
      return value.error();
    }
    return WrittenPatience(*value);
  };
  return text<WrittenPatience>({.name = "patience",
                                .doc = "numbers with units, `30s`, `5m`, or `never`",
                                .pattern = "^(never|0|([0-9]+(ms|s|m|h|d))+)$",
                                .accepts_numbers = true},
                               parse);
}

std::vector<Field<WrittenStrategy>> common_fields() {
  using S = WrittenStrategy;
  return {
      field("type", &S::type,
            word<Strategy::Type>("strategy", {{"rolling", Strategy::Type::rolling},
                                              {"recreate", Strategy::Type::recreate},
                                              {"canary", Strategy::Type::canary},
                                              {"blue-green", Strategy::Type::blue_green}}),
            {.doc = "rolling: side by side; recreate: first the old ones go; canary: the new version gets a growing "
                    "share of the requests; blue-green: all new pods are ready before they get any",
             .example = "rolling",
             .fallback = "rolling; recreate when a ReadWriteOnce volume is mounted"}),
      field("max_surge", &S::max_surge, pods_or_percentage(),
            {.doc = "pods above the wanted number while they are replaced", .example = "25%", .fallback = "1"}),
      field("max_unavailable", &S::max_unavailable, pods_or_percentage(),
            {.doc = "pods below the wanted number while they are replaced", .example = "0", .fallback = "0"}),
      field("deadline", &S::deadline, duration(1s),
            {.doc = "no progress for so long is a failure", .example = "5m", .fallback = "5m"}),
      field("rules", &S::rules, map_of(rule_name(), patience()),
            {.doc = "how long the sign of a rule may last before the rollout fails for it; never: it does not",
             .example = "{unschedulable: 10m, image-not-found: never}"}),
  };
}

std::vector<Field<WrittenStrategy>> canary_fields() {
  using S = WrittenStrategy;
  return {
      field("router", &S::router,
            word<Router>("router", {{"replicas", Router::replicas},
                                    {"nginx", Router::nginx},
                                    {"gateway", Router::gateway},
                                    {"istio", Router::istio}}),
            {.doc = "canary: what splits the requests. replicas: the number of pods behind the Service; nginx: "
                    "annotations of ingress-nginx; gateway: the weights of an HTTPRoute (`ingress.gateway`); istio: "
                    "those of a VirtualService",
             .example = "gateway",
             .fallback = "replicas"}),
      field("steps", &S::steps, list_of(step_form(), Empty::refused),
            {.doc = "canary: the way to promotion",
             .example = "[{weight: 5, pause: 2m}, {weight: 50, pause: 5m}, {pause: manual}]",
             .fallback = "10 per cent for 2m, 50 for 5m"}),
      field("header", &S::header, header_form(),
            {.doc = "canary: requests with this header go to the canary whatever its share", .example = "X-Canary"}),
      field("cookie", &S::cookie, header_name(),
            {.doc = "canary, nginx and istio: and those with this cookie, its value `always`", .example = "canary"}),
  };
}

std::vector<Field<WrittenStrategy>> gate_fields() {
  using S = WrittenStrategy;
  return {
      field("gates", &S::gates, list_of(gate_form(), Empty::refused),
            {.doc = "canary: what must be well before the new version goes on",
             .example = "[{http: {path: /health}}]",
             .fallback = "none: the pods' own state decides, as it always does too"}),
      field("max_wait", &S::max_wait, duration(1s),
            {.doc = "canary: how long the gates may be unable to tell", .example = "10m", .fallback = "5m"}),
      field("on_inconclusive", &S::on_inconclusive,
            word<OnInconclusive>("policy", {{"abort", OnInconclusive::abort},
                                            {"pause", OnInconclusive::pause},
                                            {"promote", OnInconclusive::promote}}),
            {.doc = "canary: and what is done then. pause: wait for `deployctl promote`; promote: go on",
             .example = "pause",
             .fallback = "abort"}),
      field("promote", &S::promote,
            word<PromoteBy>("promotion", {{"auto", PromoteBy::itself}, {"manual", PromoteBy::user}}),
            {.doc = "blue-green: manual: the switch waits for `deployctl promote`",
             .example = "manual",
             .fallback = "auto"}),
      field("keep", &S::keep, duration(0s),
            {.doc = "blue-green: how long the old pods stay after the switch", .example = "1h", .fallback = "10m"}),
  };
}

}  // namespace

Form<WrittenStrategy> strategy_form() {
  auto fields = common_fields();
  for (auto&& group : {canary_fields(), gate_fields()}) {
    fields.insert(fields.end(), group.begin(), group.end());
  }
  return mapping<WrittenStrategy>("strategy", "How new pods take the place of the old ones.", std::move(fields));
}

}  // namespace deployctl::project
