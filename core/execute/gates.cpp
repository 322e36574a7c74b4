#include "core/execute/gates.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/execute/secrets.hpp"
#include "core/kube/resource.hpp"
#include "core/project/gate_token.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace deployctl::execute {
namespace {

using canary::Measurement;
using canary::ProbeAnswer;
using canary::QueryAnswer;

constexpr std::chrono::milliseconds longest_answer{10'000};
constexpr std::uint64_t largest_answer = 1u << 20u;

http::Timeouts timeouts_of(const project::HttpGate& gate) {
  // One that answers a little late is told as late, not as silent.
  const auto total = gate.within ? std::max(*gate.within * 2, std::chrono::milliseconds(1'000)) : longest_answer;
  return {.connect = std::min(total, longest_answer), .total = std::min(total, longest_answer)};
}

// Carries out the probes and queries of one measurement.
class Measurer {
 public:
  Measurer(const GateSubject& subject, cluster::Client& client, const Ports& ports)
      : subject_(subject), client_(client), ports_(ports) {}

  Measurement operator()(const project::HttpGate& gate) {
    std::vector<ProbeAnswer> answers;
    for (int probe = 0; probe < gate.probes && !ports_.stop.stop_requested(); ++probe) {
      answers.push_back(gate.path.empty() ? ask_url(gate) : ask_canary(gate));
    }
    return canary::judge(gate, answers);
  }

  Measurement operator()(const project::PrometheusGate& gate) {
    const auto of_canary = place(subject_.canary);
    canary::QueryAnswers answers{.values = ask_prometheus(gate.server, gate.query, of_canary, gate.token),
                                 .requests = std::nullopt};
    if (!gate.requests.empty()) {
      answers.requests = ask_prometheus(gate.server, gate.requests, of_canary, gate.token);
    }
    return canary::judge(gate, answers, ports_.clock.now());
  }

  // Errors before requests, so that what happens in between never makes more errors than requests.
  Measurement operator()(const project::ErrorsGate& gate) {
    const auto ask = [&](const std::string& query, const std::string& deployment) {
      return ask_prometheus(gate.server, query, place(deployment), gate.token);
    };
    canary::CounterAnswers answers;
    answers.canary_errors = ask(gate.errors, subject_.canary);
    answers.stable_errors = ask(gate.errors, subject_.stable);
    answers.canary_requests = ask(gate.requests, subject_.canary);
    answers.stable_requests = ask(gate.requests, subject_.stable);
    return canary::judge(gate, answers, ports_.clock.now());
  }

 private:
  [[nodiscard]] canary::QueryPlace place(const std::string& deployment) const {
    return {.service = subject_.service, .name_space = subject_.name_space, .deployment = deployment};
  }

  template <typename Ask>
  ProbeAnswer timed(const Ask& ask) {
    const auto began = ports_.clock.steady_now();
    ProbeAnswer answer;
    const base::Result<http::Response> response = ask();
    answer.elapsed = std::chrono::duration_cast<base::Milliseconds>(ports_.clock.steady_now() - began);
    if (response) {
      answer.status = response->status;
      answer.body = response->body;
    } else {
      answer.problem = response.error().message;
    }
    return answer;
  }

  // The way users go: TLS is verified, redirects are answers.
  ProbeAnswer ask_url(const project::HttpGate& gate) {
    const auto url = base::Url::parse(gate.url);
    if (!url) {
      return {.status = 0, .body = {}, .problem = url.error().message, .is_ours = true};
    }
    http::Request request{.url = *url, .timeouts = timeouts_of(gate), .max_body_bytes = largest_answer};
    request.headers.set("User-Agent", "deployctl");
    if (subject_.header) {
      request.headers.set(subject_.header->name, subject_.header->value);
    } else if (!subject_.cookie.empty()) {
      request.headers.set("Cookie", subject_.cookie + "=always");
    }
    return timed([&] { return ports_.transport.send(request, {.sink = {}, .on_upload = {}, .stop = ports_.stop}); });
  }

  // The canary's pods alone, through the API server's proxy of its Service.
  ProbeAnswer ask_canary(const project::HttpGate& gate) {
    const auto service = fmt::format("http:{}:{}", subject_.canary, subject_.port);
    const cluster::Call call{
        .path = fmt::format("/api/v1/namespaces/{}/services/{}/proxy{}", subject_.name_space, service, gate.path),
        .accept = "*/*",
        .operation = {.verb = "ask", .object = "service/" + subject_.canary, .name_space = subject_.name_space},
        .timeouts = timeouts_of(gate),
        .max_body_bytes = largest_answer};
    auto answer = timed([&] { return client_.api().stream(call, {.sink = {}, .on_upload = {}, .stop = ports_.stop}); });
    if (!answer.problem.empty()) {
      answer.is_ours = true;  // the API server itself did not answer
    } else if (answer.status >= 400) {
      explain_refusal(answer, call);
    }
    return answer;
  }

  // A Status object is the API server's own: it may not let us, or does not reach the pod.
  void explain_refusal(ProbeAnswer& answer, const cluster::Call& call) {
    const auto status = cluster::read_status({.status = answer.status, .headers = {}, .body = answer.body});
    if (!status.is_status) {
      return;
    }
    answer.is_ours = answer.status != 503;
    answer.problem = answer.is_ours ? cluster::to_error(status, call.operation, client_.connection()).message
                                    : "the pod is not reached: " + base::printable(status.message);
  }

  QueryAnswer ask_prometheus(const std::string& server, const std::string& query, const canary::QueryPlace& of,
                             const std::optional<project::SecretSource>& token) {
    auto url = base::Url::parse(server);
    if (!url) {
      return {.status = 0, .body = {}, .problem = url.error().message};
    }
    url->path = (url->path.ends_with('/') ? url->path.substr(0, url->path.size() - 1) : url->path) + "/api/v1/query";
    const auto now = std::chrono::duration<double>(ports_.clock.now().time_since_epoch()).count();
    http::Request request{
        .url = url->with_query("query", filled_in(query, of)).with_query("time", fmt::format("{:.3f}", now)),
        .timeouts = {.connect = longest_answer, .total = longest_answer},
        .max_body_bytes = largest_answer};
    request.headers.set("Accept", "application/json");
    request.headers.set("User-Agent", "deployctl");
    if (token) {
      const auto value = read_secret(subject_.directory, *token, ports_.environment, ports_.files);
      if (!value) {
        return {.status = 0, .body = {}, .problem = value.error().message};
      }
      request.headers.set("Authorization", "Bearer " + std::string(base::trim(value->reveal())));
    }
    const auto response = ports_.transport.send(request, {.sink = {}, .on_upload = {}, .stop = ports_.stop});
    return response ? QueryAnswer{.status = response->status, .body = response->body, .problem = {}}
                    : QueryAnswer{.status = 0, .body = {}, .problem = response.error().message};
  }

  const GateSubject& subject_;
  cluster::Client& client_;
  const Ports& ports_;
};

}  // namespace

base::Result<Measurement> measure(const project::Gate& gate, const GateSubject& subject, cluster::Client& client,
                                  const Ports& ports) {
  auto measurement = std::visit(Measurer(subject, client, ports), gate.check);
  return ports.stop.stop_requested() ? base::Result<Measurement>(base::Error::interrupted())
                                     : base::Result<Measurement>(std::move(measurement));
}

base::Status check_tokens(const project::Gates& gates, const std::string& directory, const Ports& ports) {
  for (const auto& gate : gates.gates) {
    const auto* token = project::token_of(gate);
    if (token == nullptr) {
      continue;
    }
    if (const auto read = read_secret(directory, *token, ports.environment, ports.files); !read) {
      return read.error().within("reading the token of a gate");
    }
  }
  return {};
}

}  // namespace deployctl::execute
