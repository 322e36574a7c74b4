// One exchange is a loop around poll(): bytes go out as the socket takes them and come in as they arrive, both at once,
// so that a refusal is read while the body is still being sent. Boost.Beast's parser reads the answers.
//
// A kept connection may have been closed by the server in the moment it is used again. When it breaks before anything
// of an answer came, the exchange begins once more on a new connection (RFC 9112 section 9.3.1).
#include "core/platform/plain_transport.hpp"

#include "core/base/url.hpp"
#include "core/platform/answer_builder.hpp"
#include "core/platform/answer_parser.hpp"
#include "core/platform/connection_pool.hpp"
#include "core/platform/file_body.hpp"
#include "core/platform/plain_connection.hpp"
#include "core/platform/posix_descriptor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/sockios.h>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace deployctl::platform {
namespace {

using base::Error;
using base::Result;
using base::Status;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t file_stretch = 1u << 20u;     // sent in one call, at most
constexpr std::size_t memory_stretch = 64u << 10u;  // read from a body that is no file
constexpr std::size_t near_stretch = 256u << 10u;   // read from a file for a peer on this machine
// A kept connection that turns out to be closed shows it before much has been sent. Whether to repeat an upload that
// broke later is for the caller to say, who knows what has become of it.
constexpr std::uint64_t most_sent_into_a_closed_connection = 256u << 10u;

bool is_near(const http::Request& request) {
  return !request.unix_socket.empty() || base::is_loopback_host(request.url.host);
}

// The body when the kernel is to send it from its file. Within a machine that costs less processor time here, but feeds
// the reader page by page, which takes it longer: there, large pieces go through a buffer.
FileBody* file_for_kernel(const http::Request& request) {
  return is_near(request) ? nullptr : dynamic_cast<FileBody*>(request.body.get());
}

std::size_t stretch_of(const http::Request& request) {
  const bool is_file = dynamic_cast<FileBody*>(request.body.get()) != nullptr;
  return is_file && is_near(request) ? near_stretch : memory_stretch;
}

std::string head_of(const http::Request& request, const std::string& user_agent) {
  std::string head = request.method + " " + (request.url.path.empty() ? "/" : request.url.path);
  if (request.url.has_query) {
    head += "?" + request.url.query;
  }
  head += " HTTP/1.1\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  const auto add_unless_given = [&](std::string_view name, std::string_view value) {
    if (!request.headers.get(name)) {
      add(name, value);
    }
  };
  add_unless_given("Host", request.url.authority());
  add_unless_given("User-Agent", user_agent);
  add_unless_given("Accept", "*/*");
  for (const auto& [name, value] : request.headers.fields()) {
    add(name, value);
  }
  const bool says_length = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (request.body || says_length) {
    add_unless_given("Content-Length", std::to_string(request.body ? request.body->size() : 0));
  }
  return head + "\r\n";
}

// Wakes a poll() when a stop is requested.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop) {
    if (stop.stop_possible()) {
      event_ = Descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
      wake_.emplace(stop, Wake{event_.get()});
    }
  }
  [[nodiscard]] int descriptor() const { return event_.get(); }

 private:
  struct Wake {
    int event;
    void operator()() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
    }
  };
  Descriptor event_;
  std::optional<std::stop_callback<Wake>> wake_;
};

// One request on its way over one connection.
class Call {
 public:
  Call(const http::Request& request, const http::Exchange& exchange, const std::string& user_agent)
      : request_(request),
        exchange_(exchange),
        answer_(request, exchange),
        parser_(answer_, request.method == "HEAD"),
        outgoing_(head_of(request, user_agent)),
        peer_(peer_of(request)),
        stop_(exchange.stop) {}

  // Waits until the connection is open.
  Status open(Connection& connection);
  Result<http::Response> run(Connection& connection);
  // After run(): the connection may carry another exchange.
  [[nodiscard]] bool is_clean() const { return clean_; }
  // After run(): it broke before anything of an answer came.
  [[nodiscard]] bool broke_unanswered() const {
    return broke_ && !parser_.has_begun() && sent_ <= most_sent_into_a_closed_connection;
  }

 private:
  Status exchange(int socket);
  Status send_some(int socket);
  Status send_outgoing(int socket);
  Status send_body(int socket);
  Status send_file(int socket, FileBody& file);
  Status refill(std::size_t before);
  Status receive_some(int socket);
  Status sending_failed(int socket, int os_error);
  Result<short> wait(int socket, short events, std::optional<steady_clock::time_point> limit);
  void look_at_the_kernel(int socket);
  [[nodiscard]] Status check_deadlines() const;
  [[nodiscard]] steady_clock::time_point deadline() const;
  void count_sent(std::size_t bytes);
  // Nothing more is to be received: the answer is complete, or the server broke off in the middle of a refusal.
  [[nodiscard]] bool is_settled() const { return parser_.is_complete() || answer_.has_enough() || is_cut_refusal_; }
  [[nodiscard]] bool has_sent_all() const { return outgoing_at_ == outgoing_.size() && body_left_ == 0; }

