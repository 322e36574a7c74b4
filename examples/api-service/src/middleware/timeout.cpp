// The rest of the chain runs as a coroutine of its own, on a copy of the context, against a timer. Boost 1.74 cannot
// cancel a coroutine from outside, so the loser is left to finish; it shares nothing with the answer.
#include "error/api_error.hpp"
#include "middleware/middleware.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>

namespace middleware {
namespace {

namespace asio = boost::asio;
using router::Context;

// Both runners are on the connection's strand: never at the same time.
struct Race {
  Race(asio::any_io_executor executor, const Context& start) : timer(std::move(executor)), context(start) {}

  asio::steady_timer timer;
  Context context;
  bool done = false;
  std::exception_ptr failure;
};

asio::awaitable<void> run(std::shared_ptr<Race> race) {
  try {
    co_await race->context.next();
  } catch (...) {
    race->failure = std::current_exception();
  }
  race->done = true;
  race->timer.cancel();
}

asio::awaitable<void> wait(Race& race) {
  boost::system::error_code ignored;
  if (!race.done) {
    co_await race.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace

router::Handler timeout(std::chrono::milliseconds limit) {
  return [limit](Context& context) -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const auto race = std::make_shared<Race>(executor, context);
    race->timer.expires_after(limit);
    asio::co_spawn(executor, run(race), asio::detached);
    co_await wait(*race);
    if (!race->done) {
      throw error::ApiError(error::Code::timed_out, "the answer took too long");
    }
    if (race->failure) {
      std::rethrow_exception(race->failure);
    }
    context.response = std::move(race->context.response);
  };
}

}  // namespace middleware
