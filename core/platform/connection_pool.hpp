// Connections in clear that are kept for the next exchange, by peer. Any thread may call it.
#pragma once

#include "core/platform/plain_connection.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::platform {

class ConnectionPool {
 public:
  // `most_idle` of each peer are kept.
  explicit ConnectionPool(std::size_t most_idle) : most_idle_(most_idle) {}

  // One that is open as far as can be seen, or is being opened ahead; nothing when there is none.
  std::optional<Connection> take(const std::string& peer);
  // For the next exchange when it is clean; closed otherwise.
  void give_back(const std::string& peer, Connection connection, bool is_clean);
  // So many are going to be needed.
  void want(const std::string& peer, int connections);
  // The first connection to the peer took that long to open: where that is long, those that are wanted are opened
  // ahead.
  void opened(const std::string& peer, const Address& address, std::chrono::milliseconds took);

 private:
  struct Peer {
    std::vector<Connection> idle;  // the latest used at the back: it is the one most likely still to be open
    int wanted = 0;
  };
  std::size_t most_idle_;
  std::mutex mutex_;
  std::map<std::string, Peer> peers_;
};

}  // namespace deployctl::platform