  const http::Request& request_;
  const http::Exchange& exchange_;
  AnswerBuilder answer_;
  AnswerParser parser_;
  std::string outgoing_;  // the head, and the stretch of a body that is no file
  std::size_t outgoing_at_ = 0;
  std::size_t head_left_ = outgoing_.size();
  std::size_t stretch_ = stretch_of(request_);
  std::uint64_t body_left_ = 0;  // not yet in outgoing_
  std::uint64_t sent_ = 0;       // of the body
  int unsent_ = 0;               // bytes that the kernel holds
  std::string peer_;
  StopSignal stop_;
  steady_clock::time_point started_ = steady_clock::now();
  steady_clock::time_point last_move_ = started_;
  bool clean_ = false;
  bool broke_ = false;
  bool is_cut_refusal_ = false;
};

steady_clock::time_point Call::deadline() const {
  const auto stall = last_move_ + request_.timeouts.stall;
  return request_.timeouts.total ? std::min(stall, started_ + *request_.timeouts.total) : stall;
}

Status Call::check_deadlines() const {
  const auto now = steady_clock::now();
  if (request_.timeouts.total && now - started_ >= *request_.timeouts.total) {
    return timed_out(peer_, *request_.timeouts.total);
  }
  return now - last_move_ >= request_.timeouts.stall ? Status(stalled(peer_, request_.timeouts.stall)) : Status();
}

// What the kernel has been given may be megabytes, which take their time on a slow line: they move as well.
void Call::look_at_the_kernel(int socket) {
  int unsent = 0;
  if (::ioctl(socket, SIOCOUTQ, &unsent) == 0 && unsent != unsent_) {
    unsent_ = unsent;
    last_move_ = steady_clock::now();
  }
}

// What the socket is ready for; 0 when `limit` has passed first.
Result<short> Call::wait(int socket, short events, std::optional<steady_clock::time_point> limit) {
  std::array<pollfd, 2> waiting{pollfd{socket, events, 0}, pollfd{stop_.descriptor(), POLLIN, 0}};
  const auto until = limit ? std::min(*limit, deadline()) : deadline();
  const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
  const auto most = static_cast<int>(std::clamp<long long>(left.count(), 0, 60'000));
  const auto ready = ::poll(waiting.data(), waiting.size(), most);
  if (exchange_.stop.stop_requested()) {
    return Error::interrupted();
  }
  if (ready > 0) {
    return waiting[0].revents;
  }
  look_at_the_kernel(socket);
  const auto in_time = check_deadlines();
  return in_time ? Result<short>(short{0}) : in_time.error();
}

Status Call::open(Connection& connection) {
  const auto limit = started_ + request_.timeouts.connect;
  while (!connection.is_open) {
    const auto ready = wait(connection.socket.get(), POLLOUT, limit);
    if (!ready) {
      return ready.error();
    }
    if (*ready != 0) {
      if (const int os_error = pending_error(connection.socket.get()); os_error != 0) {
        return not_connected(peer_, os_error);
      }
      connection.is_open = true;
    } else if (steady_clock::now() >= limit) {
      return no_connection_within(peer_, request_.timeouts.connect);
    }
  }
  last_move_ = steady_clock::now();
  return {};
}

Result<http::Response> Call::run(Connection& connection) {
  if (request_.body) {
    body_left_ = request_.body->size();
    if (const auto rewound = request_.body->rewind(); !rewound) {
      return rewound.error();
    }
  }
  if (const auto done = exchange(connection.socket.get()); !done) {
    return done.error();
  }
  clean_ = parser_.may_keep_connection() && has_sent_all();
  return answer_.take();
}

// Until the answer is complete. What is not sent by then is not wanted.
Status Call::exchange(int socket) {
  if (const auto sent = send_some(socket); !sent) {
    return sent;
  }
  while (!is_settled()) {
    const auto wanted = has_sent_all() ? POLLIN : POLLIN | POLLOUT;
    const auto ready = wait(socket, static_cast<short>(wanted), std::nullopt);
    if (!ready) {
      return ready.error();
    }
    if ((*ready & (POLLIN | POLLHUP | POLLERR)) != 0) {
      if (const auto received = receive_some(socket); !received) {
        return received;
      }
    } else if ((*ready & POLLOUT) != 0) {
      if (const auto sent = send_some(socket); !sent) {
        return sent;
      }
    }
  }
  return {};
}

Status Call::send_some(int socket) {
  if (outgoing_at_ < outgoing_.size()) {
    if (const auto sent = send_outgoing(socket); !sent || outgoing_at_ < outgoing_.size()) {
      return sent;
    }
  }
  return body_left_ > 0 ? send_body(socket) : Status();
}

// A short body goes out together with the head.
Status Call::send_outgoing(int socket) {
  const bool is_read = file_for_kernel(request_) == nullptr || body_left_ <= memory_stretch;
  if (body_left_ > 0 && is_read && outgoing_.size() < memory_stretch) {
    if (const auto filled = refill(outgoing_.size()); !filled) {
      return filled;
    }
  }
  const int flags = MSG_NOSIGNAL | (body_left_ > 0 ? MSG_MORE : 0);
  while (outgoing_at_ < outgoing_.size()) {
    const auto count = ::send(socket, outgoing_.data() + outgoing_at_, outgoing_.size() - outgoing_at_, flags);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return errno == EAGAIN ? Status() : sending_failed(socket, errno);
    }
    outgoing_at_ += static_cast<std::size_t>(count);
    count_sent(static_cast<std::size_t>(count));
  }
  return {};
}

Status Call::send_body(int socket) {
  if (auto* file = file_for_kernel(request_); file != nullptr) {
    return send_file(socket, *file);
  }
  outgoing_at_ = 0;
  const auto filled = refill(0);
  return filled ? send_outgoing(socket) : filled;
}

Status Call::send_file(int socket, FileBody& file) {
  int os_error = 0;
  const auto count = file.send_to(socket, file_stretch, os_error);
  if (!count) {
    return count.error();
  }
  if (os_error != 0) {
    return sending_failed(socket, os_error);
  }
  body_left_ -= *count;
  count_sent(*count);
  return {};
}

// Puts the next stretch of the body behind the first bytes of what is to be sent.
Status Call::refill(std::size_t before) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(stretch_, body_left_));
  outgoing_.resize(before + wanted);
  const auto count = request_.body->read(outgoing_.data() + before, wanted);
  outgoing_.resize(before + (count ? *count : 0));
  if (!count) {
    return count.error();
  }
  if (*count == 0) {
    return Error::failed("what was to be sent to {} became shorter", peer_);
  }
  body_left_ -= *count;
  return {};
}

