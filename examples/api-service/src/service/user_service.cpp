#include "service/user_service.hpp"

#include "error/api_error.hpp"

namespace service {

using error::ApiError;
using error::Code;

asio::awaitable<model::User> UserService::get(model::UserId id) {
  auto user = co_await users_.find(id);
  if (!user) {
    throw ApiError(Code::user_not_found, "there is no user " + std::to_string(id));
  }
  co_return std::move(*user);
}

asio::awaitable<model::User> UserService::create(model::NewUser user) {
  auto created = co_await users_.add(std::move(user));
  if (!created) {
    throw ApiError(Code::email_taken, "there is a user with this e-mail already")
        .with_fields({{.field = "email", .reason = "is taken"}});
  }
  co_return std::move(*created);
}

}  // namespace service
