// Which versions of a group a cluster serves, asked for only where it makes a difference.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/api.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::cluster {

class Discovery {
 public:
  explicit Discovery(Api& api) : api_(api) {}

  // The versions of a group, the server's preferred first; none when it does not serve the group. One request for all
  // groups, the first time.
  base::Result<std::vector<std::string>> versions(std::string_view group, std::stop_token stop);

 private:
  Api& api_;
  std::mutex mutex_;
  std::optional<std::map<std::string, std::vector<std::string>, std::less<>>> groups_;
};

}  // namespace deployctl::cluster
