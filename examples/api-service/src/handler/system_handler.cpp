#include "handler/system_handler.hpp"

#include "error/api_error.hpp"

#include <nlohmann/json.hpp>

namespace handler {

namespace asio = boost::asio;
using error::ApiError;
using error::Code;
using router::Context;

router::Handler hello(std::string greeting) {
  return [greeting = std::move(greeting)](Context& context) -> asio::awaitable<void> {
    context.reply(200, {{"message", greeting}, {"status", "success"}});
    co_return;
  };
}

router::Handler health() {
  return [](Context& context) -> asio::awaitable<void> {
    context.reply(200, {{"status", "up"}});
    co_return;
  };
}

router::Handler ready(const app::Lifecycle& lifecycle, repository::UserRepository& store) {
  return [&lifecycle, &store](Context& context) -> asio::awaitable<void> {
    if (lifecycle.is_draining()) {
      throw ApiError(Code::draining, "the service is shutting down");
    }
    try {
      co_await store.ping();
    } catch (const ApiError&) {
      throw;
    } catch (const std::exception&) {
      throw ApiError(Code::store_unavailable, "the store does not answer");
    }
    context.reply(200, {{"status", "ready"}});
  };
}

router::Handler version(Build build) {
  return [build = std::move(build)](Context& context) -> asio::awaitable<void> {
    context.reply(200, {{"version", build.version}, {"commit", build.commit}, {"build_time", build.build_time}});
    co_return;
  };
}

router::Handler metrics(const ::metrics::Metrics& all) {
  return [&all](Context& context) -> asio::awaitable<void> {
    http::Response text{.status = 200, .headers = {}, .body = all.text()};
    text.headers.set("Content-Type", ::metrics::content_type);
    context.take(std::move(text));
    co_return;
  };
}

}  // namespace handler
