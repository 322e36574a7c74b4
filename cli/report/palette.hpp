// Colours, or none: text goes through here wherever it may be coloured.
#pragma once

#include <string>
#include <string_view>

namespace deployctl::cli::report {

enum class Color { none, red, green, yellow, bold, dim };

class Palette {
 public:
  explicit Palette(bool use_color = false) : use_color_(use_color) {}
  [[nodiscard]] std::string paint(Color color, std::string_view text) const;

 private:
  bool use_color_;
};

}  // namespace deployctl::cli::report
