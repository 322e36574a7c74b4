#include "router/context.hpp"

#include "http/text.hpp"

#include <algorithm>

namespace router {
namespace {

asio::awaitable<void> nothing() {
  co_return;
}

}  // namespace

Context::Context(std::shared_ptr<const http::Request> request, std::string route, Params params,
                 std::shared_ptr<const Chain> chain)
    : request_(std::move(request)), route_(std::move(route)), params_(std::move(params)), chain_(std::move(chain)) {}

std::string_view Context::param(std::string_view name) const {
  const auto found = std::ranges::find(params_, name, &Params::value_type::first);
  return found == params_.end() ? std::string_view() : found->second;
}

std::optional<std::string> Context::query(std::string_view name) const {
  return http::query_value(request_->query, name);
}

asio::awaitable<void> Context::next() {
  return position_ < chain_->size() ? (*chain_)[position_++](*this) : nothing();
}

void Context::take(http::Response answer) {
  response.status = answer.status;
  response.body = std::move(answer.body);
  for (const auto& [name, value] : answer.headers) {
    response.headers.set(name, value);
  }
}

}  // namespace router
