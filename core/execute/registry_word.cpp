#include "core/execute/registry_word.hpp"

#include "core/execute/image_access.hpp"
#include "core/execute/world.hpp"
#include "core/oci/reference.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::execute {
namespace {

using kube::verdict::ImageAnswer;

std::optional<ImageAnswer> answer_of(const ImageAccess& access) {
  switch (access.answer) {
    case ImageAccess::Answer::exists:
      return ImageAnswer::exists;
    case ImageAccess::Answer::missing:
      return ImageAnswer::missing;
    case ImageAccess::Answer::denied:
      return access.has_credentials ? std::optional(ImageAnswer::denied) : std::nullopt;
    case ImageAccess::Answer::unreachable:
      return std::nullopt;
  }
  return std::nullopt;
}

bool is_of(const project::Service& service, const oci::Reference& image) {
  const auto own = oci::Reference::parse(*service.image);
  return own && own->registry == image.registry && own->repository == image.repository;
}

// Of the pods of the service whose image it is.
std::string account_for(const std::string& image, const project::Target& target) {
  const auto reference = oci::Reference::parse(image);
  const auto service = std::ranges::find_if(target.services, [&](const project::Service& each) {
    return reference && !each.service_account.empty() && is_of(each, *reference);
  });
  return service == target.services.end() ? "default" : service->service_account;
}

}  // namespace

cluster::AskRegistry registry_word(cluster::Client& client, std::string name_space, const project::Target& target,
                                   const Ports& ports) {
  return [&client, &target, &ports, name_space = std::move(name_space)](
             const std::string& image, const std::stop_token& stop) -> std::optional<ImageAnswer> {
    PullSecretQuery query{.name_space = name_space, .names = {}, .service_account = account_for(image, target)};
    if (!target.pull_secret.empty()) {
      query.names.push_back(target.pull_secret);
    }
    const auto secrets = read_pull_secrets(client, query, stop);
    if (!secrets) {
      return std::nullopt;
    }
    const auto access = look_up_image(image, *secrets, WithPlatforms::no, trusts_of(target), ports);
    return access ? answer_of(*access) : std::nullopt;
  };
}

}  // namespace deployctl::execute
