#include "core/generate/content_hash.hpp"

#include "core/oci/digest.hpp"

namespace deployctl::generate {

std::string content_hash(std::string_view text) {
  return std::string(oci::Digest::of(text).encoded().substr(0, 8));
}

}  // namespace deployctl::generate
