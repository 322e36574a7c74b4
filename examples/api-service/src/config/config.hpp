// The settings of the service, from environment variables (the twelve-factor way): each has a default that works in a
// container with a read-only root filesystem.
#pragma once

#include "logging/logger.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace config {

using std::chrono::milliseconds;

struct Config {
  std::string host = "0.0.0.0";  // numeric: nothing here asks a name server
  std::uint16_t port = 8080;     // 0 lets the system choose
  logging::Level log_level = logging::Level::info;
  std::string greeting = "Hello from the API service";
  std::string database_path = ":memory:";
  int database_connections = 4;  // always 1 for :memory:, where every connection would be a database of its own
  int database_queue = 256;      // queries that may wait; further ones are answered 503
  int io_threads = 2;
  milliseconds request_timeout = std::chrono::seconds(5);  // for a handler
  milliseconds read_timeout = std::chrono::seconds(10);    // for a whole request, from its first byte
  milliseconds write_timeout = std::chrono::seconds(10);   // for a whole answer
  milliseconds idle_timeout = std::chrono::seconds(75);    // between two requests of a connection
  std::uint32_t max_body_bytes = 1024 * 1024;
  std::uint32_t max_header_bytes = 16 * 1024;
  milliseconds drain_delay = std::chrono::seconds(5);        // not ready but still accepting, after SIGTERM
  milliseconds shutdown_timeout = std::chrono::seconds(20);  // for all of the shutdown, the drain delay included
  std::string version;
  std::string commit;
  std::string build_time;
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment process_environment();

using Mistakes = std::vector<std::string>;

// The configuration, or everything that is wrong with it. A variable set to nothing counts as not set.
std::variant<Config, Mistakes> load(const Environment& environment);

struct Variable {
  std::string_view name;
  std::string_view fallback;
  std::string_view meaning;
};
// For --help.
const std::vector<Variable>& variables();

// "250ms", "10s", "1m30s", "2h"; nothing when it is none of these.
std::optional<milliseconds> parse_duration(std::string_view text);

// "4096", "16Ki", "1Mi", "1Gi", "64k", "1M"; nothing when it is none of these or too large for 64 bits.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace config
