#include "core/platform/plain_connection.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>
#include <utility>

namespace deployctl::platform {
namespace {

Address ip4_address(in_addr host, int port) {
  Address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.bytes);
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<std::uint16_t>(port));
  v4.sin_addr = host;
  address.size = sizeof v4;
  return address;
}

Address ip6_address(const in6_addr& host, int port) {
  Address address;
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.bytes);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<std::uint16_t>(port));
  v6.sin6_addr = host;
  address.size = sizeof v6;
  return address;
}

std::vector<Address> socket_address(const std::string& path) {
  Address address;
  auto& local = reinterpret_cast<sockaddr_un&>(address.bytes);
  if (path.size() >= sizeof local.sun_path) {
    return {};
  }
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.c_str(), path.size() + 1);
  address.size = sizeof local;
  return {address};
}

bool is_localhost(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace

std::vector<Address> addresses_of(const http::Request& request) {
  if (!request.unix_socket.empty()) {
    return socket_address(request.unix_socket);
  }
  const auto port = request.url.effective_port();
  in_addr v4{};
  in6_addr v6{};
  if (is_localhost(request.url.host)) {
    v4.s_addr = htonl(INADDR_LOOPBACK);
    return {ip4_address(v4, port), ip6_address(in6addr_loopback, port)};
  }
  if (inet_pton(AF_INET, request.url.host.c_str(), &v4) == 1) {
    return {ip4_address(v4, port)};
  }
  if (inet_pton(AF_INET6, request.url.host.c_str(), &v6) == 1) {
    return {ip6_address(v6, port)};
  }
  return {};
}

std::optional<Connection> start_connecting(const Address& address, int& os_error) {
  Connection connection{
      .socket = Descriptor(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))};
  if (!connection.socket.is_open()) {
    os_error = errno;
    return std::nullopt;
  }
  if (address.bytes.ss_family != AF_UNIX) {
    const int yes = 1;
    ::setsockopt(connection.socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ::setsockopt(connection.socket.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  }
  const auto* to = reinterpret_cast<const sockaddr*>(&address.bytes);
  if (::connect(connection.socket.get(), to, address.size) == 0) {
    connection.is_open = true;
    return connection;
  }
  os_error = errno;
  return errno == EINPROGRESS ? std::optional(std::move(connection)) : std::nullopt;
}

int pending_error(int socket) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &value, &size) == 0 ? value : errno;
}

bool is_quiet(int socket) {
  pollfd waiting{socket, POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 0;
}

}  // namespace deployctl::platform
