// The command line of a build.
#pragma once

#include "core/engine/build.hpp"
#include "core/engine/engine.hpp"
#include "core/io/process.hpp"

#include <map>
#include <string>

namespace deployctl::engine {

// Files the build needs besides the user's own, in a private directory.
struct BuildFiles {
  std::string image_id;                             // the client writes the image's id here
  std::map<std::string, std::string> secret_files;  // by secret id: a file with the value
  // The request's Dockerfile text and its ignore file, whose name is the Dockerfile's with ".dockerignore"; both empty
  // when the text goes to stdin.
  std::string dockerfile;
  std::string ignore_file;
};

// failed when the engine's client cannot do what is asked. Values of secrets are not in the command.
base::Result<io::Command> build_command(const EngineFacts& engine, const BuildRequest& request,
                                        const BuildFiles& files);

}  // namespace deployctl::engine
