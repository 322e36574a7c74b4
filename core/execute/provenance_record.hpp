// What was seen of a build, kept in the user's cache until its image is pushed: only who built an image can say how.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/ports.hpp"
#include "core/oci/digest.hpp"
#include "core/project/model.hpp"
#include "core/sbom/provenance.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// What a builder tells of one build.
struct BuildTrace {
  sbom::BuildFacts::Builder builder = sbom::BuildFacts::Builder::engine;
  std::string image;                      // the engine's id of it, or the digest of its manifest
  std::string dockerfile_name;            // empty: generated
  std::optional<std::string> dockerfile;  // its text; nothing when none was used
  std::map<std::string, std::string> arguments;
  std::vector<sbom::BaseImage> base_images;
  std::map<std::string, std::string> programs;  // "docker" -> "20.10.24"
};

// Keeps the provenance of an image that was just built.
base::Status record_provenance(const BuildTrace& trace, const project::Target& target, const project::Service& service,
                               const Seen& seen, const std::string& tool_version, const Ports& ports);

// The predicate kept for an image, by its manifest's or its configuration's digest; nothing when it was not built on
// this machine.
std::optional<std::string> find_provenance(const std::vector<oci::Digest>& names, const Ports& ports);

}  // namespace deployctl::execute
