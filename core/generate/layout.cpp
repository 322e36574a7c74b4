#include "core/generate/layout.hpp"

#include "core/io/file_system.hpp"

#include <algorithm>

namespace deployctl::generate {
namespace {

std::string in_source_folder(const project::Service& service, std::string_view name) {
  const auto folder = source_folder(service);
  return folder.empty() ? std::string(name) : folder + "/" + std::string(name);
}

}  // namespace

bool has_generated_dockerfile(const project::Service& service) {
  return service.is_built() && service.build->dockerfile->empty() && service.build->artifacts.empty() &&
         (service.build->stack == project::Stack::go || service.build->stack == project::Stack::cpp);
}

bool has_image_of_ours(const project::Service& service) {
  return has_generated_dockerfile(service) || (service.is_built() && service.build->is_native());
}

std::string source_folder(const project::Service& service) {
  const auto resolved = io::join_path("/", *service.build->source);
  return resolved.substr(1);
}

std::string dockerfile_path(const project::Target& target, const project::Service& service) {
  const auto folder = source_folder(service);
  const auto last_part = io::file_name(folder);
  // The last part of a resolved path stands somewhere in the path as it was written: most others are told apart by it.
  const auto shares_the_folder = [&](const project::Service& other) {
    return other.is_built() && *other.name != *service.name &&
           other.build->source->find(last_part) != std::string::npos && source_folder(other) == folder;
  };
  if (std::ranges::any_of(target.services, shares_the_folder)) {
    return std::string(dockerfile_folder) + "/" + *service.name + ".Dockerfile";
  }
  return in_source_folder(service, "Dockerfile");
}

std::string dockerignore_path(const project::Service& service) {
  return in_source_folder(service, ".dockerignore");
}

std::string kubernetes_environment_folder(const project::Target& target) {
  return std::string(kubernetes_folder) + "/" + (target.environment.empty() ? "base" : target.environment);
}

}  // namespace deployctl::generate
