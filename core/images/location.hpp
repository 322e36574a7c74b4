// Where an image is, as it is written on a command line: a registry, an OCI layout or an archive. The words before the
// colon are skopeo's.
//
//   registry.example.com/team/api:v1   docker://registry.example.com/team/api:v1
//   oci:DIR[:NAME]   oci-archive:FILE[:NAME]   docker-archive:FILE[:REFERENCE]
//
// In place of ":NAME", "@sha256:…" names an image by its digest; ":@0" is the first image of a docker archive.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/reference.hpp"

#include <string>
#include <string_view>

namespace deployctl::images {

struct Location {
  enum class Kind { registry, layout, oci_archive, docker_archive };
  Kind kind = Kind::registry;
  oci::Reference reference;  // of a registry's image
  std::string path;          // of a layout's directory, an archive's file
  std::string name;          // which of the images there: "v1", "@sha256:…", "@0"; may be empty

  friend bool operator==(const Location&, const Location&) = default;
};

// usage, with what is wrong, when the text is none of the forms.
base::Result<Location> parse_location(std::string_view text);

// As the user would write it; a registry's in docker's short form.
std::string to_string(const Location& location);

}  // namespace deployctl::images
