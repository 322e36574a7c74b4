// An archive's manifest.json, which says what is a layer of what, comes last. So every entry is taken for what it looks
// like as it passes: JSON documents are kept in memory, tars become layer blobs, and what the image really consists of
// is put together at the end.
#include "core/oci/docker_archive.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/oci/archive_listing.hpp"
#include "core/oci/archived_layer.hpp"
#include "core/oci/tar_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t most_json_bytes = 64u << 20u;

// What has been seen of the archive.
struct Contents {
  std::map<std::string, std::string> documents;
  std::map<std::string, ArchivedLayer> layers;
  std::map<std::string, std::string> links;
  std::size_t document_bytes = 0;
};

bool is_document(std::string_view head, std::uint64_t size) {
  const auto text = base::trim(head);
  return size <= longest_manifest && !text.empty() && (text.front() == '{' || text.front() == '[');
}

class Importer {
 public:
  Importer(const ByteReader& archive, ImageStore& store, const ImportOptions& options)
      : store_(store),
        options_(options),
        tar_([this, &archive](char* buffer, std::size_t size) { return fill(archive, buffer, size); }) {}

  Result<StoredImage> run() {
    if (const auto read = read_entries(); !read) {
      return read.error();
    }
    return assemble();
  }

 private:
  Result<std::size_t> fill(const ByteReader& archive, char* buffer, std::size_t size);
  Status read_entries();
  Status take(const TarEntry& entry);
  Status take_document(const TarEntry& entry, EntryReader& content);

  Result<StoredImage> assemble();
  Result<StoredImage> keep_image(const Descriptor& config, const Platform& platform,
                                 const std::vector<ArchivedLayer>& layers);
  [[nodiscard]] bool is_docker() const { return options_.format == ImportOptions::Format::docker; }
  [[nodiscard]] std::string real_path(std::string path) const;
  [[nodiscard]] const std::string* document(const std::string& path) const;
  [[nodiscard]] Result<std::vector<ArchivedLayer>> layers_of(const json::Reader& listed,
                                                             const ImageConfig& config) const;
  [[nodiscard]] const std::string* original_manifest(const Digest& config,
                                                     const std::vector<ArchivedLayer>& layers) const;
  [[nodiscard]] std::string new_manifest(const Descriptor& config, const std::vector<ArchivedLayer>& layers) const;

  ImageStore& store_;
  const ImportOptions& options_;
  TarReader tar_;
  Contents contents_;
  std::uint64_t read_ = 0;
};

Result<std::size_t> Importer::fill(const ByteReader& archive, char* buffer, std::size_t size) {
  if (options_.stop.stop_requested()) {
    return Error::interrupted();
  }
  auto count = archive(buffer, size);
  if (count) {
    read_ += *count;
    if (options_.on_read) {
      options_.on_read(read_);
    }
  }
  return count;
}

Status Importer::read_entries() {
  while (true) {
    const auto entry = tar_.next();
    if (!entry) {
      return entry.error();
    }
    if (!entry->has_value()) {
      return {};
    }
    if (const auto taken = take(**entry); !taken) {
      return taken.error().within("{} in the archive", base::printable((*entry)->path));
    }
  }
}

Status Importer::take(const TarEntry& entry) {
  if (entry.kind == TarEntry::Kind::link) {
    contents_.links[entry.path] = entry.link_target;
    return {};
  }
  if (entry.kind != TarEntry::Kind::file) {
    return {};
  }
  auto content = EntryReader::open(tar_);
  if (!content) {
    return content.error();
  }
  const auto head = content->head();
  if (is_layer(head)) {
    auto layer = take_layer(entry.path, *content, store_);
    if (!layer) {
      return layer.error();
    }
    contents_.layers[entry.path] = *layer;
    return {};
  }
  return is_document(head, entry.size) ? take_document(entry, *content) : Status();
}

Status Importer::take_document(const TarEntry& entry, EntryReader& content) {
  contents_.document_bytes += entry.size;
  if (contents_.document_bytes > most_json_bytes) {
    return Error::failed("the archive holds more than {} of JSON", base::human_bytes(most_json_bytes));
  }
  auto& text = contents_.documents[entry.path];
  return content.read_all([&](std::string_view piece) {
    text += piece;
    return Status();
  });
}

std::string Importer::real_path(std::string path) const {
  constexpr int most_links = 8;
  for (int i = 0; i < most_links; ++i) {
    const auto link = contents_.links.find(path);
    if (link == contents_.links.end()) {
      break;
    }
    path = link->second;
  }
  return path;
}

