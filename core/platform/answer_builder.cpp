#include "core/platform/answer_builder.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/platform/posix_descriptor.hpp"

#include <algorithm>
#include <cerrno>

namespace deployctl::platform {
namespace {

using base::Error;
using base::Status;

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

Error cannot_reach(const std::string& peer, std::string_view cause) {
  return Error::unreachable("cannot reach {}: {}", peer, cause);
}

}  // namespace

std::string peer_of(const http::Request& request) {
  if (!request.unix_socket.empty()) {
    return request.unix_socket;
  }
  const auto host = request.url.host.find(':') == std::string::npos ? request.url.host : "[" + request.url.host + "]";
  return fmt::format("{}:{}", host, request.url.effective_port());
}

Status check(const http::Request& request) {
  if (request.url.scheme != "http" && request.url.scheme != "https") {
    return Error::invalid_input("{} is no http or https URL", base::to_display(request.url));
  }
  for (const auto& [name, value] : request.headers.fields()) {
    if (has_line_break(name) || has_line_break(value)) {
      return Error::invalid_input("the header field {} holds a line break", base::printable(name));
    }
  }
  return {};
}

void AnswerBuilder::begin(int status) {
  response_ = {};
  response_.status = status;
}

void AnswerBuilder::add_field(std::string_view name, std::string_view value) {
  response_.headers.add(std::string(base::trim(name)), std::string(base::trim(value)));
}

Status AnswerBuilder::end_fields() {
  has_fields_ = true;
  return exchange_.sink.on_headers ? exchange_.sink.on_headers(response_) : Status();
}

Status AnswerBuilder::add_body(std::string_view piece) {
  if (response_.is_success() && exchange_.sink.on_body) {
    return exchange_.sink.on_body(piece);
  }
  const auto limit = request_.max_body_bytes;
  const auto room = limit - std::min<std::uint64_t>(limit, response_.body.size());
  if (piece.size() <= room) {
    response_.body += piece;
    return {};
  }
  if (is_refusal()) {
    response_.body += piece.substr(0, static_cast<std::size_t>(room));
    has_enough_ = true;
    return {};
  }
  return Error::failed("the answer of {} to {} {} is longer than {}", peer_of(request_), request_.method,
                       base::to_display(request_.url), base::human_bytes(limit));
}

Error not_connected(const std::string& peer, int os_error) {
  return cannot_reach(peer, system_words(os_error));
}

Error broke_off(const std::string& peer, std::string_view doing, int os_error) {
  const auto words = system_words(os_error);
  return cannot_reach(peer, fmt::format("the connection broke while {}{}", doing, words.empty() ? "" : ": " + words));
}

Error closed_without_answer(const std::string& peer) {
  return cannot_reach(peer, "the server closed the connection without an answer");
}

Error ended_early(const std::string& peer) {
  return cannot_reach(peer, "the answer ended early");
}

Error no_connection_within(const std::string& peer, std::chrono::milliseconds limit) {
  return cannot_reach(peer, "no connection within " + base::to_string(limit));
}

Error timed_out(const std::string& peer, std::chrono::milliseconds total) {
  return Error::unreachable("{} timed out after {}", peer, base::to_string(total));
}

Error stalled(const std::string& peer, std::chrono::milliseconds stall) {
  return Error::unreachable("{} timed out: nothing moved for {}", peer, base::to_string(stall));
}

Error not_http(const std::string& peer) {
  return Error::failed("{} answered with something that is not HTTP", peer);
}

Error too_many_fields(const std::string& peer) {
  return Error::failed("{} sent more than {} of header fields", peer, base::human_bytes(most_header_bytes));
}

std::string system_words(int os_error) {
  switch (os_error) {
    case ECONNREFUSED:
      return "connection refused";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "no route to the host";
    case ECONNRESET:
    case EPIPE:
      return "the connection was reset";
    case ETIMEDOUT:
      return "timed out";
    case ENOENT:
      return "there is no such socket";
    case EACCES:
    case EPERM:
      return "permission denied";
    default:
      return os_error == 0 ? std::string() : system_message(os_error);
  }
}

}  // namespace deployctl::platform
