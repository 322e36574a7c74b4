// The binary as its users start it.
#include "support/service.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace integration {
namespace {

using namespace std::chrono_literals;

struct Outcome {
  std::optional<int> status;
  std::string output;
  std::string errors;
};

Outcome run(const std::vector<std::string>& arguments, const Environment& environment = {}) {
  Process process(API_SERVICE, arguments, environment);
  const auto status = process.wait_for_exit(10s);
  return {.status = status, .output = process.output(), .errors = process.errors()};
}

TEST(Command_line, says_its_version) {
  const auto outcome = run({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(outcome.output.starts_with("api-service 1.0.0 (commit ")) << outcome.output;
}

TEST(Command_line, helps_with_every_variable) {
  const auto outcome = run({"--help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.output.find("  DRAIN_DELAY=5s "), std::string::npos) << outcome.output;
}

TEST(Command_line, refuses_what_it_does_not_understand) {
  const auto outcome = run({"--prot", "80"});
  EXPECT_EQ(outcome.status, 64);
  EXPECT_EQ(outcome.errors, "api-service: '--prot' is not understood; try --help\n");
}

TEST(Command_line, lists_every_mistake_of_a_configuration_and_does_not_start) {
  const auto outcome = run({}, {{"PORT", "http"}, {"LOG_LEVEL", "loud"}, {"IDLE_TIMEOUT", "10"}});
  EXPECT_EQ(outcome.status, 78);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.errors,
            "api-service: the configuration is not valid\n"
            "  PORT: 'http' is not a whole number from 0 to 65535\n"
            "  LOG_LEVEL: 'loud' is none of debug, info, warn, error\n"
            "  IDLE_TIMEOUT: '10' has no unit; did you mean '10s'?\n");
}

TEST(Command_line, says_why_it_cannot_listen) {
  const Service service;
  const auto outcome = run({}, {{"LISTEN_ADDRESS", "127.0.0.1"}, {"PORT", std::to_string(service.port())}});
  EXPECT_EQ(outcome.status, 1);
  const auto line = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(line["message"], "cannot start");
  EXPECT_EQ(line["error"],
            "cannot listen on 127.0.0.1 port " + std::to_string(service.port()) + ": Address already in use");
}

TEST(Command_line, says_why_it_cannot_open_its_database) {
  const auto outcome = run({}, {{"PORT", "0"}, {"DATABASE_PATH", "/nowhere/users.db"}});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(nlohmann::json::parse(outcome.output)["error"],
            "cannot open the database '/nowhere/users.db': unable to open database file");
}

TEST(Healthcheck, tells_a_service_that_runs_from_one_that_does_not) {
  std::string port;
  {
    const Service service;
    port = std::to_string(service.port());
    EXPECT_EQ(run({"--healthcheck"}, {{"PORT", port}}).status, 0);
    EXPECT_EQ(run({"--healthcheck"}, {{"PORT", port}, {"LISTEN_ADDRESS", "127.0.0.1"}}).status, 0);
  }
  EXPECT_EQ(run({"--healthcheck"}, {{"PORT", port}}).status, 1);
}

}  // namespace
}  // namespace integration
