// Reads HTTP/1.1 answers from bytes as they arrive (RFC 9112), for an AnswerBuilder.
#pragma once

#include "core/platform/answer_builder.hpp"

#include <memory>
#include <span>

namespace deployctl::platform {

class AnswerParser {
 public:
  // The answer to HEAD has no body whatever its fields say.
  AnswerParser(AnswerBuilder& answer, bool is_to_head);
  ~AnswerParser();
  AnswerParser(const AnswerParser&) = delete;
  AnswerParser& operator=(const AnswerParser&) = delete;

  // Where the next bytes go; tell with received() how many came.
  std::span<char> room();
  base::Status received(std::size_t count);
  // The connection was closed: unreachable when the answer lacks something.
  base::Status end();

  [[nodiscard]] bool has_begun() const;
  [[nodiscard]] bool is_complete() const;
  // The answer was complete and nothing came after it, and the server keeps the connection open.
  [[nodiscard]] bool may_keep_connection() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace deployctl::platform
