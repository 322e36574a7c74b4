#include "core/oci/descriptor.hpp"

namespace deployctl::oci {

bool is_manifest_type(std::string_view type) {
  return type == media_type::image_manifest || type == media_type::docker_manifest;
}

bool is_index_type(std::string_view type) {
  return type == media_type::image_index || type == media_type::docker_manifest_list;
}

}  // namespace deployctl::oci
