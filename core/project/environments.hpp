// One environment laid over the rest of the project manifest. Mappings merge key by key, anything else takes the place
// of what is below, null removes. Every value keeps the place it was written at, so that a complaint about an overlay
// points into the overlay.
#pragma once

#include "core/project/written.hpp"
#include "core/yaml/node.hpp"

#include <string_view>
#include <unordered_map>

namespace deployctl::project {

// Warns when there is nothing for a null to remove.
yaml::Node lay_over(const yaml::Node& below, const yaml::Node& overlay, base::Diagnostics& out);

// The base, from which any number of environments can be made. Only services that an environment touches are read
// again. `root` and `base` must outlive it.
class Environments {
 public:
  Environments(const yaml::Node& root, const WrittenProject& base);

  [[nodiscard]] WrittenProject apply(const Named<const yaml::Node*>& environment, base::Diagnostics& out) const;

 private:
  void apply_services(const yaml::Node& overlay, Services& services, base::Diagnostics& out) const;

  const WrittenProject& base_;
  std::unordered_map<std::string_view, const yaml::Entry*> services_;
};

}  // namespace deployctl::project
