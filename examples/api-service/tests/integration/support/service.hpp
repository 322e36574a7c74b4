// The real service, running on a port of its own with short time-outs.
#pragma once

#include "support/client.hpp"
#include "support/process.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace integration {

class Service : public Process {
 public:
  // Waits until it listens.
  explicit Service(const Environment& more = {});

  std::uint16_t port() const { return port_; }
  // Every line it has logged so far; throws when one is not JSON.
  std::vector<nlohmann::json> log() const;

 private:
  std::uint16_t port_ = 0;
};

}  // namespace integration
