// The JSON value the program builds and reads. Members keep the order they were given, so that what we write reads
// well.
#pragma once

#include "core/base/result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace deployctl::json {

using Value = nlohmann::ordered_json;

struct ParseLimits {
  std::size_t bytes = 16u << 20u;
  std::size_t depth = 128;
};

// The value in `text`. `what` names the text in errors: "the token service's answer". failed on anything that is not
// one JSON document within the limits.
base::Result<Value> parse(std::string_view text, std::string_view what, ParseLimits limits = {});

// One line, UTF-8 as it is, control characters and DEL as \u00XX, never "\/": a form that both JSON and YAML 1.1
// readers take for the same (the Kubernetes API reads apply bodies as YAML). Invalid UTF-8 becomes U+FFFD.
std::string to_compact_text(const Value& value);
// Two spaces of indentation, a line feed at the end.
std::string to_pretty_text(const Value& value);
// Members sorted, compact: equal values give equal bytes, for hashing.
std::string to_canonical_text(const Value& value);

// One difference between two values, at a path such as "spec.template.spec.containers[0].image".
struct Difference {
  std::string path;
  std::string before;  // compact text, empty when there was nothing
  std::string after;   // compact text, empty when there is nothing
};

std::vector<Difference> diff(const Value& before, const Value& after);

}  // namespace deployctl::json