void Call::count_sent(std::size_t bytes) {
  last_move_ = steady_clock::now();
  const auto of_head = std::min(bytes, head_left_);
  head_left_ -= of_head;
  sent_ += bytes - of_head;
  if (exchange_.on_upload && bytes > of_head) {
    exchange_.on_upload(sent_);
  }
}

// A server may refuse a body before it has taken all of it, and close; then its answer counts, not the broken pipe.
Status Call::sending_failed(int socket, int os_error) {
  broke_ = true;
  while (!is_settled() && !is_quiet(socket)) {
    if (const auto received = receive_some(socket); !received) {
      return broke_off(peer_, "sending", os_error);
    }
  }
  return is_settled() ? Status() : broke_off(peer_, "sending", os_error);
}

Status Call::receive_some(int socket) {
  const auto room = parser_.room();
  ssize_t count = 0;
  do {
    count = ::recv(socket, room.data(), room.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    last_move_ = steady_clock::now();
    return parser_.received(static_cast<std::size_t>(count));
  }
  if (count < 0 && errno == EAGAIN) {
    return {};
  }
  broke_ = true;
  const auto doing = request_.body && !parser_.has_begun() ? "sending" : "receiving";
  const auto ended = count < 0 ? Status(broke_off(peer_, doing, errno)) : parser_.end();
  is_cut_refusal_ = !ended && answer_.is_refusal();
  return is_cut_refusal_ ? Status() : ended;
}

}  // namespace

PlainTransport::PlainTransport(PlainOptions options)
    : options_(std::move(options)), pool_(std::make_unique<ConnectionPool>(options_.idle_connections)) {}

PlainTransport::~PlainTransport() = default;

bool PlainTransport::can_carry(const http::Request& request) {
  return request.url.scheme == "http" && !addresses_of(request).empty();
}

void PlainTransport::prepare(const http::Request& like, int connections) {
  pool_->want(peer_of(like), connections);
}

Result<http::Response> PlainTransport::send(const http::Request& request, const http::Exchange& exchange) {
  if (const auto valid = check(request); !valid) {
    return valid.error();
  }
  if (exchange.stop.stop_requested()) {
    return Error::interrupted();
  }
  const auto peer = peer_of(request);
  while (auto kept = request.on_new_connection ? std::nullopt : pool_->take(peer)) {
    Call call(request, exchange, options_.user_agent);
    if (!call.open(*kept)) {
      continue;  // one that was being opened ahead; a new one will say why it cannot
    }
    auto answer = call.run(*kept);
    if (!call.broke_unanswered()) {
      pool_->give_back(peer, std::move(*kept), call.is_clean());
      return answer;
    }
  }
  return send_on_new(peer, request, exchange);
}

Result<http::Response> PlainTransport::send_on_new(const std::string& peer, const http::Request& request,
                                                   const http::Exchange& exchange) {
  Error last = not_connected(peer, EADDRNOTAVAIL);
  for (const auto& address : addresses_of(request)) {
    const auto began = steady_clock::now();
    int os_error = 0;
    auto connection = start_connecting(address, os_error);
    Call call(request, exchange, options_.user_agent);
    const auto opened = connection ? call.open(*connection) : Status(not_connected(peer, os_error));
    if (opened) {
      pool_->opened(peer, address, std::chrono::duration_cast<milliseconds>(steady_clock::now() - began));
      auto answer = call.run(*connection);
      pool_->give_back(peer, std::move(*connection), call.is_clean());
      return answer;
    }
    last = opened.error();
    if (last.code == base::ErrorCode::interrupted) {
      break;
    }
  }
  return last;
}

}  // namespace deployctl::platform
