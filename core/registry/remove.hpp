// Deleting from a repository (distribution-spec "Content Management"). The space comes back only when the registry
// collects its garbage.
#pragma once

#include "core/registry/session.hpp"

#include <string>

namespace deployctl::registry {

struct RemovalSessions {
  Session& removing;  // may delete
  Session& writing;   // may push: for the index of referrers that a manifest stands in
};

// A tag, or a manifest with all its tags: whichever `identifier` is. refused when the registry does not allow it. A tag
// is never taken for the digest behind it: that would remove every tag that shares it.
base::Status remove(const RemovalSessions& sessions, const std::string& identifier, std::stop_token stop);

}  // namespace deployctl::registry
