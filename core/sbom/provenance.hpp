// Where an image comes from, as an in-toto Statement v1 with a SLSA provenance v1 predicate
// (https://slsa.dev/provenance/v1): what was asked for, what went in, who built it.
//
// It is a statement, not a proof: nothing signs it, and a build on somebody's machine is believed as far as that
// machine is. It claims nothing that was not seen, and holds no time, so that the same build gives the same bytes.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/descriptor.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::sbom {

inline constexpr std::string_view statement_media_type = "application/vnd.in-toto+json";
inline constexpr std::string_view provenance_type = "https://slsa.dev/provenance/v1";

// The commit that was checked out.
struct SourceFacts {
  std::string remote_url;  // a URL without credentials; may be empty
  std::string commit;
  bool is_dirty = false;  // what was built is not what the commit has
};

// An image the build took layers or files from.
struct BaseImage {
  std::string reference;              // in full: "docker.io/library/debian:bookworm-slim"
  std::optional<oci::Digest> digest;  // of its manifest; nothing when nobody could tell
  std::string image_id;               // what the engine calls an image that came from no registry; may be empty
  friend bool operator==(const BaseImage&, const BaseImage&) = default;
};

struct BuildFacts {
  enum class Builder { engine, native };
  Builder builder = Builder::engine;
  std::string tool_version;  // "0.1.0"
  // What the user asked for.
  std::string project;
  std::string service;
  std::string environment;                // empty: none
  std::string manifest_name;              // of the project manifest: "deployctl.yaml"
  std::optional<oci::Digest> manifest;    // of its bytes
  std::string dockerfile_name;            // empty: generated
  std::optional<oci::Digest> dockerfile;  // of its bytes; nothing when the builder uses none
  std::string stage;                      // of the Dockerfile; empty: the last one
  std::vector<std::string> platforms;     // empty: the builder's own
  std::map<std::string, std::string> arguments;
  std::vector<std::string> secrets;  // the ids of the secrets it could read, nothing of them
  // What went in and what did the work.
  std::optional<SourceFacts> source;
  std::vector<BaseImage> base_images;
  std::map<std::string, std::string> programs;  // "docker" -> "20.10.24"
};

// The predicate, one line of JSON. Arguments whose names say that they are secret, and credentials in URLs, are
// blanked.
std::string provenance_predicate(const BuildFacts& facts);

struct StatementSubject {
  std::string name;  // "registry.example.com/shop/api"
  oci::Digest digest;
};

// A predicate about these images, one line of JSON; failed when the predicate is no JSON object.
base::Result<std::string> provenance_statement(std::string_view predicate,
                                               const std::vector<StatementSubject>& subjects);

// The images that the steps of a build, as the engine names them, take from: "[build 1/4] FROM golang:1.22@sha256:…".
// References are in full; stages of the same build and "scratch" are not among them.
std::vector<BaseImage> base_images(const std::vector<std::string>& steps);

}  // namespace deployctl::sbom
