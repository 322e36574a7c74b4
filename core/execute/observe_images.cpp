// Which image each service gets, as far as that is settled before the run.
#include "core/execute/observe_parts.hpp"
#include "core/execute/ready_images.hpp"
#include "core/oci/reference.hpp"

#include <utility>

namespace deployctl::execute {
namespace {

constexpr std::string_view build_hint = "'deployctl build --push' makes it, 'deployctl release' does everything";

// The registry may be one that only the cluster reaches, or is let into.
base::Error or_left_to_the_cluster(base::Error error, const project::Service& service) {
  error.hint += fmt::format(
      "{}if the cluster can pull {} all the same, write 'pin: tag' at {}, or the digest itself: {}@sha256:…",
      error.hint.empty() ? "" : "\n", *service.image, *service.name, *service.image);
  return error;
}

// Looks up one image after the other.
class ImageLook : Look {
 public:
  ImageLook(const Looking& looking, Seen& seen) : Look(looking, seen) {}

  base::Status see_named() {
    return see_each([this](const project::Service& service) { return named_image(service); });
  }

  base::Status see_ready() {
    if (options_.ready_images == ReadyImages::keep) {
      seen_.observation.images.merge(running_pins(services_, seen_.observation.deployments));
    }
    return see_each([this](const project::Service& service) { return ready_image(service); });
  }

 private:
  // Images that this run does not make must be in their registry already.
  template <typename ImageOf>
  base::Status see_each(const ImageOf& image_of) {
    for (const auto* service : services_) {
      const auto image = wish_.rollout ? image_of(*service) : std::nullopt;
      if (const auto status = image ? see_image(*service, *image) : base::Status(); !status) {
        return status;
      }
    }
    return {};
  }

  std::optional<std::string> named_image(const project::Service& service) const {
    if (const auto given = options_.images.find(*service.name); given != options_.images.end()) {
      return given->second;
    }
    const bool is_made_before = service.is_built() && !wish_.push;
    return is_made_before ? std::optional(*service.image + ":" + seen_.observation.tag) : std::nullopt;
  }

  // Nothing for an image that is known, or that the cluster is to find by itself.
  std::optional<std::string> ready_image(const project::Service& service) const {
    const bool is_known = seen_.observation.images.contains(*service.name);
    return is_pinned_at_rollout(service) && !is_known ? std::optional(*service.image) : std::nullopt;
  }

  base::Status see_image(const project::Service& service, const std::string& text) {
    const auto reference = oci::Reference::parse(text);
    if (!reference) {
      return reference.error();
    }
    if (!seen_.world.registry) {
      seen_.world.registry = open_registry(target_, ports_);
    }
    auto document = seen_.world.registry->client.manifest(*reference, ports_.stop);
    if (document) {
      take(service, *reference, text, std::move(*document));
      return {};
    }
    const bool is_missing = document.error().code == base::ErrorCode::not_found;
    if (is_missing && service.is_built() && options_.missing_images == MissingImages::expected) {
      return {};  // a plan may be made before the image is
    }
    return no_image(service, document.error());
  }

  // One that was named by its digest is taken by its word, and so are images that are not built here.
  void take(const project::Service& service, const oci::Reference& reference, const std::string& text,
            registry::RemoteDocument document) {
    const auto image = pinned(text, document.digest);
    seen_.observation.images[*service.name] = image;
    if (service.is_built() && !reference.digest) {
      seen_.named_images[*service.name] = {.reference = image, .document = std::move(document)};
    }
  }

  // An image that is not there would fail the rollout, and the cause is known already.
  base::Error no_image(const project::Service& service, base::Error error) const {
    const bool is_missing = error.code == base::ErrorCode::not_found;
    if (is_missing) {
      error.code = base::ErrorCode::rollout_failed;
    }
    error = error.within("looking for the image of {}", *service.name);
    if (options_.images.contains(*service.name)) {
      return is_missing ? error : error.with_hint("{}", registry_hint);
    }
    if (service.is_built()) {
      return error.with_hint("{}{}", is_missing ? build_hint : registry_hint, is_missing ? why_dirty() : "");
    }
    return (is_missing ? error : or_left_to_the_cluster(error, service)).at(service.image.span);
  }

  // Nobody has pushed what is not committed, and a new file beside the sources is easily forgotten.
  [[nodiscard]] std::string_view why_dirty() const {
    return seen_.observation.tag.ends_with("-dirty")
               ? "; the tag ends in -dirty for what 'git status' shows: changes, and new files that are not ignored"
               : "";
  }
};

}  // namespace

base::Status see_named_images(const Looking& looking, Seen& seen) {
  return ImageLook(looking, seen).see_named();
}

base::Status see_ready_images(const Looking& looking, Seen& seen) {
  return ImageLook(looking, seen).see_ready();
}

ServiceImages unchanged_images(const Looking& looking, Seen& seen) {
  const auto images = std::exchange(seen.named_images, {});
  return images.empty() ? ServiceImages()
                        : images_to_keep(images, seen.live_images, seen.world.registry->client, looking.ports.stop);
}

}  // namespace deployctl::execute
