// One request on its way through the chain of middleware to its handler and back: what Gin calls *gin.Context.
// It belongs to one connection and is used by one thread at a time.
#pragma once

#include "http/awaitable.hpp"
#include "http/envelope.hpp"
#include "http/message.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace router {

namespace asio = boost::asio;

class Context;
using Handler = std::function<asio::awaitable<void>(Context&)>;
using Chain = std::vector<Handler>;  // middleware in order, the handler last
using Params = std::vector<std::pair<std::string, std::string>>;

class Context {
 public:
  Context(std::shared_ptr<const http::Request> request, std::string route, Params params,
          std::shared_ptr<const Chain> chain);

  const http::Request& request() const { return *request_; }
  // The pattern of the route, such as "/users/:id": few values whatever clients send. Empty when none matched.
  const std::string& route() const { return route_; }
  // The decoded path parameter of that name; empty when the route has none.
  std::string_view param(std::string_view name) const;
  std::optional<std::string> query(std::string_view name) const;
  std::optional<std::string_view> header(std::string_view name) const { return request_->headers.find(name); }

  // Runs the rest of the chain. Middleware that does not call it ends the request with its own answer.
  asio::awaitable<void> next();

  void reply(int status, const http::Json& data) { take(http::success(status, data)); }
  void reply(const error::ApiError& error) { take(http::failure(error)); }
  // Makes this the answer and keeps the header fields that earlier middleware has set.
  void take(http::Response response);

  http::Response response;
  std::string trace_id;  // set by middleware::trace
  std::string user_id;   // set by middleware::identity, not yet checked to be a number

 private:
  std::shared_ptr<const http::Request> request_;
  std::string route_;
  Params params_;
  std::shared_ptr<const Chain> chain_;
  std::size_t position_ = 0;
};

}  // namespace router
