// Package URLs (the "purl" specification): one name for a package, whatever tool reads it.
#pragma once

#include <map>
#include <string>

namespace deployctl::sbom {

struct PackageUrl {
  std::string type;        // "deb", "golang", "oci"
  std::string name_space;  // "debian", "github.com/gin-gonic"; may be empty
  std::string name;
  std::string version;                            // may be empty
  std::map<std::string, std::string> qualifiers;  // empty values are left out

  friend bool operator==(const PackageUrl&, const PackageUrl&) = default;
};

// "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64", percent-encoded.
std::string to_string(const PackageUrl& url);

// The package URL of a Go module; the type's rules want its path in lower case.
PackageUrl go_module_url(std::string_view path, std::string_view version);

}  // namespace deployctl::sbom
