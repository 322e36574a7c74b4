// Connections in clear to addresses and sockets of this machine that no look-up is needed for.
#pragma once

#include "core/http/transport.hpp"
#include "core/platform/posix_descriptor.hpp"

#include <optional>
#include <sys/socket.h>
#include <vector>

namespace deployctl::platform {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

// Where the request goes without asking anybody; empty when a name has to be looked up. "localhost" is this machine by
// definition (RFC 6761 section 6.3).
std::vector<Address> addresses_of(const http::Request& request);

struct Connection {
  Descriptor socket;
  bool is_open = false;  // false: it is being opened
  bool is_kept = false;  // it has carried an exchange before
};

// A socket that is connected or about to be; errno in `os_error` when it cannot be.
std::optional<Connection> start_connecting(const Address& address, int& os_error);

// Why a connection that was being opened is not; 0 when it is.
int pending_error(int socket);

// Whether it may carry another request: a server that has closed an idle connection, or says something on it, has no
// use for one there.
bool is_quiet(int socket);

}  // namespace deployctl::platform
