#include "core/platform/connection_pool.hpp"

#include <utility>

namespace deployctl::platform {
namespace {

using std::chrono::milliseconds;

// A connection that takes so long to open is far away: further ones are worth opening ahead.
constexpr milliseconds far_away{2};

}  // namespace

std::optional<Connection> ConnectionPool::take(const std::string& peer) {
  const std::scoped_lock lock(mutex_);
  for (auto& idle = peers_[peer].idle; !idle.empty();) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    if (!connection.is_open || is_quiet(connection.socket.get())) {
      return connection;
    }
  }
  return std::nullopt;
}

void ConnectionPool::give_back(const std::string& peer, Connection connection, bool is_clean) {
  if (!is_clean) {
    return;
  }
  const std::scoped_lock lock(mutex_);
  auto& idle = peers_[peer].idle;
  connection.is_kept = true;
  idle.push_back(std::move(connection));
  if (idle.size() > most_idle_) {
    idle.erase(idle.begin());
  }
}

void ConnectionPool::want(const std::string& peer, int connections) {
  const std::scoped_lock lock(mutex_);
  peers_[peer].wanted = connections;
}

void ConnectionPool::opened(const std::string& peer, const Address& address, milliseconds took) {
  const std::scoped_lock lock(mutex_);
  auto& known = peers_[peer];
  const auto wanted = std::exchange(known.wanted, 0);
  for (int i = 1; i < wanted && took >= far_away; ++i) {
    int os_error = 0;
    if (auto connection = start_connecting(address, os_error)) {
      known.idle.push_back(std::move(*connection));
    }
  }
}

}  // namespace deployctl::platform
