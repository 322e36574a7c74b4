// Time-outs are a timer of our own rather than beast::tcp_stream's, which closes the socket when one expires: a client
// that is too slow is to be told so (408).
#include "http/session.hpp"

#include "http/text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <string>
#include <string_view>

namespace http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using error::ApiError;
using error::Code;
using Parser = beast::http::request_parser<beast::http::string_body>;
using Message = beast::http::response<beast::http::string_body>;

constexpr std::size_t read_chunk = 4096;
constexpr std::chrono::milliseconds linger_timeout{1000};
constexpr std::size_t linger_bytes = 16 * 1024 * 1024;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

enum class KeepAlive { no, yes };

// Why a request could not be read, as the client is told; nothing when there is nobody left to tell.
std::optional<ApiError> refusal_for(const error_code& failure) {
  using Failure = beast::http::error;
  if (failure == Failure::body_limit) {
    return ApiError(Code::body_too_large, "the body is too large");
  }
  if (failure == Failure::header_limit || failure == Failure::buffer_overflow) {
    return ApiError(Code::headers_too_large, "the header is too large");
  }
  if (failure == Failure::end_of_stream || failure == Failure::partial_message) {
    return std::nullopt;
  }
  if (failure.category() == beast::http::make_error_code(Failure::bad_method).category()) {
    return ApiError(Code::malformed_request, "the request is not HTTP: " + failure.message());
  }
  return std::nullopt;
}

std::optional<ApiError> fault_in(const Parser& parser) {
  if (parser.get().version() >= 11 && parser.get().count(beast::http::field::host) != 1) {
    return ApiError(Code::malformed_request, "the request needs one Host field");
  }
  if (!parse_target(view(parser.get().target()))) {
    return ApiError(Code::malformed_request, "the request target is not a path");
  }
  return std::nullopt;
}

