// Mustache templates filled with values (the mustache(5) language): {{name}}, {{#section}}…{{/section}},
// {{^inverted}}…{{/inverted}}, {{! comment }}. Nothing is escaped: callers quote every value for the format it enters
// (quoting.hpp). A name that no value has is an error, never an empty text.
#pragma once

#include "core/base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace deployctl::templating {

struct Value;
using Values = std::map<std::string, Value>;

// Text to put in, a condition for sections, or a list a section is repeated for.
struct Value : std::variant<std::string, bool, std::vector<Values>> {
  using variant = std::variant<std::string, bool, std::vector<Values>>;
  using variant::variant;
  Value(const char* text) : variant(std::string(text)) {}
};

// invalid_input for a template that does not parse or asks for an unknown name; `name` names it in the message.
base::Result<std::string> render(std::string_view name, std::string_view text, const Values& values);

}  // namespace deployctl::templating
