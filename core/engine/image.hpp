// What an engine knows about an image in its store.
#pragma once

#include "core/base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::engine {

struct ImageFacts {
  std::string id;       // "sha256:…": the digest of the image configuration, with some stores that of a manifest
  std::string created;  // RFC 3339, as the engine prints it
  std::uint64_t size = 0;
  std::string os;                         // "linux"
  std::string architecture;               // "amd64"
  std::string variant;                    // "v8", mostly empty
  std::string user;                       // as configured: "65532:65532", empty is root
  std::vector<std::string> tags;          // "shop/api:1.4"
  std::vector<std::string> repo_digests;  // "registry.example.com/shop/api@sha256:…", one for each repository it was in
  std::vector<std::string> diff_ids;      // of the layers, lowest first
  std::vector<std::string> exposed_ports;  // "8080/tcp"
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::map<std::string, std::string> labels;

  // "linux/amd64" or "linux/arm64/v8".
  [[nodiscard]] std::string platform() const;
};

// Reads what `docker image inspect` and `podman image inspect` print for one image. failed when it is something else.
base::Result<ImageFacts> parse_image_inspection(std::string_view json);

}  // namespace deployctl::engine
