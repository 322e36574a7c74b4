#include "app/application.hpp"

#include "app/routes.hpp"
#include "http/server.hpp"
#include "repository/sqlite_user_repository.hpp"
#include "store/database.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

namespace app {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

store::DatabaseOptions database_options(const config::Config& config) {
  return {.path = config.database_path,
          .connections = static_cast<std::size_t>(config.database_connections),
          .queue_limit = static_cast<std::size_t>(config.database_queue)};
}

http::ServerOptions server_options(const config::Config& config) {
  return {.host = config.host,
          .port = config.port,
          .read_timeout = config.read_timeout,
          .write_timeout = config.write_timeout,
          .idle_timeout = config.idle_timeout,
          .max_body_bytes = config.max_body_bytes,
          .max_header_bytes = config.max_header_bytes};
}

class Application {
 public:
  Application(const config::Config& config, logging::Logger& logger)
      : config_(config),
        logger_(logger),
        metrics_(config.version, config.commit),
        signals_(io_, SIGTERM, SIGINT),
        database_(database_options(config)),
        user_repository_(database_),
        users_(user_repository_),
        server_(io_, server_options(config),
                [this](http::Request request) { return router_.serve(std::move(request)); }) {
    add_routes(router_, {config_, logger_, metrics_, lifecycle_, user_repository_, users_});
  }

  int run() {
    server_.start();
    logger_.info("listening", {{"host", config_.host},
                               {"port", std::int64_t{server_.port()}},
                               {"version", config_.version},
                               {"commit", config_.commit}});
    asio::co_spawn(io_, end_on_signal(), asio::detached);
    run_threads();
    return status_;
  }

 private:
  void run_threads() {
    std::vector<std::jthread> threads;
    for (int count = 1; count < config_.io_threads; ++count) {
      threads.emplace_back([this] { io_.run(); });
    }
    io_.run();
  }

  // A load balancer needs a while to see that this replica is not ready any more. Until then requests keep coming,
  // and are answered.
  asio::awaitable<void> end_on_signal() {
    const int signal = co_await signals_.async_wait(asio::use_awaitable);
    const auto deadline = Clock::now() + config_.shutdown_timeout;
    exit_on_second_signal();
    logger_.info("draining", {{"signal", std::int64_t{signal}}, {"drain_delay_ms", config_.drain_delay.count()}});
    lifecycle_.begin_draining();
    server_.begin_draining();
    co_await pause(config_.drain_delay);

    server_.stop_accepting();
    const bool all_answered = co_await server_.drained(deadline);
    if (all_answered) {
      logger_.info("stopped");
    } else {
      logger_.warn("stopped too early", {{"connections_cut", static_cast<std::int64_t>(server_.connections())}});
    }
    status_ = all_answered ? EXIT_SUCCESS : EXIT_FAILURE;
    io_.stop();
  }

  void exit_on_second_signal() {
    signals_.async_wait([this](const boost::system::error_code& failure, int) {
      if (!failure) {
        logger_.warn("stopped at once, on a second signal");
        std::_Exit(EXIT_FAILURE);
      }
    });
  }

  asio::awaitable<void> pause(std::chrono::milliseconds time) {
    asio::steady_timer timer(io_, time);
    co_await timer.async_wait(asio::use_awaitable);
  }

  // What coroutines refer to stands before the io_context, which ends those that are left.
  const config::Config& config_;
  logging::Logger& logger_;
  metrics::Metrics metrics_;
  Lifecycle lifecycle_;
  router::Router router_;
  int status_ = EXIT_FAILURE;
  asio::io_context io_;
  asio::signal_set signals_;
  store::Database database_;
  repository::SqliteUserRepository user_repository_;
  service::UserService users_;
  http::Server server_;
};

}  // namespace

int run(const config::Config& config, logging::Logger& logger) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return Application(config, logger).run();
  } catch (const std::exception& failure) {
    logger.error("cannot start", {{"error", failure.what()}});
    return EXIT_FAILURE;
  }
}

}  // namespace app
