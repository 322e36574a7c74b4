// The files of templates/ as they were when the program was built; embed.cmake makes the .cpp.
#pragma once

#include <string_view>
#include <vector>

namespace deployctl::templating {

struct EmbeddedTemplate {
  std::string_view name;  // path below templates/
  std::string_view text;
};

// Sorted by name.
const std::vector<EmbeddedTemplate>& embedded_templates();

}  // namespace deployctl::templating
