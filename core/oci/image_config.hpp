// An image's configuration (image-spec config.md): what it runs on, how it is run, and of which layers it consists.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/descriptor.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deployctl::oci {

inline constexpr std::size_t longest_config = 4u << 20u;

// How a container of the image is run.
struct ImageSettings {
  std::string user;                                      // "65532:65532"; empty is root
  std::vector<std::pair<std::string, std::string>> env;  // name and value, in their order
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;  // its default arguments
  std::string working_directory;
  std::set<std::string> exposed_ports;  // "8080/tcp"
  std::set<std::string> volumes;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::string health_check = {};  // a JSON object as it came (Docker's HEALTHCHECK); empty: none

  friend bool operator==(const ImageSettings&, const ImageSettings&) = default;
};

// How a layer came to be, or a step that made none.
struct HistoryEntry {
  std::string created;  // RFC 3339; may be empty
  std::string created_by;
  std::string comment;
  bool is_empty_layer = false;

  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

struct ImageConfig {
  Platform platform;
  std::vector<Digest> diff_ids = {};  // of the layers' uncompressed tars, lowest first
  std::string created = {};           // RFC 3339; empty when it is not said
  ImageSettings settings = {};
  std::vector<HistoryEntry> history = {};

  friend bool operator==(const ImageConfig&, const ImageConfig&) = default;
};

// Whether a blob of that type is one, OCI's or Docker's; an artifact's configuration is something else.
bool is_config_type(std::string_view type);

// What is not known here (build triggers, the shell of a Dockerfile) is dropped. failed when it is no configuration.
base::Result<ImageConfig> parse_config(std::string_view bytes);

// The same values give the same bytes: sorted members, no spaces, what is empty left out.
std::string config_bytes(const ImageConfig& config);

// Layers that the history does not tell of get an entry each: images of some builders have none, and some registries
// refuse a history that tells of fewer layers than there are.
void complete_history(ImageConfig& config, std::string_view created_by);

}  // namespace deployctl::oci
