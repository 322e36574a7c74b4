// The Dockerfile and .dockerignore of a service that is built from source and has no Dockerfile of its own.
//
// Stages are called deps, builder and runtime. The image holds the program as /app (or where its command says), CA
// certificates, the libraries it needs and `drain-sleep` for the preStop hook; no shell, no compiler, no source.
#pragma once

#include "core/base/result.hpp"
#include "core/generate/inputs.hpp"
#include "core/generate/layout.hpp"
#include "core/project/model.hpp"
#include "core/templating/template_set.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::generate {

// `RUN --mount=type=cache` speeds rebuilds up but is a syntax error for engines without BuildKit: committed files do
// without (docs/decisions/0003-cache-mounts.md), and `build` asks for them when the engine has BuildKit.
enum class CacheMounts { no, yes };

// Where the preStop hook finds the program that waits, in images whose Dockerfile is ours.
inline constexpr std::string_view drain_sleep_path = "/usr/local/bin/drain-sleep";
// The user and group of images whose Dockerfile is ours.
inline constexpr int runtime_user = 65532;

struct DockerfileOptions {
  CacheMounts cache_mounts = CacheMounts::no;
};

// The whole text, header line included. invalid_input with the value's span for values that no Dockerfile can hold.
// A service with build.secrets gets `RUN --mount=type=secret` whatever the options say: it needs BuildKit anyway.
base::Result<std::string> dockerfile(const project::Target& target, const project::Service& service,
                                     const Inputs& inputs, const templating::TemplateSet& templates,
                                     const DockerfileOptions& options = {});
base::Result<std::string> dockerignore(const project::Target& target, const project::Service& service,
                                       const templating::TemplateSet& templates);

// The package of a Go program as `go build` takes it: build.package, or the only one with a `main`.
std::string go_package(const project::Build& build, const SourceFacts& facts);
// The CMake target of a C++ program: build.package, the only executable of CMakeLists.txt, or the service's name.
// invalid_input with the value's span when it is no target.
base::Result<std::string> cpp_executable(const project::Service& service, const SourceFacts& facts);

// What an image of ours runs: ["/app"], or an only artifact, with the words of the command behind it; the command alone
// when it begins with a path. For built services.
std::vector<std::string> entrypoint(const project::Service& service);

}  // namespace deployctl::generate
