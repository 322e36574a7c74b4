// Which operating system an image stands on: os-release(5).
#pragma once

#include <string>
#include <string_view>

namespace deployctl::sbom {

// Members are empty where the file does not say.
struct OsRelease {
  std::string id;           // "debian"
  std::string version_id;   // "12"
  std::string name;         // "Debian GNU/Linux"
  std::string pretty_name;  // "Debian GNU/Linux 12 (bookworm)"
  std::string home_url;
  friend bool operator==(const OsRelease&, const OsRelease&) = default;
};

// Lines that are no assignment are passed over.
OsRelease parse_os_release(std::string_view text);

}  // namespace deployctl::sbom
