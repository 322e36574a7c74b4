// The tags of a repository (distribution-spec "Listing Tags").
#pragma once

#include "core/registry/session.hpp"

#include <functional>
#include <string>
#include <vector>

namespace deployctl::registry {

// All of them, in the registry's order; not_found when there is no such repository.
base::Result<std::vector<std::string>> list_tags(Session& session, std::stop_token stop);

// Gets `first` and the pages that its Link header and theirs lead to (RFC 8288), giving each successful answer to
// `take`; the first refusal ends it and is given to `take` as well.
base::Status each_page(Session& session, const Call& first, const std::function<base::Status(const Answer&)>& take,
                       std::stop_token stop);

}  // namespace deployctl::registry
