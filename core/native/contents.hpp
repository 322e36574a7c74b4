// What the native builder puts into an image, as trees; nothing is read here but names.
#pragma once

#include "core/base/result.hpp"
#include "core/native/base_image.hpp"
#include "core/native/builder.hpp"
#include "core/native/dockerignore.hpp"
#include "core/oci/layer_tree.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::native {

// An absolute path as it stands in a layer: "etc/passwd".
std::string in_image(std::string_view path);

struct SystemRequest {
  const BaseImage& base;
  std::string architecture;
  std::string certificates;    // file of this machine; empty: none
  std::string zone_file = {};  // rules of a time zone, by zone_file(); empty: none
  std::string time_zone = {};  // what it is called
  std::vector<std::string> volumes;
  std::uint32_t user = 0;
};

// The file below `zones` with the rules of that time zone; empty when it has none, or the name is no time zone's.
std::string zone_file(const std::string& zones, const std::string& time_zone);

// What programs expect to find: certificates unless the base has them, the program behind the preStop hook, folders of
// volumes; from scratch also names for root and the user, name resolution, the time zone's rules and /tmp. refused for
// an architecture that has no such program.
base::Result<oci::LayerTree> system_files(const SystemRequest& request);

// A file or everything below a folder of request.source. not_found when there is nothing; refused when a symbolic link
// leads out of request.project, and for what by its name holds secrets more often than not, unless .dockerignore leaves
// it out or takes it back in ("!name"). What folders hold is remembered in the store (oci::FolderMemory).
base::Result<oci::LayerTree> artifact_files(const Artifact& artifact, const BuildRequest& request,
                                            const oci::Platform& platform, const IgnoreRules& ignored,
                                            oci::ImageStore& store);

// The same for what shows only when files are read: refused for a private key. `path` is one in the image.
using HeadCheck = std::function<base::Status(std::string_view path, std::string_view first_bytes)>;
HeadCheck key_check(const Artifact& artifact, const oci::Platform& platform, const IgnoreRules& ignored);

// A remark for each symbolic link that leads out of the artifact's place: "/srv/log leads to /var/log, out of /srv".
std::vector<std::string> links_leading_out(const oci::LayerTree& tree, const Artifact& artifact);

}  // namespace deployctl::native
