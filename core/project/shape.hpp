// What a value of the project manifest may look like, as data. The forms that read it (form.hpp), the JSON Schema
// (schema.hpp) and the reference page (reference_page.hpp) are all made from these descriptions.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::project {

struct Shape;
using ShapePtr = std::shared_ptr<const Shape>;

enum class Need { optional, required };

// What people are told about a key.
struct FieldText {
  std::string_view doc;
  std::string_view example = {};   // YAML of a value
  std::string_view fallback = {};  // what holds when the key is absent
  Need need = Need::optional;
};

struct FieldShape {
  std::string_view key;
  FieldText text;
  ShapePtr shape;
};

// A key or a word that belongs to the language but that nothing can carry out yet, and what is said about it.
struct Later {
  std::string_view word;
  std::string_view message;
};

// What else is known about a piece of text than that it is text.
struct TextRule {
  std::string_view name;          // "duration"
  std::string_view doc = {};      // what such a text looks like
  std::string_view pattern = {};  // of a regular expression for the whole text
  std::size_t longest = 0;        // in bytes; 0: no limit
  bool accepts_numbers = false;   // a plain number, true or false stands for its own text
};

struct Shape {
  enum class Kind { text, word, number, boolean, list, map, mapping, either };

  Kind kind = Kind::text;
  std::string name = {};      // text: its rule's; mapping: "service"
  std::string_view doc = {};  // mapping: a sentence about it
  TextRule text = {};
  std::vector<std::string_view> words = {};
  std::vector<Later> later = {};  // words or keys
  long long least = std::numeric_limits<long long>::min();
  long long most = std::numeric_limits<long long>::max();
  ShapePtr element = {};                // list, map
  ShapePtr key = {};                    // map
  bool may_be_empty = true;             // list, map
  std::vector<FieldShape> fields = {};  // mapping
  std::vector<ShapePtr> alternatives = {};
};

// The kind of node it wants, in words: "a number", "a list", "text or a mapping".
std::string expectation(const Shape& shape);

}  // namespace deployctl::project