const std::string* Importer::document(const std::string& path) const {
  const auto found = contents_.documents.find(real_path(path));
  return found == contents_.documents.end() ? nullptr : &found->second;
}

Result<std::vector<ArchivedLayer>> Importer::layers_of(const json::Reader& listed, const ImageConfig& config) const {
  std::vector<ArchivedLayer> layers;
  for (const auto& element : listed.elements()) {
    const auto path = element.string_or();
    const auto found = contents_.layers.find(real_path(path));
    if (found == contents_.layers.end()) {
      return Error::failed("the archive does not hold the layer {}", base::printable(path));
    }
    const auto place = layers.size();
    const auto& layer = found->second;
    const bool matches =
        place < config.diff_ids.size() && (layer.diff_id.empty() || layer.diff_id == config.diff_ids[place]);
    if (!matches) {
      return Error::failed("layer {} of the archive is not the one its image configuration names", place + 1);
    }
    layers.push_back(layer);
  }
  if (layers.size() != config.diff_ids.size()) {
    return Error::failed("the archive holds {} layers, its image configuration names {}", layers.size(),
                         config.diff_ids.size());
  }
  return layers;
}

// The image manifest the archive itself holds, when every layer of it went into the store as it was: then the image
// keeps the digest that the engine knows it by.
const std::string* Importer::original_manifest(const Digest& config, const std::vector<ArchivedLayer>& layers) const {
  for (const auto& [path, text] : contents_.documents) {
    const auto parsed = path.starts_with("blobs/") ? parse_document(text) : Result<Document>(Error::failed("none"));
    const auto* manifest = parsed ? std::get_if<ImageManifest>(&*parsed) : nullptr;
    if (manifest && manifest->config.digest == config &&
        std::ranges::equal(manifest->layers, layers, [](const Descriptor& named, const ArchivedLayer& layer) {
          return layer.is_as_stored && named.digest == layer.blob.digest;
        })) {
      return &text;
    }
  }
  return nullptr;
}

std::string Importer::new_manifest(const Descriptor& config, const std::vector<ArchivedLayer>& layers) const {
  ImageManifest manifest{
      .media_type = std::string(is_docker() ? media_type::docker_manifest : media_type::image_manifest),
      .config = config,
      .layers = {}};
  for (const auto& layer : layers) {
    manifest.layers.push_back(layer.blob);
    if (is_docker() && layer.blob.media_type == media_type::layer_gzip) {
      manifest.layers.back().media_type = media_type::docker_layer_gzip;
    }
  }
  return manifest_bytes(manifest);
}

Result<StoredImage> Importer::assemble() {
  const auto* listing = document("manifest.json");
  if (listing == nullptr) {
    return Error::failed("the archive holds no manifest.json: it is not what `docker save` writes");
  }
  const auto value = json::parse(*listing, "the archive's manifest.json");
  const auto entry = value ? choose_image(json::Reader(*value), options_.name) : value.error();
  if (!entry) {
    return entry.error();
  }
  const auto config_path = entry->at("Config").string_or();
  const auto* config_text = document(config_path);
  if (config_text == nullptr) {
    return Error::failed("the archive does not hold the image configuration {}", base::printable(config_path));
  }
  const auto config = parse_config(*config_text);
  const auto layers = config ? layers_of(entry->at("Layers"), *config) : config.error();
  if (!layers) {
    return layers.error();
  }
  const auto config_type = is_docker() ? media_type::docker_config : media_type::image_config;
  const auto config_blob = store_.add_blob(*config_text, config_type);
  return config_blob ? keep_image(*config_blob, config->platform, *layers) : config_blob.error();
}

// The store knows it from then on.
Result<StoredImage> Importer::keep_image(const Descriptor& config, const Platform& platform,
                                         const std::vector<ArchivedLayer>& layers) {
  const auto* original = is_docker() ? nullptr : original_manifest(config.digest, layers);
  auto bytes = original ? *original : new_manifest(config, layers);
  const auto made = parse_document(bytes);
  if (!made) {
    return made.error();
  }
  const auto& manifest = std::get<ImageManifest>(*made);
  const auto digest = Digest::of(bytes);
  StoredImage image{.manifest = std::move(bytes),
                    .media_type = manifest.media_type,
                    .digest = digest,
                    .config = manifest.config,
                    .layers = manifest.layers,
                    .platform = platform,
                    .blobs = store_.blobs()};
  (void)store_.remember_image(image);
  return image;
}

}  // namespace

Result<StoredImage> import_docker_archive(const ByteReader& archive, ImageStore& store, const ImportOptions& options) {
  return Importer(archive, store, options).run();
}

}  // namespace deployctl::oci
