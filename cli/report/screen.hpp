// The bytes that turn one picture of the board into the next. Every text it gives is to be written at once, leaves the
// cursor visible below the board and no terminal mode changed, so that whatever ends the program leaves the terminal
// usable.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace deployctl::cli::report {

class Screen {
 public:
  // Prints `finished` where the board stands and `rows` as the new board below.
  std::string draw(const std::vector<std::string>& finished, const std::vector<std::string>& rows, std::size_t width);
  [[nodiscard]] bool is_empty() const { return drawn_.empty(); }
  // Takes the board away; nothing when there is none.
  std::string erase(std::size_t width);

 private:
  [[nodiscard]] std::string back_to_top(std::size_t width) const;

  std::vector<std::size_t> drawn_;  // widths of the rows on the terminal, in cells
};

}  // namespace deployctl::cli::report