Request to_request(Parser& parser) {
  auto& message = parser.get();
  Request request;
  request.method = view(message.method_string());
  const Target target = parse_target(view(message.target())).value_or(Target{});
  request.path = target.path;
  request.query = target.query;
  for (const auto& field : message) {
    request.headers.add(view(field.name_string()), view(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

// A client of HTTP/1.0 is answered in it, and so told "Connection: keep-alive" where it asked for that.
Message to_message(Response response, unsigned version, KeepAlive keep_alive) {
  Message message;
  message.version(version == 10 ? 10 : 11);
  message.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) {
    message.set(name, value);
  }
  message.set(beast::http::field::date, http_date(std::chrono::system_clock::now()));
  message.keep_alive(keep_alive == KeepAlive::yes);
  message.content_length(response.body.size());
  message.body() = std::move(response.body);
  return message;
}

// Ends what waits on a socket when the time is over.
class Deadline : public std::enable_shared_from_this<Deadline> {
 public:
  explicit Deadline(tcp::socket& socket) : socket_(socket), timer_(socket.get_executor()) {}

  void expire_after(std::chrono::milliseconds limit) {
    expired_ = false;
    timer_.expires_after(limit);
    timer_.async_wait([weak = weak_from_this()](const error_code& failure) {
      if (const auto self = weak.lock(); self && !failure) {
        self->expire();
      }
    });
  }
  void cancel() { timer_.cancel(); }
  bool is_expired() const { return expired_; }

 private:
  void expire() {
    const bool was_set_again = timer_.expiry() > std::chrono::steady_clock::now();
    if (!was_set_again) {
      error_code ignored;
      expired_ = true;
      socket_.cancel(ignored);
    }
  }

  tcp::socket& socket_;
  asio::steady_timer timer_;
  bool expired_ = false;
};

class HttpSession : public Session, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(tcp::socket socket, std::shared_ptr<const Serving> serving)
      : serving_(std::move(serving)), socket_(std::move(socket)), deadline_(std::make_shared<Deadline>(socket_)) {}

  asio::awaitable<void> run() override {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    while (co_await request_comes()) {  // a plain condition: g++ 12 gets co_await behind && wrong
      const auto keep_alive = co_await answer_one();
      if (keep_alive == KeepAlive::no) {
        break;
      }
    }
    deadline_->cancel();
  }

  void end_if_idle() override {
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      error_code ignored;
      if (self->idle_ && self->socket_.available(ignored) == 0) {
        self->socket_.cancel(ignored);
      }
    });
  }

 private:
  // Waits for the first byte of a request; false when none comes.
  asio::awaitable<bool> request_comes() {
    if (buffer_.size() > 0) {
      co_return true;
    }
    error_code failure;
    if (serving_->stopping && socket_.available(failure) == 0) {
      co_return false;
    }
    idle_ = true;
    deadline_->expire_after(serving_->options.idle_timeout);
    const auto space = buffer_.prepare(read_chunk);
    const auto count = co_await socket_.async_read_some(space, asio::redirect_error(asio::use_awaitable, failure));
    idle_ = false;
    buffer_.commit(count);
    co_return !failure;
  }

  asio::awaitable<KeepAlive> answer_one() {
    Parser parser;
    parser.header_limit(serving_->options.max_header_bytes);
    parser.body_limit(serving_->options.max_body_bytes);
    const error_code failure = co_await read(parser);
    auto refusal = why_refused(parser, failure);
    if (failure && !refusal) {
      co_return KeepAlive::no;
    }

    const bool was_read = !refusal;
    const bool is_head = parser.get().method() == beast::http::verb::head;
    Request request = to_request(parser);
    request.refusal = std::move(refusal);
    Response response = co_await serving_->answer(std::move(request));

    const bool stays = was_read && parser.keep_alive() && !serving_->draining;
    const auto keep_alive = stays ? KeepAlive::yes : KeepAlive::no;
    Message message = to_message(std::move(response), parser.get().version(), keep_alive);
    const bool was_written = co_await write(message, is_head);
    const bool leaves_bytes_unread = !was_read || (!stays && buffer_.size() > 0);
    if (leaves_bytes_unread) {
      co_await linger();
    }
    co_return was_written ? keep_alive : KeepAlive::no;
  }

  asio::awaitable<error_code> read(Parser& parser) {
    error_code failure;
    deadline_->expire_after(serving_->options.read_timeout);
    co_await beast::http::async_read_header(socket_, buffer_, parser,
                                            asio::redirect_error(asio::use_awaitable, failure));
    if (!failure && expects_continue(parser)) {
      co_await write_continue(failure);
    }
    if (!failure && !parser.is_done()) {
      co_await beast::http::async_read(socket_, buffer_, parser, asio::redirect_error(asio::use_awaitable, failure));
    }
    co_return failure;
  }

  static bool expects_continue(Parser& parser) {
    return equal_ignoring_case(view(parser.get()[beast::http::field::expect]), "100-continue") && !parser.is_done();
  }

  asio::awaitable<void> write_continue(error_code& failure) {
    static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto bytes = asio::buffer(text);
    co_await asio::async_write(socket_, bytes, asio::redirect_error(asio::use_awaitable, failure));
  }

  std::optional<ApiError> why_refused(const Parser& parser, const error_code& failure) const {
    if (failure && deadline_->is_expired()) {
      return ApiError(Code::request_read_timeout, "the request took too long to arrive");
    }
    return failure ? refusal_for(failure) : fault_in(parser);
  }

  asio::awaitable<bool> write(Message& message, bool is_head) {
    error_code failure;
    deadline_->expire_after(serving_->options.write_timeout);
    beast::http::response_serializer<beast::http::string_body> serializer(message);
    if (is_head) {
      co_await beast::http::async_write_header(socket_, serializer, asio::redirect_error(asio::use_awaitable, failure));
    } else {
      co_await beast::http::async_write(socket_, serializer, asio::redirect_error(asio::use_awaitable, failure));
    }
    co_return !failure;
  }

  // Says that this was the last answer and reads on for a while what the client still sends: closing a socket that has
  // unread bytes resets the connection, and the client might never see the answer (RFC 9112, section 9.6).
  asio::awaitable<void> linger() {
    error_code failure;
    socket_.shutdown(tcp::socket::shutdown_send, failure);
    deadline_->expire_after(linger_timeout);
    std::string dropped(read_chunk * 4, '\0');
    for (std::size_t total = 0; !failure && total < linger_bytes;) {
      const auto space = asio::buffer(dropped);
      total += co_await socket_.async_read_some(space, asio::redirect_error(asio::use_awaitable, failure));
    }
  }

  std::shared_ptr<const Serving> serving_;
  tcp::socket socket_;
  std::shared_ptr<Deadline> deadline_;
  beast::flat_buffer buffer_;
  bool idle_ = false;
};

}  // namespace

std::shared_ptr<Session> make_session(asio::ip::tcp::socket socket, std::shared_ptr<const Serving> serving) {
  return std::make_shared<HttpSession>(std::move(socket), std::move(serving));
}

}  // namespace http
