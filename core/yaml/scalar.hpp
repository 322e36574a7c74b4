// What the text of a plain scalar means by the YAML 1.2 core schema (section 10.3.2), but for what YAML 1.1 reads in
// another way: that is text. Private to this module; others ask a Node.
#pragma once

#include <optional>
#include <string_view>

namespace deployctl::yaml {

bool is_null_text(std::string_view text);
std::optional<bool> boolean_of_text(std::string_view text);
std::optional<long long> integer_of_text(std::string_view text);
// Whole numbers too; nothing for .inf and .nan, which JSON cannot hold.
std::optional<double> float_of_text(std::string_view text);

}  // namespace deployctl::yaml
