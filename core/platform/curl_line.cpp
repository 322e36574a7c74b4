#include "core/platform/curl_line.hpp"

#include <algorithm>
#include <iterator>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace deployctl::platform {
namespace {

// A first connection that takes longer is to a peer far away, or to none: waiting for it would cost more than a
// handshake.
constexpr std::chrono::milliseconds longest_wait_for_session{10};

}  // namespace

CurlLine::CurlLine(const CurlLibrary& library, CurlRoute to, const CurlSessions& sessions)
    : curl(library), route(std::move(to)), easy(curl.easy_init()), multi(curl.multi_init()) {
  sessions.share_with(easy);
}

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
  std::unique_lock lock(mutex_);
  if (auto idle = take_idle(route)) {
    return idle;
  }
  if (const auto* opening = opening_of(route)) {
    changed_.wait_until(lock, opening->since + longest_wait_for_session, [&] { return opening_of(route)->is_over; });
    if (auto idle = take_idle(route)) {
      return idle;
    }
  } else if (route.origin.starts_with("https:")) {
    openings_.push_back({.route = route, .since = std::chrono::steady_clock::now()});
  }
  return std::make_unique<CurlLine>(curl, std::move(route), sessions(curl));
}

std::unique_ptr<CurlLine> CurlLines::open(const CurlLibrary& curl, CurlRoute route) {
  const std::scoped_lock lock(mutex_);
  return std::make_unique<CurlLine>(curl, std::move(route), sessions(curl));
}

const CurlSessions& CurlLines::sessions(const CurlLibrary& curl) {
  if (!sessions_) {
    sessions_.emplace(curl);
  }
  return *sessions_;
}

std::unique_ptr<CurlLine> CurlLines::take_idle(const CurlRoute& route) {
  const auto found =
      std::ranges::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& line) { return line->route == route; });
  if (found == idle_.rend()) {
    return nullptr;
  }
  auto line = std::move(*found);
  idle_.erase(std::next(found).base());
  return line;
}

CurlLines::Opening* CurlLines::opening_of(const CurlRoute& route) {
  const auto found = std::ranges::find(openings_, route, &Opening::route);
  return found == openings_.end() ? nullptr : &*found;
}

void CurlLines::give_back(std::unique_ptr<CurlLine> line, bool is_clean) {
  std::unique_ptr<CurlLine> surplus;  // closed outside of the lock
  const std::scoped_lock lock(mutex_);
  if (auto* opening = opening_of(line->route)) {
    opening->is_over = true;
    changed_.notify_all();
  }
  if (!is_clean) {
    surplus = std::move(line);
    return;
  }
  idle_.push_back(std::move(line));
  if (idle_.size() > most_idle_) {
    surplus = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

}  // namespace deployctl::platform
