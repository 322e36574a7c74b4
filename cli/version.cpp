#include "cli/version.hpp"

namespace deployctl::cli {

std::string_view version() {
  return DEPLOYCTL_VERSION;
}

std::string_view build_commit() {
  return DEPLOYCTL_COMMIT;
}

std::string version_line() {
  auto line = "deployctl " + std::string(version());
  if (!build_commit().empty()) {
    line += " (" + std::string(build_commit()) + ")";
  }
  return line;
}

}  // namespace deployctl::cli
