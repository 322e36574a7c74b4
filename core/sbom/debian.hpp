// What dpkg says about the packages in an image: /var/lib/dpkg/status, distroless' status.d, and the lists of files.
// Readers of these texts never fail: what cannot be understood is left out.
#pragma once

#include "core/sbom/package_url.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::sbom {

struct DebianPackage {
  std::string name;
  std::string version;
  std::string architecture;
  std::string source;          // the source package it was built from
  std::string source_version;  // the package's own version unless it says otherwise
  std::string maintainer;      // "Debian OpenSSL Team <pkg-openssl@…>"
  std::string homepage;
  friend bool operator==(const DebianPackage&, const DebianPackage&) = default;
};

// The installed packages of a control file in the order it has them. A paragraph without Status, as distroless writes
// them, is an installed one.
std::vector<DebianPackage> parse_dpkg_status(std::string_view text);

// The paths in info/<package>.list and in <package>.md5sums: relative to the root, directories among them.
std::vector<std::string> parse_dpkg_list(std::string_view text);
std::vector<std::string> parse_md5sums(std::string_view text);

// The package whose files a list names: "libssl3" for "libssl3:amd64.list".
std::string package_of_list(std::string_view file_name);

// `distribution` is os-release's ID, `release` its VERSION_ID; "debian" when there is none.
PackageUrl package_url(const DebianPackage& package, std::string_view distribution, std::string_view release);

}  // namespace deployctl::sbom
