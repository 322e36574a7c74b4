#include "core/project/shape.hpp"

namespace deployctl::project {

std::string expectation(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::text:
      return shape.text.accepts_numbers ? "text or a number" : "text";
    case Shape::Kind::word:
      return "text";
    case Shape::Kind::number:
      return "a number";
    case Shape::Kind::boolean:
      return "true or false";
    case Shape::Kind::list:
      return "a list";
    case Shape::Kind::map:
    case Shape::Kind::mapping:
      return "a mapping";
    case Shape::Kind::either:
      break;
  }
  std::string words;
  for (const auto& alternative : shape.alternatives) {
    words += (words.empty() ? "" : " or ") + expectation(*alternative);
  }
  return words;
}

}  // namespace deployctl::project
