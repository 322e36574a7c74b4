// One coroutine accepts; each connection is a coroutine on a strand of its own (http/session.hpp).
#include "http/server.hpp"

#include "http/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <mutex>
#include <stdexcept>
#include <unordered_map>

namespace http {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause_after_failed_accept{50};
constexpr std::chrono::milliseconds pause_between_looks{5};

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(asio::io_context& context, const ServerOptions& given, Answer ask)
      : io(context), serving(new Serving{given, std::move(ask)}), acceptor(asio::make_strand(context)) {}

  void listen();
  asio::awaitable<void> accept_all();
  void accept_waiting();
  void start_session(tcp::socket socket);
  void end_idle_sessions();
  std::size_t session_count() const;

  asio::io_context& io;
  const std::shared_ptr<Serving> serving;
  tcp::acceptor acceptor;  // used on its strand
  std::atomic<bool> accepting = false;
  mutable std::mutex mutex;
  std::unordered_map<Session*, std::weak_ptr<Session>> sessions;
};

namespace {

// A session is known to the server exactly as long as its coroutine is there.
class Listed {
 public:
  Listed(std::shared_ptr<Server::State> server, Session* session) : server_(std::move(server)), session_(session) {}
  ~Listed() {
    const std::lock_guard lock(server_->mutex);
    server_->sessions.erase(session_);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  std::shared_ptr<Server::State> server_;
  Session* session_;
};

asio::awaitable<void> run_session(std::shared_ptr<Session> session, std::shared_ptr<Server::State> server) {
  const Listed listed(server, session.get());
  co_await session->run();
}

}  // namespace

void Server::State::listen() {
  const tcp::endpoint endpoint(asio::ip::make_address(serving->options.host), serving->options.port);
  acceptor.open(endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.bind(endpoint);
  acceptor.listen(asio::socket_base::max_listen_connections);
}

asio::awaitable<void> Server::State::accept_all() {
  const auto self = shared_from_this();
  asio::steady_timer pause(acceptor.get_executor());
  while (acceptor.is_open()) {
    error_code failure;
    tcp::socket socket(asio::make_strand(io));
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, failure));
    if (!failure) {
      start_session(std::move(socket));
    } else if (acceptor.is_open()) {  // out of descriptors, say: trying again at once would be a busy loop
      pause.expires_after(pause_after_failed_accept);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    }
  }
  accepting = false;
}

void Server::State::accept_waiting() {
  error_code failure;
  acceptor.non_blocking(true, failure);
  while (!failure) {
    tcp::socket socket(asio::make_strand(io));
    acceptor.accept(socket, failure);
    if (!failure) {
      start_session(std::move(socket));
    }
  }
}

void Server::State::start_session(tcp::socket socket) {
  const auto executor = socket.get_executor();
  const auto session = make_session(std::move(socket), serving);
  {
    const std::lock_guard lock(mutex);
    sessions.emplace(session.get(), session);
  }
  asio::co_spawn(executor, run_session(session, shared_from_this()), asio::detached);
}

void Server::State::end_idle_sessions() {
  const std::lock_guard lock(mutex);
  for (const auto& [address, weak] : sessions) {
    if (const auto session = weak.lock()) {
      session->end_if_idle();
    }
  }
}

std::size_t Server::State::session_count() const {
  const std::lock_guard lock(mutex);
  return sessions.size();
}

Server::Server(asio::io_context& io, const ServerOptions& options, Answer answer)
    : state_(std::make_shared<State>(io, options, std::move(answer))) {
  try {
    state_->listen();
  } catch (const boost::system::system_error& failure) {
    throw std::runtime_error("cannot listen on " + options.host + " port " + std::to_string(options.port) + ": " +
                             failure.code().message());
  }
}

Server::~Server() = default;

std::uint16_t Server::port() const {
  return state_->acceptor.local_endpoint().port();
}

void Server::start() {
  state_->accepting = true;
  asio::co_spawn(state_->acceptor.get_executor(), state_->accept_all(), asio::detached);
}

void Server::begin_draining() {
  state_->serving->draining = true;
}

void Server::stop_accepting() {
  state_->serving->draining = true;
  asio::post(state_->acceptor.get_executor(), [state = state_] {
    error_code ignored;
    state->accept_waiting();
    state->acceptor.close(ignored);
    state->serving->stopping = true;
    state->end_idle_sessions();
  });
}

asio::awaitable<bool> Server::drained(Clock::time_point deadline) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while ((state_->accepting || connections() > 0) && Clock::now() < deadline) {
    error_code ignored;
    timer.expires_after(pause_between_looks);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return !state_->accepting && connections() == 0;
}

std::size_t Server::connections() const {
  return state_->session_count();
}

}  // namespace http
