// Where generated files stand in a project.
#pragma once

#include "core/project/model.hpp"

#include <string>
#include <string_view>

namespace deployctl::generate {

inline constexpr std::string_view compose_path = "compose.yaml";
inline constexpr std::string_view kubernetes_folder = "deploy/kubernetes";
inline constexpr std::string_view dockerfile_folder = "deploy/docker";
inline constexpr std::string_view github_path = ".github/workflows/deploy.yml";
inline constexpr std::string_view gitlab_path = ".gitlab-ci.yml";

// Whether the service's Dockerfile is ours: it is built from source, names no Dockerfile, and its stack has a template.
bool has_generated_dockerfile(const project::Service& service);

// Whether the image is made the way we know: its program is `/app` or where its command says, it runs as our user and
// has the program of the preStop hook in it. By a Dockerfile of ours, or by the native builder.
bool has_image_of_ours(const project::Service& service);

// The service's source folder relative to the project's: "" for the project itself, "services/api" otherwise.
std::string source_folder(const project::Service& service);

// Where the generated Dockerfile stands: "<source>/Dockerfile" when no other service is built from that folder, else
// "deploy/docker/<service>.Dockerfile". Relative to the project's folder, like all paths here.
std::string dockerfile_path(const project::Target& target, const project::Service& service);
// The build context's ignore file, "<source>/.dockerignore": engines without BuildKit read no other.
std::string dockerignore_path(const project::Service& service);

// "deploy/kubernetes/prod", or "deploy/kubernetes/base" when no environment is chosen.
std::string kubernetes_environment_folder(const project::Target& target);

}  // namespace deployctl::generate
