#include "core/platform/posix_environment.hpp"

#include <array>
#include <cstdlib>
#include <pwd.h>
#include <unistd.h>

namespace deployctl::platform {
namespace {

// The home directory in the password database; "" when we are not in it, as is usual in containers.
std::string home_in_password_database() {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return {};
  }
  return found->pw_dir;
}

}  // namespace

std::optional<std::string> PosixEnvironment::get(std::string_view name) const {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string PosixEnvironment::home_directory() const {
  auto home = get_or("HOME", "");
  if (home.empty()) {
    home = home_in_password_database();
  }
  return home.empty() ? "/" : home;
}

}  // namespace deployctl::platform
