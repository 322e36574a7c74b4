// The table of variables below is the only place that knows a variable's name, default and limits: loading and --help
// are both made from it.
#include "config/config.hpp"

#include "config/version.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace config {
namespace {

// What is wrong with a value, as the end of "PORT: '99999' …"; empty when nothing is.
using Reason = std::string;
using Store = Reason (*)(Config& config, std::string_view text);

struct Row {
  Variable variable;
  Store store;
};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

template <auto member, std::uint64_t least, std::uint64_t most>
Reason store_number(Config& config, std::string_view text) {
  const auto value = parse_number(text);
  if (!value || *value < least || *value > most) {
    return "is not a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  }
  config.*member = static_cast<std::remove_reference_t<decltype(config.*member)>>(*value);
  return {};
}

template <auto member>
Reason store_size(Config& config, std::string_view text) {
  const auto value = parse_size(text);
  if (!value || *value < 256 || *value > std::numeric_limits<std::uint32_t>::max()) {
    return "is not a size of at least 256 bytes and below 4Gi, such as 64Ki or 1Mi";
  }
  config.*member = static_cast<std::uint32_t>(*value);
  return {};
}

Reason why_not_duration(std::string_view text) {
  const bool only_the_unit_is_missing = parse_duration(std::string(text) + "s").has_value();
  return only_the_unit_is_missing ? "has no unit; did you mean '" + std::string(text) + "s'?"
                                  : "is not a duration such as 250ms, 10s or 1m30s";
}

template <auto member, int least_milliseconds>
Reason store_duration(Config& config, std::string_view text) {
  const auto value = parse_duration(text);
  if (!value) {
    return why_not_duration(text);
  }
  if (value->count() < least_milliseconds || *value > std::chrono::hours(24)) {
    return least_milliseconds == 0 ? "is longer than 24h" : "is not between 1ms and 24h";
  }
  config.*member = *value;
  return {};
}

template <auto member>
Reason store_text(Config& config, std::string_view text) {
  config.*member = std::string(text);
  return {};
}

Reason store_host(Config& config, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const std::string host(text);
  if (inet_pton(AF_INET, host.c_str(), address.data()) != 1 && inet_pton(AF_INET6, host.c_str(), address.data()) != 1) {
    return "is not a numeric address such as 0.0.0.0, 127.0.0.1 or ::";
  }
  config.host = host;
  return {};
}

Reason store_level(Config& config, std::string_view text) {
  const auto level = logging::parse_level(text);
  if (!level) {
    return "is none of debug, info, warn, error";
  }
  config.log_level = *level;
  return {};
}

constexpr std::array rows{
    Row{{"LISTEN_ADDRESS", "0.0.0.0", "address to listen on, numeric"}, store_host},
    Row{{"PORT", "8080", "port to listen on; 0 for any free one"}, store_number<&Config::port, 0, 65535>},
    Row{{"LOG_LEVEL", "info", "debug, info, warn or error"}, store_level},
    Row{{"GREETING", "Hello from the API service", "what /api/hello says"}, store_text<&Config::greeting>},
    Row{{"DATABASE_PATH", ":memory:", "SQLite file; :memory: keeps nothing"}, store_text<&Config::database_path>},
    Row{{"DATABASE_CONNECTIONS", "4", "connections to a database file, one thread each"},
        store_number<&Config::database_connections, 1, 64>},
    Row{{"DATABASE_QUEUE", "256", "queries that may wait for a connection"},
        store_number<&Config::database_queue, 1, 65536>},
    Row{{"IO_THREADS", "2", "threads that serve connections"}, store_number<&Config::io_threads, 1, 64>},
    Row{{"REQUEST_TIMEOUT", "5s", "longest a handler may take"}, store_duration<&Config::request_timeout, 1>},
    Row{{"READ_TIMEOUT", "10s", "longest a request may take to arrive"}, store_duration<&Config::read_timeout, 1>},
    Row{{"WRITE_TIMEOUT", "10s", "longest an answer may take to leave"}, store_duration<&Config::write_timeout, 1>},
    Row{{"IDLE_TIMEOUT", "75s", "longest pause between two requests"}, store_duration<&Config::idle_timeout, 1>},
    Row{{"MAX_BODY_BYTES", "1Mi", "largest request body"}, store_size<&Config::max_body_bytes>},
    Row{{"MAX_HEADER_BYTES", "16Ki", "largest request head"}, store_size<&Config::max_header_bytes>},
    Row{{"DRAIN_DELAY", "5s", "after SIGTERM: not ready but accepting for so long"},
        store_duration<&Config::drain_delay, 0>},
    Row{{"SHUTDOWN_TIMEOUT", "20s", "after SIGTERM: gone within, drain delay included"},
        store_duration<&Config::shutdown_timeout, 1>},
    Row{{"APP_VERSION", "as built", "version to report"}, store_text<&Config::version>},
    Row{{"APP_COMMIT", "as built", "commit to report"}, store_text<&Config::commit>},
    Row{{"APP_BUILD_TIME", "as built", "build time to report"}, store_text<&Config::build_time>},
};

Config defaults() {
  Config config;
  config.version = built_version;
  config.commit = built_commit;
  config.build_time = built_time;
  return config;
}

void check_together(const Config& config, Mistakes& mistakes) {
  if (config.drain_delay >= config.shutdown_timeout) {
    mistakes.emplace_back("SHUTDOWN_TIMEOUT: must be longer than DRAIN_DELAY, which is a part of it");
  }
}

std::optional<std::chrono::milliseconds> unit_of(std::string_view text) {
  using namespace std::chrono_literals;
  if (text == "ms") {
    return 1ms;
  }
  if (text == "s") {
    return 1s;
  }
  if (text == "m") {
    return 1min;
  }
  return text == "h" ? std::optional<milliseconds>(1h) : std::nullopt;
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::variant<Config, Mistakes> load(const Environment& environment) {
  Config config = defaults();
  Mistakes mistakes;
  for (const Row& row : rows) {
    const auto text = environment(row.variable.name).value_or("");
    if (text.empty()) {
      continue;
    }
    if (const Reason reason = row.store(config, text); !reason.empty()) {
      mistakes.push_back(std::string(row.variable.name) + ": '" + text + "' " + reason);
    }
  }
  check_together(config, mistakes);
  if (!mistakes.empty()) {
    return mistakes;
  }
  return config;
}

const std::vector<Variable>& variables() {
  static const std::vector<Variable> all = [] {
    std::vector<Variable> list;
    std::ranges::transform(rows, std::back_inserter(list), &Row::variable);
    return list;
  }();
  return all;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  milliseconds total{0};
  do {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto after_unit = std::min(text.find_first_of("0123456789", digits), text.size());
    const auto amount = parse_number(text.substr(0, digits));
    const auto unit = unit_of(text.substr(digits, after_unit - digits));
    if (!amount || !unit || *amount > 1'000'000'000) {
      return std::nullopt;
    }
    total += static_cast<std::int64_t>(*amount) * *unit;
    text.remove_prefix(after_unit);
  } while (!text.empty());
  return total;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> units{{{"", 1},
                                                                                    {"k", 1000},
                                                                                    {"M", 1000 * 1000},
                                                                                    {"G", 1000 * 1000 * 1000},
                                                                                    {"Ki", 1 << 10},
                                                                                    {"Mi", 1 << 20},
                                                                                    {"Gi", 1 << 30}}};
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto amount = parse_number(text.substr(0, digits));
  const auto unit = std::ranges::find(units, text.substr(digits), &decltype(units)::value_type::first);
  if (!amount || unit == units.end() || *amount > std::numeric_limits<std::uint64_t>::max() / unit->second) {
    return std::nullopt;
  }
  return *amount * unit->second;
}

}  // namespace config
