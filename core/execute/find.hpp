// Reading an object that need not be there.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"

#include <optional>
#include <stop_token>

namespace deployctl::execute {

// Nothing when there is no such object.
base::Result<std::optional<kube::Object>> find_object(cluster::Client& client, const kube::ObjectKey& key,
                                                      std::stop_token stop);

}  // namespace deployctl::execute
