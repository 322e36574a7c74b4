// The routes of the service and the middleware in front of them, written as in Gin:
//
//     router.use(middleware::trace());
//     auto api = router.group("/api/v1");
//     api.use(middleware::identity());
//     api.get("/users/profile", handlers.profile());
//
// Middleware holds for the routes that are added after it. What no route takes goes through the router's own
// middleware too, so that a 404 has its log line, its trace id and its envelope like any other answer.
#pragma once

#include "router/context.hpp"
#include "router/tree.hpp"

#include <deque>
#include <string>
#include <string_view>

namespace router {

class Router;

class Group {
 public:
  void use(Handler middleware) { chain_.push_back(std::move(middleware)); }
  Group group(std::string_view prefix) const { return {*router_, prefix_ + std::string(prefix), chain_}; }

  void get(std::string_view pattern, Handler handler) { handle("GET", pattern, std::move(handler)); }
  void post(std::string_view pattern, Handler handler) { handle("POST", pattern, std::move(handler)); }
  void handle(std::string_view method, std::string_view pattern, Handler handler);

 private:
  friend class Router;
  Group(Router& router, std::string prefix, Chain chain)
      : router_(&router), prefix_(std::move(prefix)), chain_(std::move(chain)) {}

  Router* router_;
  std::string prefix_;
  Chain chain_;
};

class Router : public Group {
 public:
  Router() : Group(*this, "", {}) {}
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Answers a request. Routes must not be added once this has been called; then it is safe from any thread.
  asio::awaitable<http::Response> serve(http::Request request);

 private:
  friend class Group;
  struct Route {
    std::string pattern;
    std::shared_ptr<const Chain> chain;
  };
  void add(std::string_view method, std::string pattern, Chain chain);
  // The context of a request that goes nowhere: the router's own middleware, then the refusal.
  Context refused(std::shared_ptr<const http::Request> request, const error::ApiError& refusal) const;
  Context context_for(http::Request request) const;

  Tree tree_;
  std::deque<Route> routes_;
};

}  // namespace router
