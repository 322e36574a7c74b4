#include "middleware/middleware.hpp"

#include "error/api_error.hpp"
#include "middleware/trace_id.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace middleware {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using error::ApiError;
using error::Code;
using router::Context;

std::string trace_id_of(const Context& context) {
  if (auto id = checked_trace_id(context.header("X-Trace-Id").value_or(""))) {
    return std::move(*id);
  }
  if (auto id = traceparent_trace_id(context.header("traceparent").value_or(""))) {
    return std::move(*id);
  }
  return made_trace_id();
}

bool is_routine(const Context& context) {
  static constexpr std::array<std::string_view, 3> probes{"/health", "/ready", "/metrics"};
  return context.response.status == 200 && std::ranges::find(probes, context.route()) != probes.end();
}

logging::Level level_for(const Context& context) {
  if (context.response.status >= 500) {
    return logging::Level::error;
  }
  return is_routine(context) ? logging::Level::debug : logging::Level::info;
}

// Counts up and, whatever happens, down again.
class InFlight {
 public:
  explicit InFlight(metrics::Gauge& gauge) : gauge_(gauge) { gauge_.add(1); }
  ~InFlight() { gauge_.add(-1); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  metrics::Gauge& gauge_;
};

// The readable name of the type of the exception being handled.
std::string current_exception_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    return "unknown";
  }
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status),
                                                         std::free);
  return name ? name.get() : type->name();
}

// Called while the exception is being handled.
void answer_unexpected(Context& context, logging::Logger& logger, std::string_view what) {
  logger.error("unexpected error", {{"trace_id", context.trace_id},
                                    {"method", context.request().method},
                                    {"route", context.route()},
                                    {"error", what},
                                    {"error_type", current_exception_type()}});
  context.reply(ApiError(Code::internal, "internal error"));
}

}  // namespace

router::Handler trace() {
  return [](Context& context) -> asio::awaitable<void> {
    context.trace_id = trace_id_of(context);
    context.response.headers.set("X-Trace-Id", context.trace_id);
    return context.next();
  };
}

router::Handler access_log(logging::Logger& logger) {
  return [&logger](Context& context) -> asio::awaitable<void> {
    const auto start = Clock::now();
    co_await context.next();
    const std::chrono::duration<double, std::milli> duration = Clock::now() - start;
    logger.log(
        level_for(context), "request",
        {{"trace_id", context.trace_id},
         {"method", context.request().method},
         {"path", context.request().path},
         {"status", std::int64_t{context.response.status}},
         {"duration_ms", static_cast<double>(std::chrono::round<std::chrono::microseconds>(duration).count()) / 1000}});
  };
}

router::Handler measure(metrics::Metrics& metrics) {
  return [&metrics](Context& context) -> asio::awaitable<void> {
    const InFlight counted(metrics.in_flight);
    const auto start = Clock::now();
    co_await context.next();
    metrics.observe_request(context.request().method, context.route(), context.response.status, Clock::now() - start);
  };
}

router::Handler errors(logging::Logger& logger) {
  return [&logger](Context& context) -> asio::awaitable<void> {
    try {
      co_await context.next();
    } catch (const ApiError& error) {
      context.reply(error);
    } catch (const std::exception& error) {
      answer_unexpected(context, logger, error.what());
    } catch (...) {
      answer_unexpected(context, logger, "not a std::exception");
    }
  };
}

router::Handler identity() {
  return [](Context& context) -> asio::awaitable<void> {
    const auto header = context.header("X-User-Id");
    const auto query = context.query("user_id");
    context.user_id = header ? std::string(*header) : query.value_or("");
    if (context.user_id.empty()) {
      throw ApiError(Code::identity_missing, "who asks is not known: send the field X-User-Id")
          .with_header("WWW-Authenticate", "X-User-Id realm=\"users\"");
    }
    return context.next();
  };
}

}  // namespace middleware
