#include "core/base/error.hpp"

#include <array>

namespace deployctl::base {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int exit_code;
};

constexpr std::array code_table{
    CodeRow{ErrorCode::failed, "failed", 1},
    CodeRow{ErrorCode::usage, "usage", 2},
    CodeRow{ErrorCode::invalid_input, "invalid_input", 3},
    CodeRow{ErrorCode::differences, "differences", 4},
    CodeRow{ErrorCode::rollout_failed, "rollout_failed", 5},
    CodeRow{ErrorCode::rollout_undecided, "rollout_undecided", 6},
    CodeRow{ErrorCode::refused, "refused", 7},
    CodeRow{ErrorCode::unauthorized, "unauthorized", 8},
    CodeRow{ErrorCode::unreachable, "unreachable", 9},
    CodeRow{ErrorCode::undo_failed, "undo_failed", 10},
    CodeRow{ErrorCode::interrupted, "interrupted", 130},
    CodeRow{ErrorCode::not_found, "not_found", 1},
    CodeRow{ErrorCode::conflict, "conflict", 1},
};

const CodeRow& row_of(ErrorCode code) {
  for (const auto& row : code_table) {
    if (row.code == code) {
      return row;
    }
  }
  return code_table.front();
}

}  // namespace

std::string to_string(const Error& error) {
  std::string line;
  for (auto context = error.contexts.rbegin(); context != error.contexts.rend(); ++context) {
    line += *context + ": ";
  }
  return line + error.message;
}

std::string_view to_string(ErrorCode code) {
  return row_of(code).name;
}

int exit_code(ErrorCode code) {
  return row_of(code).exit_code;
}

}  // namespace deployctl::base
