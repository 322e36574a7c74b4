#include "core/http/trace.hpp"

#include "core/base/text.hpp"

#include <fmt/core.h>

namespace deployctl::http {
namespace {

std::string request_line(const Request& request) {
  auto line = fmt::format("{} {}", request.method, base::to_display(request.url));
  return request.body ? fmt::format("{} ({})", line, base::human_bytes(request.body->size())) : line;
}

std::string answer_of(const base::Result<Response>& answer) {
  return answer ? fmt::format("status {}", answer->status) : answer.error().message;
}

}  // namespace

TracingTransport::TracingTransport(Transport& next, io::Clock& clock, Log log)
    : next_(next), clock_(clock), log_(std::move(log)) {}

base::Result<Response> TracingTransport::send(const Request& request, const Exchange& exchange) {
  const auto line = request_line(request);
  log_(line);
  const auto started = clock_.steady_now();
  auto answer = next_.send(request, exchange);
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady_now() - started);
  log_(fmt::format("{}: {} after {} ms", line, answer_of(answer), elapsed.count()));
  return answer;
}

}  // namespace deployctl::http
