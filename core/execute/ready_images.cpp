#include "core/execute/ready_images.hpp"

#include "core/execute/running.hpp"

namespace deployctl::execute {
namespace {

using Services = std::vector<const project::Service*>;

}  // namespace

bool is_pinned_at_rollout(const project::Service& service) {
  return !service.is_built() && !service.image->empty() && service.pin == project::Pin::digest &&
         service.image->find('@') == std::string::npos;
}

std::optional<std::string> running_pin(const std::string& service, const std::string& image,
                                       const kube::Object& deployment) {
  auto running = running_image(service, deployment);
  return running.starts_with(image + "@") ? std::optional(std::move(running)) : std::nullopt;
}

std::map<std::string, std::string> running_pins(const Services& services,
                                                const std::map<std::string, kube::Object>& deployments) {
  std::map<std::string, std::string> pins;
  for (const auto* service : services) {
    const auto deployment = deployments.find(*service->name);
    if (!is_pinned_at_rollout(*service) || deployment == deployments.end()) {
      continue;
    }
    if (auto pin = running_pin(*service->name, *service->image, deployment->second)) {
      pins[*service->name] = std::move(*pin);
    }
  }
  return pins;
}

}  // namespace deployctl::execute
