// Compiling a service's program on this machine with the toolchain that is installed.
#pragma once

#include "core/base/result.hpp"
#include "core/io/process.hpp"
#include "core/oci/descriptor.hpp"

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::native {

enum class Toolchain { none, go, cmake };

struct CompileRequest {
  Toolchain toolchain = Toolchain::none;
  std::string source;   // absolute folder
  std::string package;  // Go: "./cmd/api"; CMake: the executable
  oci::Platform platform;
  std::string version;  // the program's, as its build learns it
  std::string commit;
  std::map<std::string, std::string> variables;  // build arguments: the environment of the toolchain
  std::vector<std::string> secrets;              // environment variables that are let through
  std::string directory;                         // our own, kept between builds; nobody else's now (FolderLock)
};

// The commands, in order; the last one leaves the program at program_path().
std::vector<io::Command> commands(const CompileRequest& request);
std::string program_path(const CompileRequest& request);

// Runs them; `on_line` gets what they print. The program's path. not_found when the toolchain is not installed, failed
// when it fails: what it printed says why.
base::Result<std::string> compile(const CompileRequest& request, io::ProcessRunner& processes,
                                  const std::function<void(std::string_view)>& on_line, std::stop_token stop);

// This machine's platform: "linux/amd64".
oci::Platform host_platform();

}  // namespace deployctl::native
