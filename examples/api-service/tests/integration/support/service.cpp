#include "support/service.hpp"

#include <sstream>

namespace integration {
namespace {

Environment with_defaults(const Environment& more) {
  Environment all{
      {"LISTEN_ADDRESS", "127.0.0.1"}, {"PORT", "0"}, {"DRAIN_DELAY", "100ms"}, {"SHUTDOWN_TIMEOUT", "10s"}};
  for (const auto& [name, value] : more) {
    all[name] = value;
  }
  return all;
}

}  // namespace

Service::Service(const Environment& more) : Process(API_SERVICE, {}, with_defaults(more)) {
  const bool listens = eventually([this] {
    for (const auto& line : log()) {
      if (line["message"] == "listening") {
        port_ = line["port"].get<std::uint16_t>();
      }
    }
    return port_ != 0;
  });
  if (!listens) {
    throw std::runtime_error("the service did not start: " + output() + errors());
  }
}

std::vector<nlohmann::json> Service::log() const {
  const std::string text = output();
  std::istringstream complete(text.substr(0, text.rfind('\n') + 1));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(complete, line);) {
    lines.push_back(nlohmann::json::parse(line));
  }
  return lines;
}

}  // namespace integration
