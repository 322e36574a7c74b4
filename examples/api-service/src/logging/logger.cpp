#include "logging/logger.hpp"

#include "http/text.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <unistd.h>

namespace logging {
namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warn", "error"};

nlohmann::ordered_json to_json(const Value& value) {
  return std::visit([](const auto& each) { return nlohmann::ordered_json(each); }, value);
}

}  // namespace

std::optional<Level> parse_level(std::string_view text) {
  for (std::size_t at = 0; at < level_names.size(); ++at) {
    if (level_names.at(at) == text) {
      return static_cast<Level>(at);
    }
  }
  return std::nullopt;
}

std::string_view to_string(Level level) {
  return level_names.at(static_cast<std::size_t>(level));
}

void Logger::log(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (level < least_) {
    return;
  }
  nlohmann::ordered_json line{
      {"time", http::iso_time(std::chrono::system_clock::now())}, {"level", to_string(level)}, {"message", message}};
  for (const auto& [name, value] : fields) {
    line[std::string(name)] = to_json(value);
  }
  const std::string text = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const std::lock_guard lock(mutex_);
  sink_(text);
}

Sink standard_output() {
  return [](std::string_view line) {
    while (!line.empty()) {
      const auto written = ::write(STDOUT_FILENO, line.data(), line.size());
      if (written < 0 && errno != EINTR) {
        return;
      }
      line.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
  };
}

}  // namespace logging
