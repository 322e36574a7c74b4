#include "middleware/middleware.hpp"

#include "router/router.hpp"
#include "support/run.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace middleware {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using error::ApiError;
using error::Code;
using nlohmann::json;
using router::Context;
using router::Handler;

class Middleware : public testing::Test {
 protected:
  http::Response get(const std::string& path, http::Headers headers = {}, std::string query = {}) {
    return run(router.serve({.method = "GET",
                             .path = path,
                             .query = std::move(query),
                             .headers = std::move(headers),
                             .body = {},
                             .refusal = {}}));
  }

  static Handler answer(int status) {
    return [status](Context& context) -> asio::awaitable<void> {
      context.reply(status, {{"trace_id", context.trace_id}, {"user_id", context.user_id}});
      co_return;
    };
  }

  static Handler sleep(std::chrono::milliseconds time) {
    return [time](Context& context) -> asio::awaitable<void> {
      asio::steady_timer timer(co_await asio::this_coro::executor, time);
      co_await timer.async_wait(asio::use_awaitable);
      context.reply(200, {});
    };
  }

  template <typename Thrown>
  static Handler fail(Thrown thrown) {
    return [thrown](Context&) -> asio::awaitable<void> {
      throw thrown;
      co_return;
    };
  }

  static http::Headers header(std::string_view name, std::string_view value) {
    http::Headers headers;
    headers.add(name, value);
    return headers;
  }

  router::Router router;
  std::vector<json> lines;
  logging::Logger logger{logging::Level::debug, [this](std::string_view line) { lines.push_back(json::parse(line)); }};
};

TEST_F(Middleware, trace_takes_the_id_of_the_client_then_of_traceparent_and_else_makes_one) {
  router.use(trace());
  router.get("/", answer(200));
  const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  EXPECT_EQ(get("/", header("X-Trace-Id", "mine-1")).headers.find("X-Trace-Id"), "mine-1");
  EXPECT_EQ(get("/", header("traceparent", parent)).headers.find("X-Trace-Id"), "4bf92f3577b34da6a3ce929d0e0e4736");
  auto both = header("X-Trace-Id", "not plain!");
  both.add("traceparent", parent);
  EXPECT_EQ(get("/", both).headers.find("X-Trace-Id"), "4bf92f3577b34da6a3ce929d0e0e4736");

  const auto made = get("/");
  EXPECT_EQ(made.headers.find("X-Trace-Id")->size(), 32U);
  EXPECT_EQ(json::parse(made.body)["data"]["trace_id"], *made.headers.find("X-Trace-Id"));
}

TEST_F(Middleware, access_log_writes_what_was_asked_and_answered) {
  router.use(trace());
  router.use(access_log(logger));
  router.get("/users/:id", answer(201));
  get("/users/7", header("X-Trace-Id", "mine-1"), "secret=1");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["message"], "request");
  EXPECT_EQ(lines[0]["trace_id"], "mine-1");
  EXPECT_EQ(lines[0]["method"], "GET");
  EXPECT_EQ(lines[0]["path"], "/users/7");
  EXPECT_EQ(lines[0]["status"], 201);
  EXPECT_TRUE(lines[0]["duration_ms"].is_number());
}

TEST_F(Middleware, access_log_is_quiet_about_probes_that_succeed_and_loud_about_failures) {
  router.use(access_log(logger));
  router.get("/health", answer(200));
  router.get("/ready", answer(503));
  router.get("/other", answer(200));
  get("/health");
  get("/ready");
  get("/other");
  EXPECT_EQ(lines.at(0)["level"], "debug");
  EXPECT_EQ(lines.at(1)["level"], "error");
  EXPECT_EQ(lines.at(2)["level"], "info");
}

TEST_F(Middleware, measure_counts_by_method_route_and_status_and_what_is_in_flight) {
  metrics::Metrics metrics("1", "c");
  router.use(measure(metrics));
  router.get("/users/:id", [&metrics](Context& context) -> asio::awaitable<void> {
    EXPECT_NE(metrics.text().find("http_requests_in_flight 1\n"), std::string::npos);
    context.reply(200, {});
    co_return;
  });
  get("/users/7");
  get("/users/8");
  EXPECT_NE(metrics.text().find("http_requests_total{method=\"GET\",route=\"/users/:id\",status=\"200\"} 2\n"),
            std::string::npos);
  EXPECT_NE(metrics.text().find("http_requests_in_flight 0\n"), std::string::npos);
}

TEST_F(Middleware, errors_turns_a_business_error_into_its_answer_and_does_not_log_it) {
  router.use(errors(logger));
  router.get("/", fail(ApiError(Code::user_not_found, "there is no user 7")));
  const auto response = get("/");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "{\"code\":40401,\"msg\":\"there is no user 7\",\"data\":null}\n");
  EXPECT_TRUE(lines.empty());
}

TEST_F(Middleware, errors_tells_the_log_everything_and_the_client_nothing_about_the_unexpected) {
  router.use(trace());
  router.use(errors(logger));
  router.get("/", fail(std::out_of_range("table users, password hunter2")));
  router.get("/odd", fail(7));

  const auto response = get("/", header("X-Trace-Id", "mine-1"));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, "{\"code\":50000,\"msg\":\"internal error\",\"data\":null}\n");
  EXPECT_EQ(response.headers.find("X-Trace-Id"), "mine-1");
  EXPECT_EQ(lines.at(0)["level"], "error");
  EXPECT_EQ(lines.at(0)["trace_id"], "mine-1");
  EXPECT_EQ(lines.at(0)["error"], "table users, password hunter2");
  EXPECT_EQ(lines.at(0)["error_type"], "std::out_of_range");

  EXPECT_EQ(get("/odd").status, 500);
  EXPECT_EQ(lines.at(1)["error_type"], "int");
}

TEST_F(Middleware, timeout_answers_503_when_the_handler_takes_too_long) {
  router.use(errors(logger));
  router.use(timeout(20ms));
  router.get("/slow", sleep(100ms));
  router.get("/quick", sleep(1ms));
  const auto slow = get("/slow");
  EXPECT_EQ(slow.status, 503);
  EXPECT_EQ(json::parse(slow.body)["code"], 50301);
  EXPECT_EQ(get("/quick").status, 200);
}

TEST_F(Middleware, timeout_passes_on_what_the_handler_throws_and_answers) {
  router.use(trace());
  router.use(errors(logger));
  router.use(timeout(1s));
  router.get("/error", fail(ApiError(Code::email_taken, "taken")));
  router.get("/made", answer(201));
  EXPECT_EQ(get("/error").status, 409);
  const auto made = get("/made", header("X-Trace-Id", "mine-1"));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(json::parse(made.body)["data"]["trace_id"], "mine-1");
}

TEST_F(Middleware, identity_comes_from_the_header_before_the_query_and_is_required) {
  router.use(errors(logger));
  router.use(identity());
  router.get("/", answer(200));
  const auto user_id = [](const http::Response& response) { return json::parse(response.body)["data"]["user_id"]; };
  EXPECT_EQ(user_id(get("/", header("X-User-Id", "7"))), "7");
  EXPECT_EQ(user_id(get("/", {}, "user_id=8")), "8");
  EXPECT_EQ(user_id(get("/", header("X-User-Id", "7"), "user_id=8")), "7");
  const auto nobody = get("/");
  EXPECT_EQ(nobody.status, 401);
  EXPECT_TRUE(nobody.headers.find("WWW-Authenticate"));
}

}  // namespace
}  // namespace middleware
