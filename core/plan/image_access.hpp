// What a registry said of an image that pods are to pull.
#pragma once

#include "core/oci/descriptor.hpp"

#include <string>
#include <vector>

namespace deployctl::plan {

struct ImageAccess {
  enum class Answer {
    exists,       // and may be pulled
    missing,      // the registry has no such image
    denied,       // it lets nobody pull it with these credentials, or does not say whether it is there
    unreachable,  // from here; or it did not answer in a way that tells
  };
  Answer answer = Answer::exists;
  std::string words;                     // one line: "registry.example.com has no shop/api@sha256:…"
  std::string shown;                     // "with the pull secret regcred", "without credentials"
  bool has_credentials = false;          // pull secrets were there for this registry
  std::vector<oci::Platform> platforms;  // the image is for; only when asked for, none when that is not known
};

}  // namespace deployctl::plan
