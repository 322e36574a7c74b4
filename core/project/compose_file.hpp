// An existing Compose file, as far as a first project manifest can be written from it. What it does not say in a plain
// way (variables, extends, profiles) is passed over.
#pragma once

#include "core/io/file_system.hpp"
#include "core/project/detect.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace deployctl::project {

struct ComposeService {
  std::string name;
  std::string image;
  std::string build;       // its context; empty when it is not built
  std::vector<int> ports;  // in the container
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<std::pair<std::string, std::string>> mounts;  // named volume, path in the container
  std::vector<std::string> depends_on;
};

struct ComposeFile {
  std::string name;
  std::vector<ComposeService> services;
};

// compose.yaml, compose.yml, docker-compose.yaml or docker-compose.yml; nothing when there is none, when `generate`
// wrote it, or when it is no YAML.
std::optional<ComposeFile> read_compose_file(const std::string& directory, const io::FileSystem& files);

}  // namespace deployctl::project
