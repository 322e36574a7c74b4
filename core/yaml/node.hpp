// A YAML document as a tree in which every node knows where it was written. Aliases are expanded, anchors are gone.
#pragma once

#include "core/base/diagnostic.hpp"
#include "core/base/source.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::yaml {

enum class NodeKind { null, scalar, sequence, mapping };

struct Entry;

struct Node {
  NodeKind kind = NodeKind::null;
  base::SourceSpan span;       // of the scalar's text, or the first byte of a collection
  std::string scalar;          // kind scalar: the text after unquoting
  bool is_quoted = false;      // a quoted scalar is a string whatever it looks like
  std::vector<Node> items;     // kind sequence
  std::vector<Entry> entries;  // kind mapping, in the order of the file; keys are unique

  // The value under a key of a mapping, or null.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Entry {
  base::Located<std::string> key;
  Node value;
};

// "a mapping", "a list", "text", "a number", "true or false", "nothing": what a node is, in words, for messages.
std::string describe(const Node& node);

// Plain scalars mean what the YAML 1.2 core schema says (section 10.3.2): null ~ ""; true false True FALSE …; 10 0o17
// 0x1F; quoted ones are never anything but text. `no`, `on` and `012` are text.
bool is_null(const Node& node);
std::optional<bool> as_boolean(const Node& node);
std::optional<long long> as_integer(const Node& node);

}  // namespace deployctl::yaml
