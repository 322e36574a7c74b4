// Users in SQLite.
#pragma once

#include "repository/user_repository.hpp"
#include "store/database.hpp"

namespace repository {

class SqliteUserRepository : public UserRepository {
 public:
  // Brings the schema up to date first. The database must outlive this.
  explicit SqliteUserRepository(store::Database& database);

  asio::awaitable<std::optional<model::User>> find(model::UserId id) override;
  asio::awaitable<std::optional<model::User>> add(model::NewUser user) override;
  asio::awaitable<void> ping() override;

 private:
  store::Database& database_;
};

}  // namespace repository
