#include "config/config.hpp"

#include <gtest/gtest.h>

#include <map>

namespace config {
namespace {

using namespace std::chrono_literals;

Environment environment(std::map<std::string, std::string, std::less<>> variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Config valid(std::map<std::string, std::string, std::less<>> variables) {
  return std::get<Config>(load(environment(std::move(variables))));
}

Mistakes mistakes(std::map<std::string, std::string, std::less<>> variables) {
  const auto loaded = load(environment(std::move(variables)));
  const auto* found = std::get_if<Mistakes>(&loaded);
  return found == nullptr ? Mistakes{} : *found;
}

TEST(Config, has_defaults_for_everything) {
  const Config config = valid({});
  EXPECT_EQ(config.host, "0.0.0.0");
  EXPECT_EQ(config.port, 8080);
  EXPECT_EQ(config.database_path, ":memory:");
  EXPECT_EQ(config.log_level, logging::Level::info);
  EXPECT_EQ(config.request_timeout, 5s);
  EXPECT_FALSE(config.version.empty());
}

TEST(Config, takes_every_variable) {
  const Config config = valid({{"LISTEN_ADDRESS", "::"},
                               {"PORT", "9000"},
                               {"LOG_LEVEL", "debug"},
                               {"GREETING", "你好"},
                               {"DATABASE_PATH", "/tmp/x.db"},
                               {"DATABASE_CONNECTIONS", "2"},
                               {"DATABASE_QUEUE", "3"},
                               {"IO_THREADS", "1"},
                               {"REQUEST_TIMEOUT", "250ms"},
                               {"READ_TIMEOUT", "1m"},
                               {"WRITE_TIMEOUT", "1m30s"},
                               {"IDLE_TIMEOUT", "1h"},
                               {"MAX_BODY_BYTES", "2Mi"},
                               {"MAX_HEADER_BYTES", "4096"},
                               {"DRAIN_DELAY", "0s"},
                               {"SHUTDOWN_TIMEOUT", "9s"},
                               {"APP_VERSION", "2.0"},
                               {"APP_COMMIT", "abc"},
                               {"APP_BUILD_TIME", "2026-01-01T00:00:00Z"}});
  EXPECT_EQ(config.host, "::");
  EXPECT_EQ(config.port, 9000);
  EXPECT_EQ(config.log_level, logging::Level::debug);
  EXPECT_EQ(config.greeting, "你好");
  EXPECT_EQ(config.database_path, "/tmp/x.db");
  EXPECT_EQ(config.database_connections, 2);
  EXPECT_EQ(config.database_queue, 3);
  EXPECT_EQ(config.io_threads, 1);
  EXPECT_EQ(config.request_timeout, 250ms);
  EXPECT_EQ(config.read_timeout, 1min);
  EXPECT_EQ(config.write_timeout, 90s);
  EXPECT_EQ(config.idle_timeout, 1h);
  EXPECT_EQ(config.max_body_bytes, 2U * 1024 * 1024);
  EXPECT_EQ(config.max_header_bytes, 4096U);
  EXPECT_EQ(config.drain_delay, 0s);
  EXPECT_EQ(config.shutdown_timeout, 9s);
  EXPECT_EQ(config.version, "2.0");
  EXPECT_EQ(config.commit, "abc");
  EXPECT_EQ(config.build_time, "2026-01-01T00:00:00Z");
}

TEST(Config, takes_a_variable_that_is_empty_as_not_set) {
  EXPECT_EQ(valid({{"PORT", ""}}).port, 8080);
}

TEST(Config, says_what_is_wrong_with_a_value) {
  const struct {
    const char* name;
    const char* value;
    const char* message;
  } rows[] = {
      {"PORT", "http", "PORT: 'http' is not a whole number from 0 to 65535"},
      {"PORT", "65536", "PORT: '65536' is not a whole number from 0 to 65535"},
      {"PORT", "-1", "PORT: '-1' is not a whole number from 0 to 65535"},
      {"PORT", "80 ", "PORT: '80 ' is not a whole number from 0 to 65535"},
      {"IO_THREADS", "0", "IO_THREADS: '0' is not a whole number from 1 to 64"},
      {"LISTEN_ADDRESS", "localhost",
       "LISTEN_ADDRESS: 'localhost' is not a numeric address such as 0.0.0.0, 127.0.0.1 or ::"},
      {"LOG_LEVEL", "INFO", "LOG_LEVEL: 'INFO' is none of debug, info, warn, error"},
      {"IDLE_TIMEOUT", "10", "IDLE_TIMEOUT: '10' has no unit; did you mean '10s'?"},
      {"IDLE_TIMEOUT", "soon", "IDLE_TIMEOUT: 'soon' is not a duration such as 250ms, 10s or 1m30s"},
      {"IDLE_TIMEOUT", "0s", "IDLE_TIMEOUT: '0s' is not between 1ms and 24h"},
      {"DRAIN_DELAY", "25h", "DRAIN_DELAY: '25h' is longer than 24h"},
      {"MAX_BODY_BYTES", "1MB",
       "MAX_BODY_BYTES: '1MB' is not a size of at least 256 bytes and below 4Gi, such as 64Ki or 1Mi"},
      {"MAX_BODY_BYTES", "4Gi",
       "MAX_BODY_BYTES: '4Gi' is not a size of at least 256 bytes and below 4Gi, such as 64Ki or 1Mi"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(mistakes({{row.name, row.value}}), Mistakes{row.message});
  }
}

TEST(Config, lists_every_mistake_at_once) {
  const auto all = mistakes({{"PORT", "x"}, {"LOG_LEVEL", "y"}, {"READ_TIMEOUT", "z"}});
  EXPECT_EQ(all.size(), 3U);
}

TEST(Config, wants_the_drain_delay_to_fit_into_the_shutdown) {
  EXPECT_EQ(mistakes({{"DRAIN_DELAY", "5s"}, {"SHUTDOWN_TIMEOUT", "5s"}}),
            Mistakes{"SHUTDOWN_TIMEOUT: must be longer than DRAIN_DELAY, which is a part of it"});
}

TEST(Duration, is_numbers_with_units) {
  EXPECT_EQ(parse_duration("0s"), 0ms);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1h2m3s4ms"), 1h + 2min + 3s + 4ms);
  for (const char* bad : {"", "s", "1", "1x", "1s ", " 1s", "-1s", "1.5s", "1s2", "99999999999999999999s"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(Size, is_a_number_with_a_decimal_or_binary_unit) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("16Ki"), 16384U);
  EXPECT_EQ(parse_size("1M"), 1000000U);
  for (const char* bad : {"", "Ki", "1KB", "1 Ki", "-1", "1.5Mi", "99999999999999999999", "18446744073709551615Gi"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace config
