// The command line of the service.
#include "app/application.hpp"
#include "app/healthcheck.hpp"
#include "config/config.hpp"
#include "config/version.hpp"
#include "logging/logger.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int exit_usage = 64;          // EX_USAGE of sysexits.h
constexpr int exit_configuration = 78;  // EX_CONFIG
constexpr std::chrono::milliseconds healthcheck_timeout{2000};

void print(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

std::string help() {
  std::string text =
      "api-service: an HTTP API about users\n"
      "\n"
      "  api-service                serve until SIGTERM\n"
      "  api-service --healthcheck  ask the service that runs here for /health; exit 0 when it is well, else 1\n"
      "  api-service --version\n"
      "  api-service --help\n"
      "\n"
      "Environment variables, and what holds without them:\n";
  for (const auto& variable : config::variables()) {
    std::string line = "  " + std::string(variable.name) + "=" + std::string(variable.fallback);
    line.resize(std::max<std::size_t>(line.size() + 2, 42), ' ');
    text += line + std::string(variable.meaning) + "\n";
  }
  return text;
}

std::string version() {
  return "api-service " + std::string(config::built_version) + " (commit " + std::string(config::built_commit) +
         ", built " + std::string(config::built_time) + ")\n";
}

int refuse(const config::Mistakes& mistakes) {
  std::string text = "api-service: the configuration is not valid\n";
  for (const auto& mistake : mistakes) {
    text += "  " + mistake + "\n";
  }
  print(stderr, text);
  return exit_configuration;
}

int serve(const config::Config& config) {
  logging::Logger logger(config.log_level, logging::standard_output());
  return app::run(config, logger);
}

int check_health(const config::Config& config) {
  return app::is_healthy(config.host, config.port, healthcheck_timeout) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int configured(int (*act)(const config::Config&)) {
  const auto loaded = config::load(config::process_environment());
  const auto* config = std::get_if<config::Config>(&loaded);
  return config != nullptr ? act(*config) : refuse(std::get<config::Mistakes>(loaded));
}

int run(const std::vector<std::string_view>& arguments) {
  if (arguments.empty()) {
    return configured(serve);
  }
  if (arguments.size() == 1 && arguments[0] == "--healthcheck") {
    return configured(check_health);
  }
  if (arguments.size() == 1 && arguments[0] == "--version") {
    print(stdout, version());
    return EXIT_SUCCESS;
  }
  if (arguments.size() == 1 && arguments[0] == "--help") {
    print(stdout, help());
    return EXIT_SUCCESS;
  }
  print(stderr, "api-service: '" + std::string(arguments[0]) + "' is not understood; try --help\n");
  return exit_usage;
}

}  // namespace

int main(int argc, char** argv) {
  return run({argv + 1, argv + argc});
}
