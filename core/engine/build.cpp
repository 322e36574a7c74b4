#include "core/engine/build.hpp"

#include "core/engine/engine.hpp"

namespace deployctl::engine {

std::string_view to_string(BuildFailureCause cause) {
  switch (cause) {
    case BuildFailureCause::dockerfile:
      return "dockerfile";
    case BuildFailureCause::missing_secret:
      return "missing_secret";
    case BuildFailureCause::missing_source:
      return "missing_source";
    case BuildFailureCause::run_failed:
      return "run_failed";
    case BuildFailureCause::base_image_missing:
      return "base_image_missing";
    case BuildFailureCause::base_image_denied:
      return "base_image_denied";
    case BuildFailureCause::registry_unreachable:
      return "registry_unreachable";
    case BuildFailureCause::disk_full:
      return "disk_full";
    case BuildFailureCause::unsupported:
      return "unsupported";
    case BuildFailureCause::engine:
      return "engine";
    case BuildFailureCause::interrupted:
      return "interrupted";
    case BuildFailureCause::other:
      break;
  }
  return "other";
}

std::string_view to_string(ClientKind kind) {
  switch (kind) {
    case ClientKind::docker:
      return "docker";
    case ClientKind::podman:
      return "podman";
    case ClientKind::buildah:
      break;
  }
  return "buildah";
}

std::string_view to_string(Builder builder) {
  switch (builder) {
    case Builder::buildkit:
      return "BuildKit";
    case Builder::buildx:
      return "BuildKit (buildx)";
    case Builder::classic:
      return "classic builder";
    case Builder::buildah:
      break;
  }
  return "buildah";
}

}  // namespace deployctl::engine
