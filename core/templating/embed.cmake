# Writes OUTPUT, a C++ file with the text of every one of FILES (relative to ROOT) as a raw string literal.
set(delimiter "template")
set(entries "")
foreach(name IN LISTS FILES)
  file(READ "${ROOT}/${name}" text)
  if(text MATCHES "\\)${delimiter}\"")
    message(FATAL_ERROR "${name} holds the end mark of the raw string it is embedded in")
  endif()
  string(APPEND entries "    {\"${name}\", R\"${delimiter}(${text})${delimiter}\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Made by core/templating/embed.cmake from templates/.
#include \"core/templating/embedded.hpp\"

namespace deployctl::templating {

const std::vector<EmbeddedTemplate>& embedded_templates() {
  static const std::vector<EmbeddedTemplate> templates = {
${entries}  };
  return templates;
}

}  // namespace deployctl::templating
")
