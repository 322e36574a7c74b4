#include "core/native/base_image.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/oci/blob_file.hpp"
#include "core/oci/file_tree.hpp"
#include "core/oci/image.hpp"
#include "core/oci/reference.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace deployctl::native {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr int deepest_index = 3;
constexpr std::string_view certificates = "etc/ssl/certs/ca-certificates.crt";

std::string to_text(const oci::Platform& platform) {
  return fmt::format("{}/{}{}{}", platform.os, platform.architecture, platform.variant.empty() ? "" : "/",
                     platform.variant);
}

// A platform without a variant takes any: "linux/arm64" is "linux/arm64/v8" to registries.
bool fits(const oci::Platform& offered, const oci::Platform& wanted) {
  return offered.os == wanted.os && offered.architecture == wanted.architecture &&
         (wanted.variant.empty() || offered.variant.empty() || offered.variant == wanted.variant);
}

bool is_library(std::string_view name) {
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

// The same bytes are called differently in Docker's manifests and in OCI's, and our manifest is OCI's.
Result<std::string> oci_layer_type(const std::string& media_type) {
  if (media_type == oci::media_type::docker_layer_gzip) {
    return std::string(oci::media_type::layer_gzip);
  }
  for (const auto known : {oci::media_type::layer_gzip, oci::media_type::layer_zstd, oci::media_type::layer_tar}) {
    if (media_type == known) {
      return media_type;
    }
  }
  return Error::refused("a layer of the base image is of the type {}, which cannot be passed on",
                        base::printable(media_type));
}

class Puller {
 public:
  Puller(const oci::Reference& reference, const oci::Platform& platform, registry::Client& registry,
         oci::ImageStore& store, std::stop_token stop)
      : reference_(reference), platform_(platform), registry_(registry), store_(store), stop_(std::move(stop)) {}

  Result<BaseImage> run() {
    const auto manifest = find_manifest();
    if (!manifest) {
      return manifest.error();
    }
    auto config = fetch_config(manifest->config);
    if (!config) {
      return config.error();
    }
    BaseImage image{.name = {}, .digest = digest_, .config = std::move(*config), .layers = {}, .libraries = {}};
    if (!fits(image.config.platform, platform_)) {
      return Error::refused("the base image is for {}, and {} is built", to_text(image.config.platform),
                            to_text(platform_));
    }
    if (image.config.diff_ids.size() != manifest->layers.size()) {
      return Error::failed("the base image has {} layers and its configuration {}", manifest->layers.size(),
                           image.config.diff_ids.size());
    }
    oci::complete_history(image.config, "FROM " + oci::to_familiar(reference_));
    for (const auto& layer : manifest->layers) {
      if (const auto fetched = fetch_layer(layer, image); !fetched) {
        return fetched.error();
      }
    }
    const auto known = recall(image, manifest->config.digest) ? Status() : look_into(image, manifest->config.digest);
    return known ? Result<BaseImage>(std::move(image)) : known.error();
  }

 private:
  // The image manifest for the platform, through an index when there is one, and through indexes in it.
  Result<oci::ImageManifest> find_manifest() {
    auto document = fetch_document(reference_);
    for (int depth = 0; document; ++depth) {
      if (auto* manifest = std::get_if<oci::ImageManifest>(&*document)) {
        return std::move(*manifest);
      }
      if (depth == deepest_index) {
        return Error::failed("the base image lies in more than {} indexes", deepest_index);
      }
      const auto entry = entry_for_platform(std::get<oci::ImageIndex>(*document));
      if (!entry) {
        return Error::not_found("the base image is not there for {}", to_text(platform_));
      }
      document = fetch_document(reference_.with_digest(*entry));
    }
    return document.error();
  }

  // The platform's own image, or else an index that does not say for which platforms it is.
  [[nodiscard]] std::optional<oci::Digest> entry_for_platform(const oci::ImageIndex& index) const {
    const auto is_ours = [&](const auto& entry) { return entry.platform && fits(*entry.platform, platform_); };
    const auto is_index = [](const auto& entry) { return !entry.platform && oci::is_index_type(entry.media_type); };
    auto found = std::ranges::find_if(index.manifests, is_ours);
    found = found == index.manifests.end() ? std::ranges::find_if(index.manifests, is_index) : found;
    return found == index.manifests.end() ? std::nullopt : std::optional(found->digest);
  }

  // What a digest names never changes: it is asked for once.
  Result<oci::Document> fetch_document(const oci::Reference& reference) {
    if (reference.digest) {
      if (const auto text = store_.find_record("manifests", reference.digest->encoded());
          text && oci::Digest::of(*text) == *reference.digest) {
        note_digest(*reference.digest);
        return oci::parse_document(*text);
      }
    }
    const auto remote = registry_.manifest(reference, stop_);
    if (!remote) {
      return remote.error();
    }
    note_digest(remote->digest);
    if (const auto kept = store_.remember_record("manifests", remote->digest.encoded(), remote->bytes); !kept) {
      return kept.error();
    }
    return oci::parse_document(remote->bytes, remote->media_type);
  }

  // Of what the user's reference points at, not of what was chosen from it.
  void note_digest(const oci::Digest& digest) {
    if (digest_.empty()) {
      digest_ = digest;
    }
  }

  Result<oci::ImageConfig> fetch_config(const oci::Descriptor& blob) {
    if (blob.size > oci::longest_config) {
      return Error::failed("the base image's configuration has {}", base::human_bytes(blob.size));
    }
    if (const auto fetched = fetch(blob); !fetched) {
      return fetched.error();
    }
    std::string text;
    const auto read = oci::read_blob_file(store_.blob_path(blob.digest), blob, [&](std::string_view piece) {
      text += piece;
      return Status();
    });
    return read ? oci::parse_config(text) : read.error();
  }

  Status fetch_layer(const oci::Descriptor& layer, BaseImage& image) {
    const auto media_type = oci_layer_type(layer.media_type);
    if (!media_type) {
      return media_type.error();
    }
    if (const auto fetched = fetch(layer); !fetched) {
      return fetched;
    }
    image.layers.push_back(
        {.media_type = *media_type, .digest = layer.digest, .size = layer.size, .platform = {}, .annotations = {}});
    return {};
  }

  Status fetch(const oci::Descriptor& blob) {
    if (store_.has_blob(blob)) {
      return {};
    }
    auto writer = store_.new_blob();
    if (!writer) {
      return writer.error();
    }
    const auto fetched = registry_.fetch_blob(
        reference_, blob, [&](std::string_view piece) { return writer->write(piece); }, stop_);
    if (!fetched) {
      return fetched;
    }
    const auto kept = writer->keep(blob.media_type);
    return kept ? Status() : kept.error();
  }

  // What an earlier look into its layers gave.
  bool recall(BaseImage& image, const oci::Digest& config) const {
    const auto text = store_.find_record("bases", config.encoded());
    const auto value = text ? json::parse(*text, "the record of a base image") : Result<json::Value>(Error::failed(""));
    if (!value) {
      return false;
    }
    const json::Reader root(*value);
    image.has_certificates = root.at("certificates").boolean_or();
    image.unpacked_size = static_cast<std::uint64_t>(root.at("unpacked").integer_or());
    for (const auto& library : root.at("libraries").elements()) {
      image.libraries.insert(library.string_or());
    }
    return true;
  }

  Status look_into(BaseImage& image, const oci::Digest& config) {
    oci::FileTree tree;
    for (const auto& layer : image.layers) {
      auto changes = oci::read_layer_changes(
          [&](const oci::PieceSink& sink) {
            return oci::read_blob_file(store_.blob_path(layer.digest), layer, sink, stop_);
          },
          oci::Contents::ignored);
      if (!changes) {
        return changes.error().within("looking into the base image");
      }
      image.unpacked_size += changes->total_size();
      tree.add(std::move(*changes));
    }
    image.has_certificates = tree.find(std::string(certificates)) != nullptr;
    for (const auto& [path, node] : tree.nodes()) {
      if (auto name = path.substr(path.rfind('/') + 1); is_library(name)) {
        image.libraries.insert(std::move(name));
      }
    }
    const json::Value record = {
        {"certificates", image.has_certificates}, {"unpacked", image.unpacked_size}, {"libraries", image.libraries}};
    return store_.remember_record("bases", config.encoded(), json::to_compact_text(record));
  }

  const oci::Reference& reference_;
  const oci::Platform& platform_;
  registry::Client& registry_;
  oci::ImageStore& store_;
  std::stop_token stop_;
  oci::Digest digest_;
};

}  // namespace

Result<BaseImage> pull_base(const std::string& reference, const oci::Platform& platform, registry::Client& registry,
                            oci::ImageStore& store, std::stop_token stop) {
  if (reference == scratch) {
    return BaseImage{.name = {}, .digest = {}, .config = {.platform = platform}, .layers = {}, .libraries = {}};
  }
  const auto parsed = oci::Reference::parse(reference);
  if (!parsed) {
    return parsed.error();
  }
  auto image = Puller(*parsed, platform, registry, store, std::move(stop)).run();
  if (!image) {
    return image.error().within("pulling the base image {}", reference);
  }
  image->name = reference;
  return image;
}

}  // namespace deployctl::native
