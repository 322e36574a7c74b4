#include "core/oci/image_store.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/oci/temporary_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <vector>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t usual_longest_record = 1u << 20u;
constexpr std::string_view folders = "folders";
constexpr std::chrono::hours folders_are_kept = std::chrono::hours(24) * 30;

std::optional<std::string> read_record(const std::string& path, std::size_t longest = usual_longest_record) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size < 0 || static_cast<std::uint64_t>(size) > longest) {
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return file ? std::optional(std::move(text)) : std::nullopt;
}

void touch(const std::string& path) {
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
}

std::string name_record(std::string_view reference) {
  return std::string(Digest::of(reference).encoded()) + ".json";
}

// Names come from archives; only harmless ones become file names.
bool is_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 && name.front() != '.' && std::ranges::all_of(name, [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '_' || byte == '.';
  });
}

struct BlobFile {
  fs::path path;
  std::uint64_t size = 0;
  fs::file_time_type used;
};

std::vector<BlobFile> blobs_by_age(const std::string& directory) {
  std::vector<BlobFile> files;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(directory, problem)) {
    std::error_code gone;
    BlobFile file{.path = entry.path(), .size = entry.file_size(gone), .used = entry.last_write_time(gone)};
    if (!gone) {
      files.push_back(std::move(file));
    }
  }
  std::ranges::sort(files, {}, &BlobFile::used);
  return files;
}

void remove_older(const std::string& directory, std::chrono::hours age) {
  const auto since = fs::file_time_type::clock::now() - age;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(directory, problem)) {
    std::error_code gone;
    if (const auto written = entry.last_write_time(gone); !gone && written < since) {
      fs::remove(entry.path(), gone);
    }
  }
}

}  // namespace

struct BlobWriter::State {
  TemporaryFile file;
  std::string directory;
  Hasher hasher;
  std::uint64_t size = 0;
};

BlobWriter::BlobWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlobWriter::~BlobWriter() = default;
BlobWriter::BlobWriter(BlobWriter&&) noexcept = default;
BlobWriter& BlobWriter::operator=(BlobWriter&&) noexcept = default;

Status BlobWriter::write(std::string_view piece) {
  state_->hasher.add(piece);
  state_->size += piece.size();
  return state_->file.write(piece);
}

std::uint64_t BlobWriter::size() const {
  return state_->size;
}

Result<Descriptor> BlobWriter::keep(std::string_view media_type) {
  Descriptor descriptor{.media_type = std::string(media_type),
                        .digest = state_->hasher.digest(),
                        .size = state_->size,
                        .platform = {},
                        .annotations = {}};
  const auto kept = state_->file.rename_to(fmt::format("{}/{}", state_->directory, descriptor.digest.encoded()));
  return kept ? Result<Descriptor>(descriptor) : kept.error();
}

std::string ImageStore::blob_path(const Digest& digest) const {
  return fmt::format("{}/{}/{}", blobs(), digest.algorithm(), digest.encoded());
}

bool ImageStore::has_blob(const Descriptor& blob) const {
  const auto path = blob_path(blob.digest);
  struct stat info {};
  const bool is_here = ::stat(path.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) == blob.size;
  if (is_here) {
    touch(path);
  }
  return is_here;
}

Result<BlobWriter> ImageStore::new_blob() {
  auto directory = blobs() + "/sha256";
  auto file = TemporaryFile::make(directory);
  if (!file) {
    return file.error();
  }
  return BlobWriter(std::make_unique<BlobWriter::State>(
      BlobWriter::State{.file = std::move(*file), .directory = std::move(directory), .hasher = {}}));
}

Result<Descriptor> ImageStore::add_blob(std::string_view bytes, std::string_view media_type) {
  auto blob = new_blob();
  if (!blob) {
    return blob.error();
  }
  const auto written = blob->write(bytes);
  return written ? blob->keep(media_type) : written.error();
}

std::string ImageStore::record_path(std::string_view kind, std::string_view name) const {
  return fmt::format("{}/{}/{}", directory_, kind, name);
}

std::optional<StoredImage> ImageStore::find_image(const Digest& config) const {
  const auto text = read_record(record_path("images", std::string(config.encoded()) + ".json"));
  const auto value = text ? json::parse(*text, "the image record") : Result<json::Value>(Error::failed("none"));
  if (!value) {
    return std::nullopt;
  }
  const json::Reader root(*value);
  StoredImage image{.manifest = root.at("manifest").string_or(),
                    .media_type = {},
                    .digest = {},
                    .config = {},
                    .layers = {},
                    .platform = {.os = root.at("os").string_or(),
                                 .architecture = root.at("architecture").string_or(),
                                 .variant = root.at("variant").string_or()},
                    .blobs = blobs()};
  const auto document = parse_document(image.manifest);
  const auto* manifest = document ? std::get_if<ImageManifest>(&*document) : nullptr;
  if (!manifest || manifest->config.digest != config) {
    return std::nullopt;
  }
  image.media_type = manifest->media_type;
  image.digest = Digest::of(image.manifest);
  image.config = manifest->config;
  image.layers = manifest->layers;
  return image;
}

bool ImageStore::has_all_blobs(const StoredImage& image) const {
  return has_blob(image.config) &&
         std::ranges::all_of(image.layers, [&](const auto& layer) { return has_blob(layer); });
}

