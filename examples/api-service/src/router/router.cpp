#include "router/router.hpp"

namespace router {
namespace {

using error::ApiError;
using error::Code;

// Why a request that found no route is refused.
struct Refusal {
  ApiError operator()(const NotFound&) const { return {Code::route_not_found, "there is nothing at this path"}; }
  ApiError operator()(const BadPath&) const { return {Code::malformed_request, "the path is not percent-encoded"}; }
  ApiError operator()(const MethodNotAllowed& match) const {
    return ApiError(Code::method_not_allowed, "this path does not take this method").with_header("Allow", match.allow);
  }
  ApiError operator()(const Found&) const { return {Code::internal, "a found route is not a refusal"}; }
};

}  // namespace

void Group::handle(std::string_view method, std::string_view pattern, Handler handler) {
  Chain chain = chain_;
  chain.push_back(std::move(handler));
  router_->add(method, prefix_ + std::string(pattern), std::move(chain));
}

void Router::add(std::string_view method, std::string pattern, Chain chain) {
  tree_.insert(method, pattern, routes_.size());
  routes_.push_back({.pattern = std::move(pattern), .chain = std::make_shared<const Chain>(std::move(chain))});
}

asio::awaitable<http::Response> Router::serve(http::Request request) {
  Context context = context_for(std::move(request));
  co_await context.next();
  co_return std::move(context.response);
}

Context Router::context_for(http::Request arrived) const {
  const auto request = std::make_shared<const http::Request>(std::move(arrived));
  if (request->refusal) {
    return refused(request, *request->refusal);
  }
  Match match = tree_.find(request->method, request->path);
  if (auto* found = std::get_if<Found>(&match)) {
    const Route& route = routes_[found->route];
    return {request, route.pattern, std::move(found->params), route.chain};
  }
  return refused(request, std::visit(Refusal{}, match));
}

Context Router::refused(std::shared_ptr<const http::Request> request, const ApiError& refusal) const {
  auto chain = std::make_shared<Chain>(chain_);
  chain->push_back([refusal](Context&) -> asio::awaitable<void> { throw refusal; });
  return {std::move(request), "", {}, std::move(chain)};
}

}  // namespace router
