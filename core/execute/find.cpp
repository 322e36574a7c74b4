#include "core/execute/find.hpp"

namespace deployctl::execute {

base::Result<std::optional<kube::Object>> find_object(cluster::Client& client, const kube::ObjectKey& key,
                                                      std::stop_token stop) {
  auto found = client.get(key, std::move(stop));
  if (found) {
    return std::optional(std::move(*found));
  }
  return found.error().code == base::ErrorCode::not_found ? base::Result<std::optional<kube::Object>>(std::nullopt)
                                                          : found.error();
}

}  // namespace deployctl::execute
