// What a registry asks for in WWW-Authenticate (RFC 9110 section 11.6.1; distribution "Token Authentication").
#pragma once

#include "core/http/transport.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::registry {

struct Challenge {
  std::string scheme;                             // lower-case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case

  [[nodiscard]] std::string parameter(const std::string& name) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
  }
  friend bool operator==(const Challenge&, const Challenge&) = default;
};

// All challenges of an answer, in order; what cannot be read is left out.
std::vector<Challenge> challenges(const http::Headers& headers);

// The one we can answer: bearer rather than basic.
std::optional<Challenge> answerable(const std::vector<Challenge>& challenges);

}  // namespace deployctl::registry
