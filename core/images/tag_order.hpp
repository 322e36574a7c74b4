// Tags in the order people expect: numbers by their value, what leads to a version before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::images {

// "v1.9" before "v1.10", "1.0-rc.1" before "1.0" before "1.0-alpine".
bool comes_before(std::string_view tag, std::string_view other);

// Whether it is no tag of people's but what tools keep beside an image under its digest: "sha256-…" (distribution-spec
// "Referrers Tag Schema"), "sha256-….sig" (cosign).
bool is_referrer_tag(std::string_view tag);

struct Tags {
  std::vector<std::string> names;      // both in order
  std::vector<std::string> referrers;  // is_referrer_tag()
};
Tags in_order(std::vector<std::string> tags);

}  // namespace deployctl::images
