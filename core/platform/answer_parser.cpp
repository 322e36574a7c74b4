#include "core/platform/answer_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <optional>
#include <vector>

namespace deployctl::platform {
namespace {

namespace beast = boost::beast;
using base::Status;
using beast::error_code;

constexpr std::size_t first_buffer = 64u << 10u;

// Hands what Beast has read to the builder; keeps the first error of the builder's.
class Parser final : public beast::http::basic_parser<false> {
 public:
  Parser(AnswerBuilder& answer, Status& refused) : answer_(answer), refused_(refused) {
    header_limit(static_cast<std::uint32_t>(most_header_bytes));
    body_limit(std::numeric_limits<std::uint64_t>::max());  // "none" refuses every length in Boost 1.74
    eager(true);
  }

 private:
  using Text = beast::string_view;

  static std::string_view view(Text text) { return {text.data(), text.size()}; }
  void keep(Status status, error_code& error) {
    if (!status) {
      refused_ = std::move(status);
      error = make_error_code(boost::system::errc::operation_canceled);
    }
  }
  std::size_t take(Text piece, error_code& error) {
    keep(answer_.add_body(view(piece)), error);
    if (answer_.has_enough()) {
      error = make_error_code(boost::system::errc::operation_canceled);
    }
    return piece.size();
  }

  void on_request_impl(beast::http::verb, Text, Text, int, error_code&) override {}
  void on_response_impl(int code, Text, int, error_code&) override { answer_.begin(code); }
  void on_field_impl(beast::http::field, Text name, Text value, error_code&) override {
    if (!answer_.has_fields()) {  // later ones are trailers
      answer_.add_field(view(name), view(value));
    }
  }
  void on_header_impl(error_code& error) override {
    if (answer_.status() >= 200) {
      keep(answer_.end_fields(), error);
    }
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(Text piece, error_code& error) override { return take(piece, error); }
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, error_code& error) override { return take(piece, error); }
  void on_finish_impl(error_code&) override {}

  AnswerBuilder& answer_;
  Status& refused_;
};

}  // namespace

struct AnswerParser::State {
  State(AnswerBuilder& builder, bool is_to_head) : answer(builder), to_head(is_to_head) { renew(); }

  void renew() {
    parser.emplace(answer, refused);
    parser->skip(to_head);
  }
  Status parse();
  Status explain(const error_code& error) const;

  AnswerBuilder& answer;
  bool to_head;
  Status refused;
  std::optional<Parser> parser;
  std::vector<char> buffer;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool has_begun = false;
};

Status AnswerParser::State::explain(const error_code& error) const {
  if (!refused) {
    return refused;
  }
  if (answer.has_enough()) {
    return {};
  }
  return error == beast::http::error::header_limit ? too_many_fields(answer.peer()) : not_http(answer.peer());
}

// Everything that has come, also what comes after an informational answer.
Status AnswerParser::State::parse() {
  while (begin < end && !parser->is_done()) {
    error_code error;
    begin += parser->put(boost::asio::buffer(buffer.data() + begin, end - begin), error);
    if (error == beast::http::error::need_more) {
      break;
    }
    if (error) {
      return explain(error);
    }
    if (parser->is_done() && answer.status() < 200) {
      renew();
    }
  }
  if (begin == end) {
    begin = end = 0;
  }
  return {};
}

AnswerParser::AnswerParser(AnswerBuilder& answer, bool is_to_head)
    : state_(std::make_unique<State>(answer, is_to_head)) {}

AnswerParser::~AnswerParser() = default;

// The parser wants all fields in one stretch: the buffer grows for them, up to the limit that it keeps.
std::span<char> AnswerParser::room() {
  auto& state = *state_;
  if (state.end == state.buffer.size()) {
    state.buffer.resize(std::max(first_buffer, 2 * state.buffer.size()));
  }
  return std::span(state.buffer).subspan(state.end);
}

Status AnswerParser::received(std::size_t count) {
  state_->has_begun = true;
  state_->end += count;
  return state_->parse();
}

Status AnswerParser::end() {
  if (!state_->parser->got_some()) {
    return closed_without_answer(state_->answer.peer());
  }
  error_code error;
  state_->parser->put_eof(error);
  return error ? Status(ended_early(state_->answer.peer())) : Status();
}

bool AnswerParser::has_begun() const {
  return state_->has_begun;
}

bool AnswerParser::is_complete() const {
  return state_->parser->is_done();
}

bool AnswerParser::may_keep_connection() const {
  return is_complete() && state_->begin == state_->end && state_->parser->keep_alive();
}

}  // namespace deployctl::platform
