#include "core/base/source.hpp"

#include <fmt/core.h>

namespace deployctl::base {

SourceFile::SourceFile(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (std::size_t at = 0; at < text_.size(); ++at) {
    if (text_[at] == '\n') {
      line_starts_.push_back(at + 1);
    }
  }
}

std::string_view SourceFile::line(std::size_t number) const {
  if (number == 0 || number > line_starts_.size()) {
    return {};
  }
  const auto begin = line_starts_[number - 1];
  const auto rest = text().substr(begin);
  const auto end = rest.find_first_of("\r\n");
  return rest.substr(0, end);
}

std::string to_string(const SourceSpan& span) {
  if (!span.is_known()) {
    return {};
  }
  if (span.begin.line == 0) {
    return span.file->path();
  }
  return fmt::format("{}:{}:{}", span.file->path(), span.begin.line, span.begin.column);
}

}  // namespace deployctl::base
