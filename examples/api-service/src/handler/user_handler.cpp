#include "handler/user_handler.hpp"

#include "error/api_error.hpp"
#include "handler/user_binding.hpp"
#include "http/text.hpp"

#include <nlohmann/json.hpp>

namespace handler {
namespace {

namespace asio = boost::asio;
using error::ApiError;
using error::Code;
using router::Context;

http::Json to_json(const model::User& user) {
  return {{"id", user.id},
          {"name", user.name},
          {"email", user.email},
          {"age", user.age ? http::Json(*user.age) : http::Json(nullptr)},
          {"created_at", user.created_at}};
}

void require_json(const Context& context) {
  const auto type = context.header("Content-Type").value_or("application/json");
  const auto media_type = type.substr(0, type.find_first_of("; \t"));
  if (!http::equal_ignoring_case(media_type, "application/json")) {
    throw ApiError(Code::unsupported_media_type, "the body must be sent as Content-Type: application/json");
  }
}

}  // namespace

router::Handler UserHandler::get() {
  return [&users = users_](Context& context) -> asio::awaitable<void> {
    const auto id = bind_user_id(context.param("id"));
    const auto user = co_await users.get(id);
    context.reply(200, to_json(user));
  };
}

router::Handler UserHandler::create() {
  return [&users = users_](Context& context) -> asio::awaitable<void> {
    require_json(context);
    auto wanted = bind_new_user(context.request().body);
    const auto user = co_await users.create(std::move(wanted));
    context.reply(201, to_json(user));
    context.response.headers.set("Location", "/users/" + std::to_string(user.id));
  };
}

router::Handler UserHandler::profile() {
  return [&users = users_](Context& context) -> asio::awaitable<void> {
    const auto id = bind_user_id(context.user_id);
    const auto user = co_await users.get(id);
    context.reply(200, to_json(user));
  };
}

}  // namespace handler
