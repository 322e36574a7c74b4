#include "error/api_error.hpp"
#include "repository/sqlite_user_repository.hpp"
#include "store/database.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>

namespace store {
namespace {

using repository::SqliteUserRepository;

// A database file in a folder of its own.
class Store : public testing::Test {
 protected:
  Store() {
    std::string pattern = (std::filesystem::temp_directory_path() / "api-store-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~Store() override { std::filesystem::remove_all(folder); }

  DatabaseOptions file() const { return {.path = folder / "users.db", .connections = 4, .queue_limit = 256}; }

  std::filesystem::path folder;
};

TEST_F(Store, keeps_users_across_a_restart) {
  {
    Database database(file());
    SqliteUserRepository users(database);
    const auto added = run(users.add({.name = "小明", .email = "ming@example.cn", .age = 30}));
    ASSERT_TRUE(added);
    EXPECT_EQ(added->id, 1);
  }
  Database database(file());
  SqliteUserRepository users(database);
  const auto found = run(users.find(1));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "小明");
  EXPECT_EQ(found->email, "ming@example.cn");
  EXPECT_EQ(found->age, 30);
  EXPECT_EQ(found->created_at.size(), std::string("2026-03-01T12:00:00.123Z").size());
}

TEST_F(Store, in_memory_is_one_database_for_all_queries) {
  Database database({.path = ":memory:", .connections = 4, .queue_limit = 256});
  SqliteUserRepository users(database);
  run(users.add({.name = "Ann", .email = "a@b.cn", .age = {}}));
  for (int count = 0; count < 8; ++count) {
    EXPECT_EQ(run(users.find(1))->age, std::nullopt);
  }
}

TEST_F(Store, refuses_a_second_user_with_the_same_email_in_other_letters_and_goes_on) {
  Database database(file());
  SqliteUserRepository users(database);
  EXPECT_TRUE(run(users.add({.name = "Ann", .email = "ann@b.cn", .age = {}})));
  EXPECT_FALSE(run(users.add({.name = "Bob", .email = "ANN@b.cn", .age = {}})));
  EXPECT_TRUE(run(users.add({.name = "Bob", .email = "bob@b.cn", .age = {}})));
}

TEST_F(Store, binds_values_and_never_mixes_them_into_sql) {
  Database database(file());
  SqliteUserRepository users(database);
  run(users.add({.name = "'); DROP TABLE users; --", .email = "a@b.cn", .age = {}}));
  EXPECT_EQ(run(users.find(1))->name, "'); DROP TABLE users; --");
}

TEST_F(Store, loses_no_user_when_many_are_added_at_once) {
  Database database(file());
  SqliteUserRepository users(database);
  std::vector<std::future<bool>> added;
  for (int number = 0; number < 40; ++number) {
    added.push_back(std::async(std::launch::async, [&users, number] {
      return run(users.add({.name = "N", .email = "n" + std::to_string(number) + "@b.cn", .age = {}})).has_value();
    }));
  }
  for (auto& each : added) {
    EXPECT_TRUE(each.get());
  }
  EXPECT_TRUE(run(users.find(40)));
}

TEST_F(Store, migrates_once_and_only_what_is_new) {
  const std::vector<std::string> first{"CREATE TABLE t (a)"};
  const std::vector<std::string> second{"CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"};
  Database(file()).migrate(first);
  Database(file()).migrate(second);
  Database(file()).migrate(second);
  Connection connection(file().path);
  Query query(connection, "SELECT count(*) FROM t");
  ASSERT_TRUE(query.next());
  EXPECT_EQ(query.integer(0), 1);
}

TEST_F(Store, leaves_the_database_as_it_was_when_a_migration_fails) {
  const std::vector<std::string> broken{"CREATE TABLE t (a)", "CREATE NONSENSE"};
  EXPECT_THROW(Database(file()).migrate(broken), StoreError);
  Database(file()).migrate({"CREATE TABLE t (a)"});
}

TEST_F(Store, does_not_touch_a_database_that_is_newer_than_the_program) {
  Database(file()).migrate({"CREATE TABLE t (a)", "CREATE TABLE u (a)"});
  EXPECT_THROW(Database(file()).migrate({"CREATE TABLE t (a)"}), StoreError);
}

TEST_F(Store, says_which_file_it_cannot_open) {
  try {
    const Database database({.path = folder / "none" / "users.db", .connections = 1, .queue_limit = 1});
    FAIL() << "it was opened";
  } catch (const StoreError& error) {
    EXPECT_NE(std::string(error.what()).find("none/users.db"), std::string::npos) << error.what();
  }
}

TEST_F(Store, passes_on_what_a_job_throws) {
  Database database(file());
  EXPECT_THROW(run(database.run([](Connection&) { throw std::range_error("no"); })), std::range_error);
  EXPECT_THROW(run(database.run([](Connection& connection) { connection.execute("NONSENSE"); })), StoreError);
}

TEST_F(Store, is_busy_rather_than_slow_when_too_many_queries_wait) {
  Database database({.path = ":memory:", .connections = 1, .queue_limit = 0});
  try {
    run(database.run([](Connection&) {}));
    FAIL() << "it was taken";
  } catch (const error::ApiError& error) {
    EXPECT_EQ(error.code(), error::Code::busy);
  }
}

TEST(Worker_pool, runs_every_job_it_took_before_it_ends) {
  std::atomic<int> done = 0;
  int taken = 0;
  {
    WorkerPool pool(3, 1000);
    for (int count = 0; count < 500; ++count) {
      taken += pool.submit([&done](std::size_t) { ++done; }) ? 1 : 0;
    }
  }
  EXPECT_EQ(taken, 500);
  EXPECT_EQ(done, 500);
}

TEST(Worker_pool, refuses_a_job_when_its_queue_is_full) {
  std::promise<void> started;
  std::promise<void> release;
  WorkerPool pool(1, 2);
  ASSERT_TRUE(pool.submit([&](std::size_t) {
    started.set_value();
    release.get_future().wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.submit([](std::size_t) {}));
  EXPECT_TRUE(pool.submit([](std::size_t) {}));
  EXPECT_FALSE(pool.submit([](std::size_t) {}));
  release.set_value();
}

}  // namespace
}  // namespace store
