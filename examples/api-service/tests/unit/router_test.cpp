#include "router/router.hpp"

#include "support/run.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace router {
namespace {

using error::ApiError;
using error::Code;

http::Request request(std::string method, std::string path, std::string query = {}) {
  return {.method = std::move(method),
          .path = std::move(path),
          .query = std::move(query),
          .headers = {},
          .body = {},
          .refusal = {}};
}

// Middleware that writes its name before and after what it wraps.
Handler around(std::string& trail, std::string name) {
  return [&trail, name](Context& context) -> asio::awaitable<void> {
    trail += name + "(";
    co_await context.next();
    trail += ")";
  };
}

Handler mark(std::string& trail, std::string name) {
  return [&trail, name](Context& context) -> asio::awaitable<void> {
    trail += name;
    context.reply(200, {});
    co_return;
  };
}

TEST(Router, runs_middleware_around_the_handler_in_the_order_it_was_added) {
  std::string trail;
  Router router;
  router.use(around(trail, "a"));
  router.use(around(trail, "b"));
  router.get("/", mark(trail, "handler"));
  EXPECT_EQ(run(router.serve(request("GET", "/"))).status, 200);
  EXPECT_EQ(trail, "a(b(handler))");
}

TEST(Router, gives_a_group_its_prefix_and_its_middleware_and_its_parents) {
  std::string trail;
  Router router;
  router.use(around(trail, "root"));
  auto api = router.group("/api");
  api.use(around(trail, "api"));
  auto v1 = api.group("/v1");
  v1.use(around(trail, "v1"));
  v1.get("/deep", mark(trail, "deep"));
  api.get("/shallow", mark(trail, "shallow"));
  router.get("/top", mark(trail, "top"));

  run(router.serve(request("GET", "/api/v1/deep")));
  EXPECT_EQ(trail, "root(api(v1(deep)))");
  trail.clear();
  run(router.serve(request("GET", "/api/shallow")));
  EXPECT_EQ(trail, "root(api(shallow))");
  trail.clear();
  run(router.serve(request("GET", "/top")));
  EXPECT_EQ(trail, "root(top)");
}

TEST(Router, ends_the_chain_at_middleware_that_does_not_go_on) {
  std::string trail;
  Router router;
  router.use(around(trail, "a"));
  router.use(mark(trail, "gate"));
  router.get("/", mark(trail, "handler"));
  run(router.serve(request("GET", "/")));
  EXPECT_EQ(trail, "a(gate)");
}

TEST(Router, gives_the_handler_route_parameters_and_query) {
  Router router;
  router.get("/users/:id", [](Context& context) -> asio::awaitable<void> {
    context.reply(200, {{"route", context.route()},
                        {"id", context.param("id")},
                        {"none", context.param("none")},
                        {"page", context.query("page").value_or("-")}});
    co_return;
  });
  const auto response = run(router.serve(request("GET", "/users/7", "page=2")));
  EXPECT_EQ(nlohmann::json::parse(response.body)["data"],
            (nlohmann::json{{"route", "/users/:id"}, {"id", "7"}, {"none", ""}, {"page", "2"}}));
}

TEST(Router, sends_what_no_route_takes_through_its_own_middleware) {
  Router router;
  std::string codes;
  router.use([&codes](Context& context) -> asio::awaitable<void> {
    try {
      co_await context.next();
    } catch (const ApiError& error) {
      codes += std::to_string(static_cast<int>(error.code())) + context.route() + " ";
    }
  });
  router.get("/here", [](Context&) -> asio::awaitable<void> { co_return; });
  run(router.serve(request("GET", "/nope")));
  run(router.serve(request("POST", "/here")));
  run(router.serve(request("GET", "/%zz")));
  http::Request refused = request("GET", "/here");
  refused.refusal = ApiError(Code::body_too_large, "");
  run(router.serve(std::move(refused)));
  EXPECT_EQ(codes, "40400 40500 40000 41300 ");
}

TEST(Context, keeps_header_fields_of_middleware_when_the_answer_is_made) {
  Router router;
  router.use([](Context& context) -> asio::awaitable<void> {
    context.response.headers.set("X-Early", "1");
    co_await context.next();
  });
  router.get("/", [](Context& context) -> asio::awaitable<void> {
    context.reply(200, {});
    co_return;
  });
  EXPECT_EQ(run(router.serve(request("GET", "/"))).headers.find("x-early"), "1");
}

}  // namespace
}  // namespace router
