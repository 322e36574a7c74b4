// Text the user wrote, and places in it.
//
// Every value that comes from a file keeps the span it was read from, so that any later complaint can point at it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deployctl::base {

// A place in a source file. Lines and columns count from one; a column is a byte of the line's UTF-8.
struct Position {
  std::size_t line = 0;  // 0: the file as a whole
  std::size_t column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// The whole text of one file under the name the user knows it by.
class SourceFile {
 public:
  SourceFile(std::string path, std::string text);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  // The text of a line without its line ending; empty when there is no such line.
  [[nodiscard]] std::string_view line(std::size_t number) const;

 private:
  std::string path_;
  std::string text_;
  std::vector<std::size_t> line_starts_;
};

using SourcePtr = std::shared_ptr<const SourceFile>;

// A stretch of one line. `file` is null for values that no file gave (defaults, command line).
struct SourceSpan {
  SourcePtr file;
  Position begin;
  std::size_t length = 1;  // in bytes, at least one

  [[nodiscard]] bool is_known() const { return file != nullptr; }
};

// "path:line:column", "path" when only the file is known, "" when nothing is.
std::string to_string(const SourceSpan& span);

// A value and where it was written.
template <typename T>
struct Located {
  T value{};
  SourceSpan span;

  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
  // Two values are the same wherever they were written.
  friend bool operator==(const Located& left, const Located& right) { return left.value == right.value; }
};

template <typename T>
Located(T, SourceSpan) -> Located<T>;

}  // namespace deployctl::base
