// Guesses from the text of a program's own files: what builds it, what can be built, the port it listens on.
#pragma once

#include "core/io/file_system.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::project {

// What a go.mod says about building the module.
struct GoModule {
  std::string version;             // of the toolchain line, else of the go line: "1.22.3"; empty without either
  bool has_local_modules = false;  // it replaces a module by a folder
};

GoModule read_go_mod(std::string_view text);

// Packages with `package main` in the module's folder and in ./cmd/*: ".", "./cmd/api".
std::vector<std::string> go_main_packages(const std::string& folder, const io::FileSystem& files);

// Targets of add_executable() in a CMakeLists.txt, ${PROJECT_NAME} resolved.
std::vector<std::string> cmake_executables(std::string_view cmake_lists);

// The first port of EXPOSE; nothing when it is a variable.
std::optional<int> exposed_port(std::string_view dockerfile);

// The port that the programs in well-known images listen on: 3306 for "mysql:8.0".
std::optional<int> usual_port(std::string_view image);

// The port of a listening call or of a PORT default in a program's text: ":8080", "0.0.0.0:8080", PORT … 8080.
std::optional<int> listening_port(std::string_view program);

// The path of a route that says whether all is well, when the program's text has one of the usual: "/healthz". Empty
// when it has none.
std::string health_path(std::string_view program);

}  // namespace deployctl::project
