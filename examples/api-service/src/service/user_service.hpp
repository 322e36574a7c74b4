// The rules about users; knows neither HTTP nor SQL.
#pragma once

#include "repository/user_repository.hpp"

namespace service {

namespace asio = boost::asio;

class UserService {
 public:
  // The repository must outlive this.
  explicit UserService(repository::UserRepository& users) : users_(users) {}

  // Throws ApiError(user_not_found).
  asio::awaitable<model::User> get(model::UserId id);

  // Throws ApiError(email_taken).
  asio::awaitable<model::User> create(model::NewUser user);

 private:
  repository::UserRepository& users_;
};

}  // namespace service
