// How new pods take the place of old ones.
#include "core/base/text.hpp"
#include "core/project/settle_parts.hpp"

#include <algorithm>

namespace deployctl::project {
namespace {

using namespace std::chrono_literals;

using Type = Strategy::Type;

constexpr auto scraping = 30s;  // twice the interval Prometheus usually has

bool is_for_one_pod(const Volume& volume) {
  return volume.access.starts_with("ReadWriteOnce");
}

bool is_zero(std::string_view amount) {
  return amount == "0" || amount == "0%";
}

int most_pods(const Service& service) {
  return service.scale ? service.scale->max : service.replicas;
}

std::string_view word_of(Type type) {
  switch (type) {
    case Type::rolling:
      return "rolling";
    case Type::recreate:
      return "recreate";
    case Type::canary:
      return "canary";
    case Type::blue_green:
      return "blue-green";
  }
  return "";
}

void check_rolling(const WrittenStrategy& written, const Strategy& strategy, base::Diagnostics& out) {
  if (is_zero(strategy.max_surge) && is_zero(strategy.max_unavailable)) {
    const auto& place = written.max_surge ? written.max_surge->at : written.max_unavailable->at;
    out.error(place, "'max_surge' and 'max_unavailable' cannot both be 0: no pod could ever be replaced");
  }
}

void warn_of_volumes(const Service& service, bool is_chosen_rolling, base::Diagnostics& out) {
  for (const auto& volume : service.volumes) {
    if (!is_for_one_pod(volume)) {
      continue;
    }
    if (most_pods(service) > 1) {
      out.warning(volume.span,
                  fmt::format("volume '{}' is {}: {} pods cannot share it across nodes", volume.name, volume.access,
                              most_pods(service)),
                  "use 'access: ReadWriteMany' or one replica");
    } else if (is_chosen_rolling) {
      out.warning(volume.span,
                  fmt::format("volume '{}' is {}: in a rolling update the new pod may wait for it forever", volume.name,
                              volume.access),
                  "use 'strategy: {type: recreate}'");
    }
  }
}

// --- gates

int settle_passes(const WrittenHttpGate& written, int probes, base::Diagnostics& out) {
  const int passes = value_or(written.passes, probes);
  if (passes > probes) {
    out.error(written.passes->at, fmt::format("of {} probes {} cannot pass", probes, passes));
  }
  return passes;
}

HttpGate settle_http(const Given<WrittenHttpGate>& given, base::Diagnostics& out) {
  const auto& written = *given;
  refuse_both(written.path, written.url, "'path' and 'url' exclude each other", out);
  if (!written.path && !written.url) {
    out.error(given.key, "an HTTP gate needs 'path' or 'url'", "for example 'path: /health'");
  }
  HttpGate gate{.path = value_or(written.path, {}),
                .url = value_or(written.url, {}),
                .status = value_or(written.status, 200),
                .json = {},
                .within = std::nullopt,
                .probes = value_or(written.probes, 5)};
  for (const auto& entry : value_or(written.json, {})) {
    gate.json.emplace_back(*entry.name, entry.value);
  }
  if (const auto* within = sound(written.within)) {
    gate.within = *within;
  }
  gate.passes = settle_passes(written, gate.probes, out);
  return gate;
}

template <typename T>
std::optional<T> optional_of(const Optional<T>& given) {
  const auto* value = sound(given);
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}

// "{{pods}}" and the like are filled in when the query is asked; nothing else in double braces is part of one.
void check_places(const Optional<std::string>& query, base::Diagnostics& out) {
  static const std::vector<std::string> known{"service", "namespace", "deployment", "pods"};
  const auto* text = sound(query);
  for (auto at = text == nullptr ? std::string::npos : text->find("{{"); at != std::string::npos;
       at = text->find("{{", at + 2)) {
    const auto name = text->substr(at + 2, text->find("}}", at) - at - 2);
    if (std::ranges::find(known, name) == known.end()) {
      const auto near = base::nearest(name, known);
      out.error(query->at, fmt::format("there is nothing to stand in the place of '{{{{{}}}}}'", base::printable(name)),
                near ? fmt::format("did you mean '{{{{{}}}}}'?", *near)
                     : "there are {{service}}, {{namespace}}, {{deployment}} and {{pods}}");
    }
  }
}

PrometheusGate settle_prometheus(const Given<WrittenPrometheusGate>& given, base::Diagnostics& out) {
  const auto& written = *given;
  PrometheusGate gate{.server = value_or(written.server, {}),
                      .query = value_or(written.query, {}),
                      .at_least = optional_of(written.at_least),
                      .at_most = optional_of(written.at_most),
                      .results = value_or(written.results, 1),
                      .requests = value_or(written.requests, {}),
                      .min_requests = value_or(written.min_requests, 0),
                      .max_age = value_or(written.max_age, base::Milliseconds(60s)),
                      .token = optional_of(written.token)};
  check_places(written.query, out);
  check_places(written.requests, out);
  if (!written.at_least && !written.at_most) {
    out.error(given.key, "a Prometheus gate needs 'at_least', 'at_most' or both");
  }
  if (gate.at_least && gate.at_most && *gate.at_least > *gate.at_most) {
    out.error(written.at_least->at,
              fmt::format("'at_least' ({}) is above 'at_most' ({})", *gate.at_least, *gate.at_most));
  }
  if (written.requests && !written.min_requests) {
    refuse_useless(written.requests, "requests", "without 'min_requests'", out);
  } else if (written.min_requests && !written.requests) {
    refuse_useless(written.min_requests, "min_requests", "without 'requests'", out);
  }
  return gate;
}

void check_bad_rate(const Given<WrittenErrorsGate>& given, const ErrorsGate& gate, base::Diagnostics& out) {
  if (gate.tolerated * gate.ratio >= 1) {
    out.error(given.key,
              fmt::format("{} times the tolerated error rate of {} is no rate below 1", gate.ratio, gate.tolerated));
  }
}

ErrorsGate settle_errors(const Given<WrittenErrorsGate>& given, base::Diagnostics& out) {
  const auto& written = *given;
  ErrorsGate gate{.server = value_or(written.server, {}),
                  .requests = value_or(written.requests, {}),
                  .errors = value_or(written.errors, {}),
                  .min_requests = value_or(written.min_requests, 100),
                  .ratio = value_or(written.ratio, 2.0),
                  .tolerated = value_or(written.tolerated, 0.01),
                  .max_age = value_or(written.max_age, base::Milliseconds(60s)),
                  .token = optional_of(written.token)};
  check_places(written.requests, out);
  check_places(written.errors, out);
  check_bad_rate(given, gate, out);
  return gate;
}

// Nothing where the gate says what is no check, which is reported.
std::optional<decltype(Gate::check)> settle_check(const base::Located<WrittenGate>& gate, base::Diagnostics& out) {
  const auto& written = gate.value;
  const int given = (written.http ? 1 : 0) + (written.prometheus ? 1 : 0) + (written.errors ? 1 : 0);
  if (given != 1) {
    out.error(gate.span, given == 0 ? "a gate needs 'http', 'prometheus' or 'errors'"
                                    : "a gate is one of 'http', 'prometheus' and 'errors'; write a gate for each");
    return std::nullopt;
  }
  if (written.http && !written.http->is_broken) {
    return settle_http(*written.http, out);
  }
  if (written.prometheus && !written.prometheus->is_broken) {
    return settle_prometheus(*written.prometheus, out);
  }
  if (written.errors && !written.errors->is_broken) {
    return settle_errors(*written.errors, out);
  }
  return std::nullopt;
}

Gates settle_gates(const WrittenStrategy& written, base::Diagnostics& out) {
  Gates gates;
  for (const auto& each : value_or(written.gates, {})) {
    auto check = settle_check(each, out);
    if (!check) {
      continue;
    }
    const base::Milliseconds delay = std::holds_alternative<HttpGate>(*check) ? 0s : scraping;
    gates.gates.push_back({.check = std::move(*check),
                           .initial_delay = value_or(each->initial_delay, delay),
                           .interval = value_or(each->interval, base::Milliseconds(10s)),
                           .failure_limit = value_or(each->failure_limit, 0),
                           .success_limit = value_or(each->success_limit, 1)});
  }
  gates.on_inconclusive = value_or(written.on_inconclusive, OnInconclusive::abort);
  gates.max_wait = value_or(written.max_wait, gates.max_wait);
  if (!written.gates) {
    refuse_useless(written.on_inconclusive, "on_inconclusive", "without 'gates'", out);
    refuse_useless(written.max_wait, "max_wait", "without 'gates'", out);
  }
  return gates;
}

// --- canary

std::vector<CanaryStep> default_steps() {
  return {{.weight = 10, .pause = 2min}, {.weight = 50, .pause = 5min}};
}

int settle_weight(const base::Located<WrittenCanaryStep>& step, int before, base::Diagnostics& out) {
  if (!step->weight) {
    if (before == 0) {
      out.error(step.span, "the first step needs a 'weight'", "for example '{weight: 5, pause: 2m}'");
    }
    return before;
  }
  const int weight = value_or(step->weight, before);
  if (!step->weight->is_broken && weight <= before) {
    out.error(step->weight->at, fmt::format("the weights of the steps must rise: {} comes after {}", weight, before));
  }
  return weight;
}

std::vector<CanaryStep> settle_steps(const WrittenStrategy& written, base::Diagnostics& out) {
  if (sound(written.steps) == nullptr) {
    return default_steps();
  }
  std::vector<CanaryStep> steps;
  int weight = 0;
  for (const auto& step : **written.steps) {
    if (!step->weight && !step->pause) {
      out.error(step.span, "a step needs 'weight', 'pause' or both");
      continue;
    }
    weight = settle_weight(step, weight, out);
    const auto pause = value_or(step->pause, {});
    steps.push_back({.weight = weight, .pause = pause.least, .waits_for_promote = pause.is_manual});
  }
  return steps;
}

// With few pods the smallest share is large.
void warn_of_coarse_shares(const WrittenStrategy& written, const Canary& canary, const Service& service,
                           base::Diagnostics& out) {
  const int pods = std::max(1, service.replicas);
  const int smallest = (100 + pods) / (pods + 1);
  if (canary.router != Router::replicas || sound(written.steps) == nullptr || canary.steps.empty() ||
      canary.steps.front().weight == 0 || smallest <= 2 * canary.steps.front().weight) {
    return;
  }
  out.warning((*written.steps)->front().span,
              fmt::format("beside {} pod{} one more takes {} per cent of the requests, not {}", pods,
                          pods == 1 ? "" : "s", smallest, canary.steps.front().weight),
              "more replicas make it finer, or a router that splits requests");
}

// The stable pods stay as many as they are.
void refuse_large_shares(const WrittenStrategy& written, base::Diagnostics& out) {
  for (const auto& step : value_or(written.steps, {})) {
    if (const auto* weight = sound(step->weight); weight != nullptr && *weight > 50) {
      out.error(step->weight->at, fmt::format("'router: replicas' goes up to 50 per cent, not {}", *weight),
                "with as many new pods as old ones the next step is promotion: leave the step out");
    }
  }
}

void check_router(const WrittenService& service, const WrittenStrategy& written, Router router,
                  base::Diagnostics& out) {
  const auto* ingress = sound(service.ingress);
  const bool is_ingress_broken = service.ingress && service.ingress->is_broken;
  const bool has_gateway = ingress != nullptr && ingress->gateway;
  const auto& place = written.router ? written.router->at : written.type->at;
  switch (router) {
    case Router::replicas:
      refuse_useless(written.header, "header", "with 'router: replicas', which cannot tell requests apart", out);
      refuse_useless(written.cookie, "cookie", "with 'router: replicas', which cannot tell requests apart", out);
      refuse_large_shares(written, out);
      break;
    case Router::nginx:
      if (!is_ingress_broken && (ingress == nullptr || has_gateway)) {
        out.error(place, "'router: nginx' splits the requests of an Ingress, and the service has none",
                  "add 'ingress: {host: api.example.com, class: nginx}'");
      }
      break;
    case Router::gateway:
      if (!is_ingress_broken && !has_gateway) {
        out.error(place, "'router: gateway' needs 'ingress.gateway', the Gateway its HTTPRoute belongs to",
                  "for example 'ingress: {host: api.example.com, gateway: infra/public}'");
      }
      refuse_useless(written.cookie, "cookie", "with 'router: gateway': an HTTPRoute cannot match cookies", out);
      break;
    case Router::istio:
      if (ingress != nullptr && !has_gateway) {
        out.error(place, "'router: istio' does not reach the requests of an Ingress",
                  "name the Istio gateway in 'ingress.gateway'");
      }
      break;
  }
}

void check_sharing(const WrittenService& service, const WrittenStrategy& written, const Service& settled,
                   base::Diagnostics& out) {
  const auto word = word_of(settled.strategy.type);
  if (!service.port && !service.ports) {
    out.error(written.type->at, fmt::format("'type: {}' needs requests to lead: the service has no port", word),
              "give the service a 'port', or use 'type: rolling'");
  }
  for (const auto& volume : settled.volumes) {
    if (is_for_one_pod(volume)) {
      out.error(volume.span,
                fmt::format("volume '{}' is {}: with 'type: {}' the new pods could not have it beside "
                            "the old ones",
                            volume.name, volume.access, word),
                "use 'access: ReadWriteMany', or 'type: recreate'");
    }
  }
}

Canary settle_canary(const WrittenService& service, const WrittenStrategy& written, const Service& settled,
                     base::Diagnostics& out) {
  Canary canary;
  canary.router = value_or(written.router, Router::replicas);
  canary.steps = settle_steps(written, out);
  if (const auto* header = sound(written.header)) {
    canary.header =
        RequestHeader{.name = value_or(header->name, {}), .value = value_or(header->value, std::string("always"))};
  }
  canary.cookie = value_or(written.cookie, {});
  canary.gates = settle_gates(written, out);
  check_router(service, written, canary.router, out);
  warn_of_coarse_shares(written, canary, settled, out);
  return canary;
}

BlueGreen settle_blue_green(const WrittenStrategy& written) {
  return {.keep = value_or(written.keep, BlueGreen{}.keep),
          .waits_for_promote = value_or(written.promote, PromoteBy::itself) == PromoteBy::user};
}

// Keys that belong to another type.
void refuse_foreign_keys(const WrittenStrategy& written, Type type, base::Diagnostics& out) {
  const auto why = fmt::format("with 'type: {}'", word_of(type));
  if (type == Type::recreate) {
    refuse_useless(written.max_surge, "max_surge", why, out);
    refuse_useless(written.max_unavailable, "max_unavailable", why, out);
  }
  if (type != Type::canary) {
    refuse_useless(written.router, "router", why, out);
    refuse_useless(written.steps, "steps", why, out);
    refuse_useless(written.header, "header", why, out);
    refuse_useless(written.cookie, "cookie", why, out);
    refuse_useless(written.gates, "gates", why, out);
    refuse_useless(written.on_inconclusive, "on_inconclusive", why, out);
    refuse_useless(written.max_wait, "max_wait", why, out);
  }
  if (type != Type::blue_green) {
    refuse_useless(written.promote, "promote", why, out);
    refuse_useless(written.keep, "keep", why, out);
  }
}

}  // namespace

void settle_strategy(const WrittenService& written, Service& service, base::Diagnostics& out) {
  const auto given = value_or(written.strategy, {});
  auto& strategy = service.strategy;
  const bool is_chosen_rolling =
      given.type ? given.type->value == Type::rolling : given.max_surge || given.max_unavailable;
  const bool must_recreate = std::ranges::any_of(service.volumes, is_for_one_pod);
  const auto usual = must_recreate && !is_chosen_rolling ? Type::recreate : Type::rolling;
  strategy.type = value_or(given.type, usual);
  strategy.max_surge = value_or(given.max_surge, strategy.max_surge);
  strategy.max_unavailable = value_or(given.max_unavailable, strategy.max_unavailable);
  strategy.deadline = value_or(given.deadline, strategy.deadline);
  for (const auto& rule : value_or(given.rules, {})) {
    strategy.rules[*rule.name] = rule.value;
  }
  if (!given.type || !given.type->is_broken) {
    refuse_foreign_keys(given, strategy.type, out);
  }
  if (strategy.type != Type::recreate) {
    check_rolling(given, strategy, out);
  }
  if (strategy.type == Type::canary || strategy.type == Type::blue_green) {
    check_sharing(written, given, service, out);
  } else {
    warn_of_volumes(service, is_chosen_rolling, out);
  }
  if (strategy.type == Type::canary) {
    strategy.canary = settle_canary(written, given, service, out);
  } else if (strategy.type == Type::blue_green) {
    strategy.blue_green = settle_blue_green(given);
  }
}

}  // namespace deployctl::project
