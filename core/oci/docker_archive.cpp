// An archive's manifest.json, which says what is a layer of what, comes last. So every entry is taken for what it looks
// like as it passes: JSON documents are kept in memory, tars become layer blobs, and what the image really consists of
// is put together at the end.
//
// Engines name a layer after its content: since Docker 25 and in Podman the name is the layer's diffID, before it was
// the "v1 id", a hash over the layer's chain. Either way a name seen before tells which layer is coming, so that its
// bytes only have to be hashed, not compressed again.
#include "core/oci/docker_archive.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/oci/gzip.hpp"
#include "core/oci/reference.hpp"
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
constexpr std::size_t tar_block = 512;

struct Layer {
  Digest diff_id;  // empty when it was not looked into (zstd)
  Descriptor blob;
  bool is_as_stored = false;  // the archive held it compressed already
};

// What has been seen of the archive.
struct Contents {
  std::map<std::string, std::string> documents;
  std::map<std::string, Layer> layers;
  std::map<std::string, std::string> links;
  std::size_t document_bytes = 0;
};

// The entry's first bytes, as many as it takes to tell what it is, and then the rest.
class EntryReader {
 public:
  static Result<EntryReader> open(TarReader& tar) {
    EntryReader entry(tar);
    while (entry.head_.size() < tar_block) {
      const auto piece = tar.read();
      if (!piece) {
        return piece.error();
      }
      if (piece->empty()) {
        break;
      }
      entry.head_ += *piece;
    }
    return entry;
  }

  [[nodiscard]] std::string_view head() const { return head_; }

  // Gives everything to the sink, the head first.
  Status read_all(const PieceSink& sink) {
    auto status = sink(head_);
    while (status) {
      const auto piece = tar_->read();
      if (!piece || piece->empty()) {
        return piece ? Status() : piece.error();
      }
      status = sink(*piece);
    }
    return status;
  }

 private:
  explicit EntryReader(TarReader& tar) : tar_(&tar) {}

  TarReader* tar_;
  std::string head_;
};

bool is_gzip(std::string_view head) {
  return head.starts_with("\x1f\x8b");
}
bool is_zstd(std::string_view head) {
  return head.starts_with("\x28\xb5\x2f\xfd");
}

bool is_tar(std::string_view head) {
  if (head.size() < tar_block) {
    return false;
  }
  return head.substr(257, 5) == "ustar" ||
         std::ranges::all_of(head.substr(0, tar_block), [](char byte) { return byte == 0; });
}

bool is_document(std::string_view head, std::uint64_t size) {
  const auto text = base::trim(head);
  return size <= longest_manifest && !text.empty() && (text.front() == '{' || text.front() == '[');
}

// The name under which a layer's content is known: "<id>/layer.tar", "<hex>.tar", "blobs/sha256/<hex>".
std::string content_name(std::string_view path) {
  if (path.ends_with("/layer.tar")) {
    path.remove_suffix(std::string_view("/layer.tar").size());
  } else if (path.ends_with(".tar")) {
    path.remove_suffix(std::string_view(".tar").size());
  }
  return std::string(path.substr(path.rfind('/') + 1));
}

// The image's place in the archive, in skopeo's words.
std::string by_place(std::size_t place) {
  return "@" + std::to_string(place);
}

// What an entry of manifest.json is called; its place when it has no name.
std::vector<std::string> names_of(const json::Reader& entry, std::size_t place) {
  std::vector<std::string> names;
  for (const auto& tag : entry.at("RepoTags").elements()) {
    names.push_back(tag.string_or());
  }
  return names.empty() ? std::vector{by_place(place)} : names;
}

// What is in the archive, to be chosen from.
std::string names_in(const json::Reader& listed) {
  std::vector<std::string> names;
  const auto entries = listed.elements();
  for (std::size_t place = 0; place < entries.size(); ++place) {
    const auto own = names_of(entries[place], place);
    names.insert(names.end(), own.begin(), own.end());
  }
  return names.empty() ? "nothing" : base::printable(base::join(names, ", "));
}

