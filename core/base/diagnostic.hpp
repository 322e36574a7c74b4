// What is wrong with the user's text, all of it that one run can find.
#pragma once

#include "core/base/error.hpp"
#include "core/base/source.hpp"

#include <string>
#include <vector>

namespace deployctl::base {

enum class Severity { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  SourceSpan span;
  std::string message;
  std::string hint;  // "did you mean 'port'?"; may be empty
};

// The findings of one run, in the order they were made.
class Diagnostics {
 public:
  void error(SourceSpan span, std::string message, std::string hint = {});
  void warning(SourceSpan span, std::string message, std::string hint = {});
  void append(Diagnostics other);

  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] bool empty() const { return items_.empty(); }
  // Sorted by place in the file; findings of the same place keep their order and are not repeated.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> items_;
};

// The diagnostic as people read it, ending in a line feed:
//
//   deployctl.yaml:4:5: error: unknown key 'prot'
//     4 |     prot: 8080
//       |     ^^^^
//     did you mean 'port'?
std::string render(const Diagnostic& diagnostic);

}  // namespace deployctl::base
