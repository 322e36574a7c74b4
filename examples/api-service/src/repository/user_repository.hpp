// Where users are kept. An interface, so that the service is tested without a database and a MySQL one can come later.
#pragma once

#include "http/awaitable.hpp"
#include "model/user.hpp"

#include <optional>

namespace repository {

namespace asio = boost::asio;

class UserRepository {
 public:
  virtual ~UserRepository() = default;

  virtual asio::awaitable<std::optional<model::User>> find(model::UserId id) = 0;

  // The user with its new id; nothing when the e-mail is taken.
  virtual asio::awaitable<std::optional<model::User>> add(model::NewUser user) = 0;

  // Comes back when the store answers, throws when it does not.
  virtual asio::awaitable<void> ping() = 0;
};

}  // namespace repository
