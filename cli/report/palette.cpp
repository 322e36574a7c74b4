#include "cli/report/palette.hpp"

namespace deployctl::cli::report {
namespace {

// ECMA-48 section 8.3.117, select graphic rendition.
std::string_view code_of(Color color) {
  switch (color) {
    case Color::none:
      return "";
    case Color::red:
      return "\x1b[31m";
    case Color::green:
      return "\x1b[32m";
    case Color::yellow:
      return "\x1b[33m";
    case Color::bold:
      return "\x1b[1m";
    case Color::dim:
      return "\x1b[2m";
  }
  return "";
}

}  // namespace

std::string Palette::paint(Color color, std::string_view text) const {
  if (!use_color_ || color == Color::none || text.empty()) {
    return std::string(text);
  }
  return std::string(code_of(color)) + std::string(text) + "\x1b[0m";
}

}  // namespace deployctl::cli::report
