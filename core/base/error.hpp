// One thing that could not be done: what, to what, why, and what would help.
//
// An Error travels in a Result. Mistakes in the user's text are Diagnostics instead (diagnostic.hpp).
#pragma once

#include "core/base/source.hpp"

#include <fmt/core.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace deployctl::base {

// What kind of failure, as far as a caller or the shell has to tell them apart. docs/errors.md lists them with their
// exit codes.
enum class ErrorCode {
  failed,             // exit 1: anything without a better class
  usage,              // exit 2: the command line
  invalid_input,      // exit 3: the project manifest or another text of the user's
  differences,        // exit 4: a check found differences
  rollout_failed,     // exit 5: cause known
  rollout_undecided,  // exit 6: still undecided at the deadline
  refused,            // exit 7: lock, older commit, wrong cluster, missing approval, policy
  unauthorized,       // exit 8: authentication or permission
  unreachable,        // exit 9: engine, registry or cluster cannot be reached
  interrupted,        // exit 130: Ctrl-C or SIGTERM
  not_found,          // exit 1: the thing asked for is not there
  conflict,           // exit 1: somebody else changed or owns it
  undo_failed,        // exit 10: a rollout failed, and going back as well
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::failed;
  std::string message;                // starts lower-case, no full stop
  std::vector<std::string> contexts;  // innermost first: "pushing shop/api"
  std::string hint;                   // what to do about it; may be empty
  std::optional<SourceSpan> span;     // the user's text behind it, where there is one
  bool is_lasting = false;            // trying again will not help, whatever the code

  template <typename... Args>
  static Error make(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    return {.code = code,
            .message = fmt::vformat(format, fmt::make_format_args(args...)),
            .contexts = {},
            .hint = {},
            .span = {}};
  }
  template <typename... Args>
  static Error failed(fmt::format_string<Args...> format, Args&&... args) {
    return make(ErrorCode::failed, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  static Error usage(fmt::format_string<Args...> format, Args&&... args) {
    return make(ErrorCode::usage, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  static Error invalid_input(fmt::format_string<Args...> format, Args&&... args) {
    return make(ErrorCode::invalid_input, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  static Error refused(fmt::format_string<Args...> format, Args&&... args) {
    return make(ErrorCode::refused, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  static Error unauthorized(fmt::format_string<Args...> format, Args&&... args) {
    return make(ErrorCode::unauthorized, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  static Error unreachable(fmt::format_string<Args...> format, Args&&... args) {
    return make(ErrorCode::unreachable, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  static Error not_found(fmt::format_string<Args...> format, Args&&... args) {
    return make(ErrorCode::not_found, format, std::forward<Args>(args)...);
  }
  static Error interrupted() { return make(ErrorCode::interrupted, "interrupted"); }

  // The same error seen from further up: error.within("pushing {}", repository).
  template <typename... Args>
  [[nodiscard]] Error within(fmt::format_string<Args...> format, Args&&... args) const {
    auto outer = *this;
    outer.contexts.push_back(fmt::vformat(format, fmt::make_format_args(args...)));
    return outer;
  }
  // The same error with advice; an earlier, more specific hint stays.
  template <typename... Args>
  [[nodiscard]] Error with_hint(fmt::format_string<Args...> format, Args&&... args) const {
    auto advised = *this;
    if (advised.hint.empty()) {
      advised.hint = fmt::vformat(format, fmt::make_format_args(args...));
    }
    return advised;
  }
  [[nodiscard]] Error at(SourceSpan where) const {
    auto placed = *this;
    placed.span = std::move(where);
    return placed;
  }
};

// One line: "pushing shop/api: uploading layer: connection refused", outermost context first, without the hint.
std::string to_string(const Error& error);

// The word for a code in events and docs: "invalid_input".
std::string_view to_string(ErrorCode code);

// The process exit code, 1 to 10 or 130.
int exit_code(ErrorCode code);

}  // namespace deployctl::base
