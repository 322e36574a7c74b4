#include "core/images/transfer.hpp"

#include "core/images/export.hpp"
#include "core/oci/layout.hpp"

namespace deployctl::images {
namespace {

using base::Error;
using base::Result;

Result<Transferred> between_registries(const Location& from, const Location& to, const TransferOptions& options,
                                       const Ports& ports) {
  const auto copied = ports.registry.copy(from.reference, to.reference,
                                          {.platform = options.platform,
                                           .with_referrers = options.with_referrers,
                                           .on_progress = ports.on_progress,
                                           .stop = ports.stop});
  if (!copied) {
    return copied.error();
  }
  return Transferred{.digest = copied->digest,
                     .was_there = copied->outcome == registry::PushResult::Outcome::unchanged,
                     .blobs = copied->uploaded_blobs,
                     .mounted = copied->mounted_blobs,
                     .bytes = copied->uploaded_bytes};
}

// The descriptor of what is to be sent: everything, or one platform's image.
Result<oci::Descriptor> chosen_root(Source& source, const std::optional<oci::Platform>& platform) {
  if (!platform) {
    return source.root().descriptor;
  }
  const auto set = read_images(source, Attestations::skipped, Wanted::those_there);
  const auto image = set ? choose_image(*set, platform) : Result<const Image*>(set.error());
  return image ? Result<oci::Descriptor>((*image)->document.descriptor) : image.error();
}

Result<Transferred> to_registry(Source& source, const Location& to, const TransferOptions& options,
                                const Ports& ports) {
  const auto root = chosen_root(source, options.platform);
  const auto content = root ? oci::stored(source.blobs(), *root) : Result<oci::Stored>(root.error());
  if (!content) {
    return content.error();
  }
  const registry::PushOptions push{.on_progress = ports.on_progress, .stop = ports.stop};
  const auto pushed =
      std::visit([&](const auto& images) { return ports.registry.push(images, to.reference, push); }, *content);
  if (!pushed) {
    return pushed.error();
  }
  return Transferred{.digest = pushed->digest,
                     .was_there = pushed->outcome == registry::PushResult::Outcome::unchanged,
                     .blobs = pushed->uploaded_blobs,
                     .bytes = pushed->uploaded_bytes};
}

// What a layout calls an image from elsewhere: its tag; an archive of docker's, which knows repositories, its name.
std::string name_for(const Location& from, const Location& to) {
  if (from.kind != Location::Kind::registry) {
    return from.name.starts_with('@') ? "" : from.name;
  }
  const auto tagged =
      from.reference.tag.empty() && !from.reference.digest ? from.reference.with_tag("latest") : from.reference;
  if (tagged.tag.empty() || to.kind != Location::Kind::docker_archive) {
    return tagged.tag;
  }
  auto name = tagged;
  name.digest.reset();
  return oci::to_familiar(name);
}

Result<Transferred> to_files(Source& source, const Location& from, const Location& to, const TransferOptions& options,
                             const Ports& ports) {
  const auto exported = export_image(source, to, name_for(from, to), options.platform, ports.on_progress, ports.stop);
  if (!exported) {
    return exported.error();
  }
  return Transferred{.digest = exported->root.digest,
                     .was_there = exported->blobs == 0,
                     .blobs = exported->blobs,
                     .bytes = exported->bytes};
}

}  // namespace

base::Status check_transfer(const Location& from, const Location& to, const TransferOptions& options) {
  const bool is_between_registries = from.kind == Location::Kind::registry && to.kind == Location::Kind::registry;
  if (options.with_referrers && !is_between_registries) {
    return Error::usage("what refers to an image is copied between registries only");
  }
  if (!is_between_registries && to.kind == Location::Kind::registry && to.reference.digest) {
    return Error::usage("'{}' names a digest: an image is given a tag", oci::to_familiar(to.reference));
  }
  return {};
}

Result<Transferred> transfer(const Location& from, const Location& to, const TransferOptions& options,
                             const Ports& ports) {
  if (const auto possible = check_transfer(from, to, options); !possible) {
    return possible.error();
  }
  if (from.kind == Location::Kind::registry && to.kind == Location::Kind::registry) {
    return between_registries(from, to, options, ports);
  }
  const auto source = open_source(from, ports);
  if (!source) {
    return source.error();
  }
  return to.kind == Location::Kind::registry ? to_registry(**source, to, options, ports)
                                             : to_files(**source, from, to, options, ports);
}

}  // namespace deployctl::images
