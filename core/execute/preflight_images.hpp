// The part of preflight that asks the registries for the images that the pods of a plan will have.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/image_access.hpp"
#include "core/execute/ports.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <map>
#include <string>
#include <vector>

namespace deployctl::execute {

struct ImagesQuestion {
  const plan::Plan& plan;
  const project::Target& target;
  const std::map<std::string, std::string>& settled;  // service -> the image that was looked up for it
  bool namespace_exists = true;
  WithPlatforms with_platforms = WithPlatforms::no;
};

struct ImagesAnswer {
  std::map<std::string, plan::ImageAccess> images;  // by service
  std::vector<std::string> problems;                // with pull secrets, in words
};

// Asks as the nodes will, with the pull secrets of the pods or of their service accounts. An image that the run makes
// is not there yet, and 'pin: tag' leaves the image to the cluster: these are left out.
base::Result<ImagesAnswer> look_up_images(const ImagesQuestion& question, cluster::Client& client, const Ports& ports);

}  // namespace deployctl::execute