bool is_called(const std::string& name, const std::string& wanted) {
  const auto parsed = Reference::parse(name);
  const auto wanted_parsed = Reference::parse(wanted);
  return name == wanted || (parsed && wanted_parsed && *parsed == *wanted_parsed);
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
  Result<Layer> take_layer(const TarEntry& entry, EntryReader& content);
  Result<Layer> check_known(const TarEntry& entry, const Digest& expected, const Descriptor& blob,
                            EntryReader& content);
  Result<Layer> compress(EntryReader& content);
  Result<Layer> keep_gzip(EntryReader& content);
  Result<Layer> keep_zstd(EntryReader& content);
  [[nodiscard]] std::optional<Digest> expected_diff_id(const TarEntry& entry) const;

  Result<StoredImage> assemble();
  [[nodiscard]] Result<json::Reader> chosen(const json::Reader& listed) const;
  [[nodiscard]] std::string real_path(std::string path) const;
  [[nodiscard]] const std::string* document(const std::string& path) const;
  [[nodiscard]] Result<std::vector<Layer>> layers_of(const json::Reader& listed, const ImageConfig& config) const;
  [[nodiscard]] const std::string* original_manifest(const Digest& config, const std::vector<Layer>& layers) const;
  [[nodiscard]] std::string new_manifest(const Descriptor& config, const std::vector<Layer>& layers) const;

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
  if (is_tar(head) || is_gzip(head) || is_zstd(head)) {
    auto layer = take_layer(entry, *content);
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

Result<Layer> Importer::take_layer(const TarEntry& entry, EntryReader& content) {
  if (is_gzip(content.head())) {
    return keep_gzip(content);
  }
  if (is_zstd(content.head())) {
    return keep_zstd(content);
  }
  if (const auto expected = expected_diff_id(entry)) {
    if (const auto blob = store_.find_layer(*expected)) {
      return check_known(entry, *expected, *blob, content);
    }
  }
  auto layer = compress(content);
  if (layer) {
    // Records only save work; a full disk shows itself where it matters.
    (void)store_.remember_layer(layer->diff_id, layer->blob);
    (void)store_.remember_hint(content_name(entry.path), layer->diff_id);
  }
  return layer;
}

std::optional<Digest> Importer::expected_diff_id(const TarEntry& entry) const {
  const auto name = content_name(entry.path);
  if (auto hint = store_.find_hint(name)) {
    return hint;
  }
  const auto digest = Digest::parse("sha256:" + name);
  return digest ? std::optional(*digest) : std::nullopt;
}

Result<Layer> Importer::check_known(const TarEntry& entry, const Digest& expected, const Descriptor& blob,
                                    EntryReader& content) {
  Hasher hasher;
  const auto read = content.read_all([&](std::string_view piece) {
    hasher.add(piece);
    return Status();
  });
  if (!read) {
    return read.error();
  }
  const auto diff_id = hasher.digest();
  if (diff_id != expected) {
    (void)store_.remember_hint(content_name(entry.path), diff_id);
    return Error::failed("the layer is not the one it was under this name before").with_hint("try again");
  }
  return Layer{.diff_id = diff_id, .blob = blob};
}

Result<Layer> Importer::compress(EntryReader& content) {
  auto blob = store_.new_blob();
  if (!blob) {
    return blob.error();
  }
  auto gzip = GzipWriter::make([&](std::string_view piece) { return blob->write(piece); });
  if (!gzip) {
    return gzip.error();
  }
  Hasher hasher;
  auto done = content.read_all([&](std::string_view piece) {
    hasher.add(piece);
    return gzip->add(piece);
  });
  if (done) {
    done = gzip->finish();
  }
  if (!done) {
    return done.error();
  }
  const auto kept = blob->keep(media_type::layer_gzip);
  return kept ? Result<Layer>(Layer{.diff_id = hasher.digest(), .blob = *kept}) : kept.error();
}

// Bytes an engine compressed stay as they are: their digest may be known to registries.
Result<Layer> Importer::keep_gzip(EntryReader& content) {
  auto blob = store_.new_blob();
  if (!blob) {
    return blob.error();
  }
  Hasher hasher;
  auto gzip = GzipReader::make([&](std::string_view piece) {
    hasher.add(piece);
    return Status();
  });
  if (!gzip) {
    return gzip.error();
  }
  auto done = content.read_all([&](std::string_view piece) {
    const auto written = blob->write(piece);
    return written ? gzip->add(piece) : written;
  });
  if (done) {
    done = gzip->finish();
  }
  if (!done) {
    return done.error();
  }
  const auto kept = blob->keep(media_type::layer_gzip);
  return kept ? Result<Layer>(Layer{.diff_id = hasher.digest(), .blob = *kept, .is_as_stored = true}) : kept.error();
}

Result<Layer> Importer::keep_zstd(EntryReader& content) {
  auto blob = store_.new_blob();
  if (!blob) {
    return blob.error();
  }
  const auto done = content.read_all([&](std::string_view piece) { return blob->write(piece); });
  if (!done) {
    return done.error();
  }
  const auto kept = blob->keep(media_type::layer_zstd);
  return kept ? Result<Layer>(Layer{.diff_id = {}, .blob = *kept, .is_as_stored = true}) : kept.error();
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

Result<std::vector<Layer>> Importer::layers_of(const json::Reader& listed, const ImageConfig& config) const {
  std::vector<Layer> layers;
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
const std::string* Importer::original_manifest(const Digest& config, const std::vector<Layer>& layers) const {
  for (const auto& [path, text] : contents_.documents) {
    const auto parsed = path.starts_with("blobs/") ? parse_document(text) : Result<Document>(Error::failed("none"));
    const auto* manifest = parsed ? std::get_if<ImageManifest>(&*parsed) : nullptr;
    if (manifest && manifest->config.digest == config &&
        std::ranges::equal(manifest->layers, layers, [](const Descriptor& named, const Layer& layer) {
          return layer.is_as_stored && named.digest == layer.blob.digest;
        })) {
      return &text;
    }
  }
  return nullptr;
}

std::string Importer::new_manifest(const Descriptor& config, const std::vector<Layer>& layers) const {
  const bool is_docker = options_.format == ImportOptions::Format::docker;
  ImageManifest manifest{
      .media_type = std::string(is_docker ? media_type::docker_manifest : media_type::image_manifest),
      .config = config,
      .layers = {}};
  for (const auto& layer : layers) {
    manifest.layers.push_back(layer.blob);
    if (is_docker && layer.blob.media_type == media_type::layer_gzip) {
      manifest.layers.back().media_type = media_type::docker_layer_gzip;
    }
  }
  return manifest_bytes(manifest);
}

// The entry of manifest.json for the image that was asked for.
Result<json::Reader> Importer::chosen(const json::Reader& listed) const {
  const auto entries = listed.elements();
  if (options_.name.empty() && entries.size() <= 1) {
    return listed.at(std::size_t{0});
  }
  if (options_.name.empty()) {
    return Error::not_found("which image is meant is not said: the archive holds {}", names_in(listed))
        .with_hint("add the name of the one that is meant: docker-archive:FILE:{}",
                   base::printable(names_of(entries.front(), 0).front()));
  }
  for (std::size_t place = 0; place < entries.size(); ++place) {
    const auto has_name = [&](const std::string& name) { return is_called(name, options_.name); };
    if (options_.name == by_place(place) || std::ranges::any_of(names_of(entries[place], place), has_name)) {
      return entries[place];
    }
  }
  return Error::not_found("the archive holds no image '{}': it has {}", base::printable(options_.name),
                          names_in(listed));
}

Result<StoredImage> Importer::assemble() {
  const auto* listing = document("manifest.json");
  if (listing == nullptr) {
    return Error::failed("the archive holds no manifest.json: it is not what `docker save` writes");
  }
  const auto value = json::parse(*listing, "the archive's manifest.json");
  if (!value) {
    return value.error();
  }
  const auto entry = chosen(json::Reader(*value));
  if (!entry) {
    return entry.error();
  }
  const auto config_path = entry->at("Config").string_or();
  const auto* config_text = document(config_path);
  if (config_text == nullptr) {
    return Error::failed("the archive does not hold the image configuration {}", base::printable(config_path));
  }
  const auto config = parse_config(*config_text);
  if (!config) {
    return config.error();
  }
  const auto layers = layers_of(entry->at("Layers"), *config);
  if (!layers) {
    return layers.error();
  }
  const bool is_docker = options_.format == ImportOptions::Format::docker;
  const auto config_blob =
      store_.add_blob(*config_text, is_docker ? media_type::docker_config : media_type::image_config);
  if (!config_blob) {
    return config_blob.error();
  }
  const auto* original = is_docker ? nullptr : original_manifest(config_blob->digest, *layers);
  StoredImage image{.manifest = original ? *original : new_manifest(*config_blob, *layers),
                    .media_type = {},
                    .digest = {},
                    .config = *config_blob,
                    .layers = {},
                    .platform = config->platform,
                    .blobs = store_.blobs()};
  const auto made = parse_document(image.manifest);
  if (!made) {
    return made.error();
  }
  const auto& manifest = std::get<ImageManifest>(*made);
  image.media_type = manifest.media_type;
  image.digest = Digest::of(image.manifest);
  image.config = manifest.config;
  image.layers = manifest.layers;
  (void)store_.remember_image(image);
  return image;
}

}  // namespace

Result<StoredImage> import_docker_archive(const ByteReader& archive, ImageStore& store, const ImportOptions& options) {
  return Importer(archive, store, options).run();
}

}  // namespace deployctl::oci
