// Text to positioned tree, refusing everything that could mean two things or exhaust the reader.
#pragma once

#include "core/base/diagnostic.hpp"
#include "core/yaml/node.hpp"

namespace deployctl::yaml {

struct ParseLimits {
  std::size_t bytes = 1u << 20u;  // of the file
  std::size_t nodes = 100'000;    // after alias expansion
  std::size_t depth = 64;         // of nesting
  std::size_t scalar_bytes = 256u << 10u;
};

// The only document of the file. Reported with a span, and then no tree (null node) is returned for errors:
// syntax errors (tabs as indentation are named as such), duplicate keys, keys that are no plain text, aliases to
// themselves or unknown, merge keys (`<<`), tags other than the core schema's, further documents, invalid UTF-8, NUL
// bytes, and anything past the limits. An empty file is a null node and no error.
Node parse(const base::SourcePtr& source, base::Diagnostics& diagnostics, ParseLimits limits = {});

// Every document of a stream, for files that may hold several (Kubernetes objects); empty ones are left out.
std::vector<Node> parse_stream(const base::SourcePtr& source, base::Diagnostics& diagnostics, ParseLimits limits = {});

}  // namespace deployctl::yaml
