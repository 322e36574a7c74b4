#include "core/platform/curl_line.hpp"

#include <algorithm>
#include <iterator>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace deployctl::platform {

CurlLine::CurlLine(const CurlLibrary& library, CurlRoute to)
    : curl(library), route(std::move(to)), easy(curl.easy_init()), multi(curl.multi_init()) {}

CurlLine::~CurlLine() {
  curl.easy_cleanup(easy);
  curl.multi_cleanup(multi);
}

int CurlLine::unsent() const {
  int sum = 0;
  for (const auto socket : sockets) {
    int bytes = 0;
    sum += ::ioctl(socket, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
  }
  return sum;
}

curl_socket_t CurlLine::on_open(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  const auto socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (socket >= 0) {
    static_cast<CurlLine*>(self)->sockets.push_back(socket);
  }
  return socket;
}

int CurlLine::on_close(void* self, curl_socket_t socket) {
  std::erase(static_cast<CurlLine*>(self)->sockets, socket);
  return ::close(socket);
}

std::unique_ptr<CurlLine> CurlLines::take(const CurlLibrary& curl, CurlRoute route) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found =
        std::ranges::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& line) { return line->route == route; });
    if (found != idle_.rend()) {
      auto line = std::move(*found);
      idle_.erase(std::next(found).base());
      return line;
    }
  }
  return std::make_unique<CurlLine>(curl, std::move(route));
}

void CurlLines::give_back(std::unique_ptr<CurlLine> line) {
  std::unique_ptr<CurlLine> oldest;  // closed outside of the lock
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(line));
  if (idle_.size() > most_idle_) {
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

}  // namespace deployctl::platform
