#include "repository/sqlite_user_repository.hpp"

namespace repository {
namespace {

using model::User;
using store::Connection;
using store::Query;

// What is there stays as it is: changes are added at the end, and each database remembers how many it has had.
const std::vector<std::string> migrations{
    R"(CREATE TABLE users (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         name TEXT NOT NULL,
         email TEXT NOT NULL COLLATE NOCASE UNIQUE,
         created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
       ) STRICT)",
    "ALTER TABLE users ADD COLUMN age INTEGER",
};

User to_user(Query& row) {
  return {.id = row.integer(0),
          .name = row.text(1),
          .email = row.text(2),
          .age = row.is_null(3) ? std::nullopt : std::optional(static_cast<int>(row.integer(3))),
          .created_at = row.text(4)};
}

std::optional<User> find_in(Connection& connection, model::UserId id) {
  Query query(connection, "SELECT id, name, email, age, created_at FROM users WHERE id = ?1");
  query.bind(1, id);
  return query.next() ? std::optional(to_user(query)) : std::nullopt;
}

std::optional<User> add_to(Connection& connection, const model::NewUser& user) {
  Query query(connection,
              "INSERT INTO users (name, email, age) VALUES (?1, ?2, ?3) ON CONFLICT (email) DO NOTHING "
              "RETURNING id, name, email, age, created_at");
  query.bind(1, user.name);
  query.bind(2, user.email);
  if (user.age) {
    query.bind(3, *user.age);
  }
  if (!query.next()) {
    return std::nullopt;
  }
  User added = to_user(query);
  query.finish();
  return added;
}

}  // namespace

SqliteUserRepository::SqliteUserRepository(store::Database& database) : database_(database) {
  database_.migrate(migrations);
}

asio::awaitable<std::optional<User>> SqliteUserRepository::find(model::UserId id) {
  std::optional<User> user;
  store::Job job = [&user, id](Connection& connection) { user = find_in(connection, id); };
  co_await database_.run(std::move(job));
  co_return user;
}

asio::awaitable<std::optional<User>> SqliteUserRepository::add(model::NewUser user) {
  std::optional<User> added;
  store::Job job = [&added, &user](Connection& connection) { added = add_to(connection, user); };
  co_await database_.run(std::move(job));
  co_return added;
}

asio::awaitable<void> SqliteUserRepository::ping() {
  store::Job job = [](Connection& connection) { Query(connection, "SELECT count(*) FROM users WHERE id = 0").next(); };
  co_await database_.run(std::move(job));
}

}  // namespace repository
