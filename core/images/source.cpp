#include "core/images/source.hpp"

#include "core/oci/archive_file.hpp"
#include "core/oci/blob_file.hpp"
#include "core/oci/docker_archive.hpp"
#include "core/oci/layout.hpp"
#include "core/oci/oci_archive.hpp"

#include <utility>

namespace deployctl::images {
namespace {

using base::Error;
using base::Result;
using base::Status;

// A directory of blobs: a layout's, or the user's cache for what came out of an archive.
class DirectorySource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> open(std::string blobs, const oci::Descriptor& root, std::stop_token stop) {
    auto bytes = oci::read_document(blobs, root);
    if (!bytes) {
      return bytes.error();
    }
    return std::unique_ptr<Source>(new DirectorySource(std::move(blobs), {*std::move(bytes), root}, std::move(stop)));
  }

  [[nodiscard]] const Document& root() const override { return root_; }

  Result<Document> document(const oci::Descriptor& descriptor) override {
    auto bytes = oci::read_document(blobs_, descriptor);
    return bytes ? Result<Document>(Document{*std::move(bytes), descriptor}) : bytes.error();
  }

  Status blob(const oci::Descriptor& descriptor, const oci::PieceSink& sink) override {
    const auto path = fmt::format("{}/{}/{}", blobs_, descriptor.digest.algorithm(), descriptor.digest.encoded());
    return oci::read_blob_file(path, descriptor, sink, stop_);
  }

  Result<std::vector<oci::Descriptor>> referrers(const oci::Digest& /*subject*/) override {
    return std::vector<oci::Descriptor>();
  }

  [[nodiscard]] std::string blobs() const override { return blobs_; }

 private:
  DirectorySource(std::string blobs, Document root, std::stop_token stop)
      : blobs_(std::move(blobs)), root_(std::move(root)), stop_(std::move(stop)) {}

  std::string blobs_;
  Document root_;
  std::stop_token stop_;
};

class RegistrySource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> open(const oci::Reference& reference, const Ports& ports) {
    auto remote = ports.registry.manifest(reference, ports.stop);
    if (!remote) {
      return remote.error();
    }
    return std::unique_ptr<Source>(new RegistrySource(reference, document_of(*std::move(remote)), ports));
  }

  [[nodiscard]] const Document& root() const override { return root_; }

  Result<Document> document(const oci::Descriptor& descriptor) override {
    auto remote = ports_.registry.manifest(reference_.with_digest(descriptor.digest), ports_.stop);
    if (!remote) {
      return remote.error();
    }
    return Document{std::move(remote->bytes), descriptor};
  }

  Status blob(const oci::Descriptor& descriptor, const oci::PieceSink& sink) override {
    return ports_.registry.fetch_blob(reference_, descriptor, sink, ports_.stop);
  }

  Result<std::vector<oci::Descriptor>> referrers(const oci::Digest& subject) override {
    return ports_.registry.referrers(reference_, subject, {}, ports_.stop);
  }

  [[nodiscard]] int readers() const override { return most_readers; }
  [[nodiscard]] std::string blobs() const override { return {}; }

 private:
  static constexpr int most_readers = 8;

  RegistrySource(oci::Reference reference, Document root, const Ports& ports)
      : reference_(std::move(reference)), root_(std::move(root)), ports_(ports) {}

  static Document document_of(registry::RemoteDocument remote) {
    oci::Descriptor descriptor{
        .media_type = std::move(remote.media_type), .digest = std::move(remote.digest), .size = remote.bytes.size()};
    return {std::move(remote.bytes), std::move(descriptor)};
  }

  oci::Reference reference_;
  Document root_;
  const Ports& ports_;
};

// The name as docker archives hold it: "registry.example.com/shop/api:v1".
Result<std::unique_ptr<Source>> open_docker_archive(const Location& location, const Ports& ports) {
  const auto archive = oci::open_archive_file(location.path);
  if (!archive) {
    return archive.error();
  }
  const auto image = oci::import_docker_archive(*archive, ports.store, {.name = location.name, .stop = ports.stop});
  if (!image) {
    return image.error();
  }
  const auto written = ports.store.add_blob(image->manifest, image->media_type);
  (void)ports.store.trim(oci::ImageStore::usual_size);  // what was just written stays
  return written ? DirectorySource::open(ports.store.blobs(), *written, ports.stop) : written.error();
}

Result<std::unique_ptr<Source>> open_oci_archive(const Location& location, const Ports& ports) {
  const auto archive = oci::open_archive_file(location.path);
  if (!archive) {
    return archive.error();
  }
  const auto index = oci::import_oci_archive(*archive, ports.store, ports.stop);
  (void)ports.store.trim(oci::ImageStore::usual_size);  // what was just written stays
  const auto root = index ? oci::find_in_index(*index, location.name) : Result<oci::Descriptor>(index.error());
  return root ? DirectorySource::open(ports.store.blobs(), *root, ports.stop) : root.error();
}

Result<std::unique_ptr<Source>> open_layout(const Location& location, const Ports& ports) {
  const auto layout = oci::Layout::open(location.path);
  const auto root =
      layout ? oci::find_in_index(layout->index(), location.name) : Result<oci::Descriptor>(layout.error());
  return root ? DirectorySource::open(layout->blobs(), *root, ports.stop) : root.error();
}

Result<std::unique_ptr<Source>> open_any(const Location& location, const Ports& ports) {
  switch (location.kind) {
    case Location::Kind::registry:
      return RegistrySource::open(location.reference, ports);
    case Location::Kind::layout:
      return open_layout(location, ports);
    case Location::Kind::oci_archive:
      return open_oci_archive(location, ports);
    case Location::Kind::docker_archive:
      return open_docker_archive(location, ports);
  }
  return Error::failed("an unknown kind of location");
}

}  // namespace

Result<std::unique_ptr<Source>> open_source(const Location& location, const Ports& ports) {
  auto source = open_any(location, ports);
  return source ? std::move(source) : source.error().within("reading {}", to_string(location));
}

Result<std::string> read_blob(Source& source, const oci::Descriptor& descriptor, std::size_t limit) {
  if (descriptor.size > limit) {
    return Error::failed("{} has {} bytes, more than is read of its kind", descriptor.digest.text(), descriptor.size);
  }
  std::string text;
  const auto read = source.blob(descriptor, [&](std::string_view piece) {
    text += piece;
    return Status();
  });
  return read ? Result<std::string>(std::move(text)) : read.error();
}

}  // namespace deployctl::images
