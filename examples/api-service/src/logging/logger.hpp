// Structured logs: one JSON object a line, as log collectors want it.
//
//     {"time":"2026-03-01T12:00:00.123Z","level":"info","message":"request","trace_id":"…","status":200}
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace logging {

enum class Level { debug, info, warn, error };

std::optional<Level> parse_level(std::string_view text);
std::string_view to_string(Level level);

using Value = std::variant<std::string_view, std::int64_t, double>;
using Field = std::pair<std::string_view, Value>;
using Sink = std::function<void(std::string_view line)>;

// Safe from any thread: a line is handed to the sink whole.
class Logger {
 public:
  Logger(Level least, Sink sink) : least_(least), sink_(std::move(sink)) {}

  void log(Level level, std::string_view message, std::initializer_list<Field> fields = {});
  void debug(std::string_view message, std::initializer_list<Field> fields = {}) { log(Level::debug, message, fields); }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) { log(Level::info, message, fields); }
  void warn(std::string_view message, std::initializer_list<Field> fields = {}) { log(Level::warn, message, fields); }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) { log(Level::error, message, fields); }

 private:
  const Level least_;
  const Sink sink_;
  std::mutex mutex_;
};

// Writes to standard output; a line that cannot be written is lost, not fatal.
Sink standard_output();

}  // namespace logging
