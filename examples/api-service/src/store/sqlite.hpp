// SQLite's C interface with owners: a connection that keeps its prepared statements, and a query on one of them.
// A connection is used by one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace store {

// Something SQLite could not do; the message is for the log, not for clients.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Connection {
 public:
  // A file is made when it is not there. Write-ahead logging, so that readers do not wait for a writer.
  explicit Connection(const std::string& path);

  // Statements without values, run for their effect.
  void execute(const std::string& sql);

 private:
  friend class Query;
  struct Closer {
    void operator()(sqlite3* handle) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Closer>;

  sqlite3_stmt* prepared(std::string_view sql);

  std::unique_ptr<sqlite3, Closer> handle_;
  std::map<std::string, Statement, std::less<>> statements_;  // gone before the handle
};

// One run of a prepared statement; values are bound from 1, columns read from 0.
class Query {
 public:
  Query(Connection& connection, std::string_view sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  void bind(int position, std::int64_t value);
  void bind(int position, std::string_view value);  // must live until the query has run

  // Goes to the next row; false when there is none.
  bool next();
  // Runs to the end: a change with RETURNING is committed only then.
  void finish();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  void check(int result);

  sqlite3_stmt* statement_;
};

}  // namespace store
