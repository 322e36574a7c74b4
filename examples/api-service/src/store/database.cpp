#include "store/database.hpp"

#include "error/api_error.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>

namespace store {
namespace {

std::size_t connections_for(const DatabaseOptions& options) {
  return options.path == ":memory:" ? 1 : options.connections;
}

std::int64_t schema_version(Connection& connection) {
  Query query(connection, "PRAGMA user_version");
  return query.next() ? query.integer(0) : 0;
}

// The write lock is taken before the version is read: of several replicas on one file, one migrates.
void migrate_connection(Connection& connection, const std::vector<std::string>& migrations) {
  connection.execute("BEGIN IMMEDIATE");
  const auto done = schema_version(connection);
  if (done > static_cast<std::int64_t>(migrations.size())) {
    throw StoreError("the database has schema version " + std::to_string(done) + ", newer than this program's " +
                     std::to_string(migrations.size()));
  }
  for (auto at = static_cast<std::size_t>(done); at < migrations.size(); ++at) {
    connection.execute(migrations[at]);
  }
  connection.execute("PRAGMA user_version = " + std::to_string(migrations.size()));
  connection.execute("COMMIT");
}

std::exception_ptr failure_of(const Job& job, Connection& connection) {
  try {
    job(connection);
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

error::ApiError too_busy() {
  return {error::Code::busy, "the service is busy, try again"};
}

}  // namespace

Database::Database(const DatabaseOptions& options) : workers_(connections_for(options), options.queue_limit) {
  for (std::size_t count = 0; count < connections_for(options); ++count) {
    connections_.emplace_back(options.path);
  }
}

void Database::migrate(const std::vector<std::string>& migrations) {
  migrate_connection(connections_.front(), migrations);
}

asio::awaitable<void> Database::run(Job job) {
  auto start = [this](auto handler, Job work) {
    // std::function needs something that can be copied; the coroutine's handler can only be moved.
    auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
    auto executor = asio::get_associated_executor(*waiting);
    auto resume = [waiting, executor, guard = asio::make_work_guard(executor)](std::exception_ptr failure) {
      asio::post(executor, [waiting, failure] { std::move (*waiting)(failure); });
    };
    const bool taken = workers_.submit(
        [this, resume, work = std::move(work)](std::size_t worker) { resume(failure_of(work, connections_[worker])); });
    if (!taken) {
      resume(std::make_exception_ptr(too_busy()));
    }
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      std::move(start), asio::use_awaitable, std::move(job));
}

}  // namespace store
