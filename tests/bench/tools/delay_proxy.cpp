// A link with a round-trip time: forwards TCP connections to another port and holds everything back for half the
// round trip each way. Bandwidth is not limited. Counts connections and bytes, so without a delay it is a counter.
//
//   bench_delay_proxy RTT_MILLISECONDS TARGET_PORT
//
// Listens on a free port of 127.0.0.1 and prints its number. On SIGUSR1 it prints what has passed since the last time,
// as JSON; on SIGTERM it ends.
//
// The kernel completes the TCP handshake before we hear of a connection, so its round trip is made up for: what a
// client sends in the first round trip of a connection counts as sent at its end.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Moment = Clock::time_point;
using std::chrono::nanoseconds;

constexpr std::size_t most_in_flight = 16u << 20u;  // each way, a connection
constexpr std::size_t piece_size = 256u << 10u;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Counters {
  std::uint64_t connections = 0;
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

struct Piece {
  Moment due;
  std::string bytes;  // empty: the sender has finished
  std::size_t sent = 0;
};

// One way of a connection.
struct Way {
  int from = -1;
  int to = -1;
  std::uint64_t* counter = nullptr;
  std::deque<Piece> pieces;
  std::size_t in_flight = 0;
  bool has_read_all = false;
  bool has_sent_all = false;
  bool is_blocked = false;  // the receiver's buffer is full
};

struct Link {
  int client = -1;
  int server = -1;
  Moment opened;
  Way up;
  Way down;
  bool has_news = false;
  bool is_broken = false;

  ~Link() {
    ::close(client);
    ::close(server);
  }
  [[nodiscard]] bool is_over() const { return is_broken || (up.has_sent_all && down.has_sent_all); }
};

void set_no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Proxy {
 public:
  Proxy(nanoseconds round_trip, int target_port)
      : round_trip_(round_trip), target_port_(target_port), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    listen();
    take_signal();
  }

  void run() {
    while (!stopped_) {
      wait();
      for (auto& link : links_) {
        if (link->has_news || is_due(link->up) || is_due(link->down)) {
          serve(*link);
        }
      }
      links_.remove_if([](const auto& link) { return link->is_over(); });
    }
  }

 private:
  void listen() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 1024) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      fail("listening");
    }
    watch(listener_, EPOLLIN, &listener_);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }

  void take_signal() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    signal_ = ::signalfd(-1, &set, SFD_CLOEXEC);
    watch(signal_, EPOLLIN, &signal_);
  }

  void obey() {
    signalfd_siginfo info{};
    if (::read(signal_, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1) {
      tell_counters();
    } else {
      stopped_ = true;
    }
  }

  void tell_counters() {
    std::printf(R"({"connections": %llu, "up": %llu, "down": %llu})"
                "\n",
                static_cast<unsigned long long>(counters_.connections), static_cast<unsigned long long>(counters_.up),
                static_cast<unsigned long long>(counters_.down));
    std::fflush(stdout);
    counters_ = {};
  }

  // Edge-triggered for the connections: each is served after every wake-up until it has nothing more.
  void watch(int file, std::uint32_t events, void* what) const {
    epoll_event event{.events = events, .data = {.ptr = what}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, file, &event) != 0) {
      fail("epoll_ctl");
    }
  }

  void wait() {
    epoll_event events[64];
    const auto limit = time_to_next();
    const int count = ::epoll_pwait2(epoll_, events, 64, limit ? &*limit : nullptr, nullptr);
    now_ = Clock::now();
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr == &signal_) {
        obey();
      } else if (events[i].data.ptr == &listener_) {
        accept_all();
      } else {
        static_cast<Link*>(events[i].data.ptr)->has_news = true;
      }
    }
  }

  [[nodiscard]] bool is_due(const Way& way) const {
    return !way.pieces.empty() && !way.is_blocked && way.pieces.front().due <= now_;
  }

  [[nodiscard]] std::optional<timespec> time_to_next() const {
    std::optional<Moment> next;
    for (const auto& link : links_) {
      for (const auto* way : {&link->up, &link->down}) {
        if (!way->pieces.empty() && !way->is_blocked) {
          next = std::min(next.value_or(Moment::max()), way->pieces.front().due);
        }
      }
    }
    if (!next) {
      return {};
    }
    const auto left = std::max(nanoseconds(0), nanoseconds(*next - Clock::now()));
    return timespec{.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
  }

  void accept_all() {
    while (true) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (client < 0) {
        return;
      }
      const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const auto address = loopback(target_port_);
      if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(client);
        ::close(server);
        continue;
      }
      add_link(client, server);
    }
  }

  void add_link(int client, int server) {
    ++counters_.connections;
    set_no_delay(client);
    set_no_delay(server);
    auto link = std::make_unique<Link>();
    link->client = client;
    link->server = server;
    link->opened = now_;
    link->up = {.from = client, .to = server, .counter = &counters_.up, .pieces = {}};
    link->down = {.from = server, .to = client, .counter = &counters_.down, .pieces = {}};
    for (const int socket : {client, server}) {
      watch(socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<std::uint32_t>(EPOLLET), link.get());
    }
    links_.push_back(std::move(link));
  }

  void serve(Link& link) {
    link.has_news = false;
    link.up.is_blocked = false;
    link.down.is_blocked = false;
    pass(link, link.up, std::max(now_, link.opened + round_trip_) + round_trip_ / 2);
    pass(link, link.down, now_ + round_trip_ / 2);
  }

  // Nothing wakes us again for what was left unread because too much was in flight, unless something still is.
  void pass(Link& link, Way& way, Moment due) {
    bool was_full = false;
    do {
      receive(link, way, due);
      was_full = way.in_flight >= most_in_flight;
      forward(link, way);
    } while (was_full && way.in_flight < most_in_flight && !link.is_broken);
  }

  void receive(Link& link, Way& way, Moment due) {
    while (!way.has_read_all && way.in_flight < most_in_flight) {
      const auto count = ::recv(way.from, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (count < 0) {
        link.is_broken = link.is_broken || (errno != EAGAIN && errno != EINTR);
        return;
      }
      way.has_read_all = count == 0;
      way.in_flight += static_cast<std::size_t>(count);
      *way.counter += static_cast<std::uint64_t>(count);
      way.pieces.push_back({.due = due, .bytes = std::string(buffer_.data(), static_cast<std::size_t>(count))});
    }
  }

  void forward(Link& link, Way& way) const {
    while (is_due(way) && !link.is_broken) {
      send_some(link, way, way.pieces.front());
    }
  }

  static void send_some(Link& link, Way& way, Piece& piece) {
    if (piece.bytes.empty()) {
      ::shutdown(way.to, SHUT_WR);
      way.has_sent_all = true;
      way.pieces.pop_front();
      return;
    }
    const auto count =
        ::send(way.to, piece.bytes.data() + piece.sent, piece.bytes.size() - piece.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      way.is_blocked = errno == EAGAIN;
      link.is_broken = !way.is_blocked;
      return;
    }
    piece.sent += static_cast<std::size_t>(count);
    way.in_flight -= static_cast<std::size_t>(count);
    if (piece.sent == piece.bytes.size()) {
      way.pieces.pop_front();
    }
  }

  nanoseconds round_trip_;
  int target_port_;
  int epoll_;
  int listener_ = -1;
  int signal_ = -1;
  bool stopped_ = false;
  Moment now_ = Clock::now();
  Counters counters_;
  std::list<std::unique_ptr<Link>> links_;
  std::vector<char> buffer_ = std::vector<char>(piece_size);
};

}  // namespace

int main(int count, char** arguments) {
  const int port = count == 3 ? std::atoi(arguments[2]) : 0;
  const double milliseconds = count == 3 ? std::atof(arguments[1]) : -1;
  if (port <= 0 || milliseconds < 0) {
    std::fprintf(stderr, "usage: %s RTT_MILLISECONDS TARGET_PORT\n", arguments[0]);
    return 2;
  }
  Proxy(nanoseconds(static_cast<std::int64_t>(milliseconds * 1e6)), port).run();
}
