// A pool of connections to one SQLite database, each with a thread of its own. A coroutine hands its queries to `run`
// and goes on, on its own thread, when they are done.
#pragma once

#include "http/awaitable.hpp"
#include "store/sqlite.hpp"
#include "store/worker_pool.hpp"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace store {

namespace asio = boost::asio;

using Job = std::function<void(Connection&)>;

struct DatabaseOptions {
  std::string path = ":memory:";
  std::size_t connections = 4;  // 1 is used for :memory:
  std::size_t queue_limit = 256;
};

class Database {
 public:
  explicit Database(const DatabaseOptions& options);

  // Runs the statements that the database has not had yet, each in a transaction with its number (user_version).
  // Blocks: for the start of the program. Several processes may do it at once.
  void migrate(const std::vector<std::string>& migrations);

  // Throws what the job throws, and ApiError(busy) when too many are waiting.
  asio::awaitable<void> run(Job job);

 private:
  std::deque<Connection> connections_;
  WorkerPool workers_;  // stops before the connections go
};

}  // namespace store
