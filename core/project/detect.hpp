// What a folder holds that a project manifest could be written for: programs by their build files, and the backing
// services of a Compose file. `init` starts from this.
#pragma once

#include "core/io/file_system.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace deployctl::project {

// A program that can be built.
struct DetectedService {
  std::string name;          // a DNS label, of the folder
  std::string source = ".";  // relative to the project's folder
  Stack stack = Stack::dockerfile;
  std::vector<std::string> packages;  // Go: main packages, ".", "./cmd/api"; C++: executables of CMakeLists.txt
  std::vector<std::pair<std::string, std::string>> env = {};  // of the Compose file
  std::vector<std::string> depends_on = {};                   // of the Compose file
  std::optional<int> port;                                    // by EXPOSE, the Compose file, or the program's text
  std::string health;                                         // a route in the program's text; empty: none known
};

// A ready image that a Compose file runs beside the programs.
struct DetectedBacking {
  std::string name;
  std::string image;
  std::vector<int> ports;
  std::vector<std::pair<std::string, std::string>> env;     // values as they stand in the Compose file
  std::vector<std::pair<std::string, std::string>> mounts;  // named volume, absolute path
};

struct Detected {
  std::vector<DetectedService> services;
  std::vector<DetectedBacking> backing;
  std::string compose_file;  // its name; empty when there is none
};

// Looks at `directory` and, when nothing can be built there, at the folders one level down. Files that cannot be read
// or understood are passed over: this is a guess that people look at afterwards.
Detected detect(const std::string& directory, const io::FileSystem& files);

// The program in one folder; nothing when no file tells. `name` is what it will be called.
std::optional<DetectedService> detect_service(const std::string& directory, const std::string& source, std::string name,
                                              const io::FileSystem& files);

// The nearest text that can name a project or a service: "My_API" gives "my-api", "2048" gives "app-2048".
std::string as_name(std::string_view text);

}  // namespace deployctl::project