Status ImageStore::remember_image(const StoredImage& image) {
  const json::Value record = {{"manifest", image.manifest},
                              {"os", image.platform.os},
                              {"architecture", image.platform.architecture},
                              {"variant", image.platform.variant}};
  return write_whole_file(record_path("images", std::string(image.config.digest.encoded()) + ".json"),
                          json::to_pretty_text(record));
}

std::optional<Descriptor> ImageStore::find_layer(const Digest& diff_id) const {
  const auto text = read_record(record_path("layers", std::string(diff_id.encoded()) + ".json"));
  const auto value = text ? json::parse(*text, "the layer record") : Result<json::Value>(Error::failed("none"));
  if (!value) {
    return std::nullopt;
  }
  const json::Reader root(*value);
  const auto digest = Digest::parse(root.at("digest").string_or());
  const auto size = root.at("size").integer_or(-1);
  if (!digest || size < 0) {
    return std::nullopt;
  }
  Descriptor layer{.media_type = root.at("mediaType").string_or(),
                   .digest = *digest,
                   .size = static_cast<std::uint64_t>(size),
                   .platform = {},
                   .annotations = {}};
  return has_blob(layer) ? std::optional(layer) : std::nullopt;
}

Status ImageStore::remember_layer(const Digest& diff_id, const Descriptor& layer) {
  const json::Value record = {{"mediaType", layer.media_type}, {"digest", layer.digest.text()}, {"size", layer.size}};
  return write_whole_file(record_path("layers", std::string(diff_id.encoded()) + ".json"),
                          json::to_pretty_text(record));
}

std::optional<Digest> ImageStore::find_hint(std::string_view name) const {
  const auto text = is_file_name(name) ? read_record(record_path("hints", name)) : std::nullopt;
  const auto diff_id = Digest::parse(base::trim(text.value_or("")));
  return diff_id ? std::optional(*diff_id) : std::nullopt;
}

Status ImageStore::remember_hint(std::string_view name, const Digest& diff_id) {
  return is_file_name(name) ? write_whole_file(record_path("hints", name), diff_id.text() + "\n") : Status();
}

Status ImageStore::remember_named(std::string_view reference, const AnyImage& image) {
  json::Value record = {{"reference", reference}, {"configs", json::Value::array()}};
  if (const auto* index = std::get_if<StoredIndex>(&image)) {
    record["index"] = index->bytes;
    for (const auto& each : index->images) {
      record["configs"].push_back(each.config.digest.text());
    }
  } else {
    record["configs"].push_back(std::get<StoredImage>(image).config.digest.text());
  }
  return write_whole_file(record_path("names", name_record(reference)), json::to_pretty_text(record));
}

std::optional<AnyImage> ImageStore::find_named(std::string_view reference) const {
  const auto text = read_record(record_path("names", name_record(reference)));
  const auto value = text ? json::parse(*text, "the name record") : Result<json::Value>(Error::failed("none"));
  if (!value || json::Reader(*value).at("reference").string_or() != reference) {
    return std::nullopt;
  }
  const json::Reader root(*value);
  StoredIndex index{.bytes = root.at("index").string_or(), .media_type = {}, .digest = {}, .images = {}};
  for (const auto& config : root.at("configs").elements()) {
    const auto digest = Digest::parse(config.string_or());
    auto image = digest ? find_image(*digest) : std::nullopt;
    if (!image) {
      return std::nullopt;
    }
    index.images.push_back(std::move(*image));
  }
  if (index.bytes.empty()) {
    return index.images.size() == 1 ? std::optional<AnyImage>(std::move(index.images.front())) : std::nullopt;
  }
  index.media_type = media_type::image_index;
  index.digest = Digest::of(index.bytes);
  return index;
}

FolderMemory ImageStore::find_folders(const std::string& place) const {
  return FolderMemory(
      read_record(record_path(folders, Digest::of(place).encoded()), FolderMemory::longest_record).value_or(""));
}

Status ImageStore::remember_folders(const std::string& place, const FolderMemory& memory) {
  const auto record = memory.record();
  return record.size() > FolderMemory::longest_record
             ? Status()  // would not be read
             : write_whole_file(record_path(folders, Digest::of(place).encoded()), record);
}

std::optional<std::string> ImageStore::find_record(std::string_view kind, std::string_view name) const {
  return is_file_name(kind) && is_file_name(name) ? read_record(record_path(kind, name)) : std::nullopt;
}

Status ImageStore::remember_record(std::string_view kind, std::string_view name, std::string_view text) {
  return is_file_name(kind) && is_file_name(name) ? write_whole_file(record_path(kind, name), text) : Status();
}

Status ImageStore::trim(std::uint64_t bytes) {
  const auto files = blobs_by_age(blobs() + "/sha256");
  std::uint64_t total = 0;
  for (const auto& file : files) {
    total += file.size;
  }
  const auto in_use_since = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& file : files) {
    if (total <= bytes || file.used > in_use_since) {
      break;
    }
    std::error_code problem;
    fs::remove(file.path, problem);
    total -= problem ? 0 : file.size;
  }
  remove_older(fmt::format("{}/{}", directory_, folders), folders_are_kept);
  return {};
}

}  // namespace deployctl::oci
