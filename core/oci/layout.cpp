#include "core/oci/layout.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/oci/blob_file.hpp"
#include "core/oci/temporary_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::Result;
using base::Status;

std::string name_of(const Descriptor& descriptor) {
  const auto found = descriptor.annotations.find(std::string(layout_name));
  return found == descriptor.annotations.end() ? std::string() : found->second;
}

// "it holds v1, v2"
std::string names_in(const ImageIndex& index) {
  std::vector<std::string> names;
  for (const auto& entry : index.manifests) {
    const auto name = name_of(entry);
    names.push_back(name.empty() ? "@" + entry.digest.text() : base::printable(name));
  }
  return names.empty() ? "it holds none" : "it holds " + base::join(names, ", ");
}

Result<std::string> read_small_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const auto code = errno == ENOENT ? base::ErrorCode::not_found : base::ErrorCode::failed;
    return Error::make(code, "cannot open {}: {}", path, std::strerror(errno));
  }
  // In pieces: room for the longest one, cleared, would cost more than the rest of an unchanged push.
  std::string text;
  std::array<char, 16u << 10u> piece{};
  while (text.size() <= longest_manifest && (file.read(piece.data(), piece.size()), file.gcount() > 0)) {
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  return text.size() > longest_manifest
             ? Result<std::string>(Error::failed("{} is larger than {}", path, base::human_bytes(longest_manifest)))
             : text;
}

Status check_version(const std::string& directory) {
  const auto text = read_small_file(directory + "/" + std::string(layout_file));
  if (!text) {
    return text.error().code == base::ErrorCode::not_found
               ? Error::failed("{} is no OCI image layout: it has no file '{}'", directory, layout_file)
               : text.error();
  }
  const auto value = json::parse(*text, std::string(layout_file));
  if (!value) {
    return value.error();
  }
  const auto version = json::Reader(*value).at("imageLayoutVersion").string_or();
  return version == "1.0.0"
             ? Status()
             : Status(Error::failed("{} is an OCI image layout of version '{}', and 1.0.0 is what deployctl knows",
                                    directory, base::printable(version)));
}

Result<ImageIndex> read_index(const std::string& directory) {
  const auto path = directory + "/" + std::string(layout_index_file);
  const auto text = read_small_file(path);
  if (!text) {
    return text.error();
  }
  const auto document = parse_document(*text, media_type::image_index);
  if (!document) {
    return document.error().within("{}", path);
  }
  return std::get<ImageIndex>(*document);
}

bool is_new(const std::string& directory) {
  std::error_code problem;
  return !fs::exists(directory, problem) || (fs::is_directory(directory, problem) && fs::is_empty(directory, problem));
}

// The one image a manifest of the layout describes.
Result<StoredImage> stored_image(const std::string& blobs, const Descriptor& descriptor, std::string bytes,
                                 const ImageManifest& manifest) {
  StoredImage image{.manifest = std::move(bytes),
                    .media_type = manifest.media_type,
                    .digest = descriptor.digest,
                    .config = manifest.config,
                    .layers = manifest.layers,
                    .platform = descriptor.platform.value_or(Platform{}),
                    .blobs = blobs};
  if (manifest.config.size <= longest_config && is_config_type(manifest.config.media_type)) {
    const auto text = read_document(blobs, manifest.config);
    const auto config = text ? parse_config(*text) : Result<ImageConfig>(text.error());
    if (!config) {
      return config.error();
    }
    image.platform = config->platform;
  }
  return image;
}

Result<StoredIndex> stored_index(const std::string& blobs, const Descriptor& descriptor, std::string bytes,
                                 const ImageIndex& index) {
  StoredIndex set{.bytes = std::move(bytes), .media_type = index.media_type, .digest = descriptor.digest, .images = {}};
  for (const auto& entry : index.manifests) {
    if (is_index_type(entry.media_type)) {
      return Error::failed("the image index {} lists another index, which deployctl does not push",
                           descriptor.digest.brief());
    }
    const auto image = stored(blobs, entry);
    if (!image) {
      return image.error();
    }
    set.images.push_back(std::get<StoredImage>(*image));
  }
  return set;
}

}  // namespace

Result<Descriptor> find_in_index(const ImageIndex& index, std::string_view name) {
  if (name.empty()) {
    return index.manifests.size() == 1 ? Result<Descriptor>(index.manifests.front())
                                       : Error::not_found("which image is meant is not said: {}", names_in(index));
  }
  const auto found = std::ranges::find_if(index.manifests, [&](const Descriptor& entry) {
    return name_of(entry) == name || (name.starts_with('@') && entry.digest.text() == name.substr(1));
  });
  return found == index.manifests.end()
             ? Error::not_found("there is no image '{}': {}", base::printable(name), names_in(index))
             : Result<Descriptor>(*found);
}

ImageIndex with_entry(ImageIndex index, Descriptor descriptor, std::string_view name) {
  descriptor.annotations.erase(std::string(layout_name));
  if (!name.empty()) {
    descriptor.annotations[std::string(layout_name)] = name;
  }
  std::erase_if(index.manifests, [&](const Descriptor& entry) {
    return name_of(entry) == name && (!name.empty() || entry.digest == descriptor.digest);
  });
  index.manifests.push_back(std::move(descriptor));
  return index;
}

Result<Layout> Layout::open(const std::string& directory) {
  std::error_code problem;
  if (!fs::is_directory(directory, problem)) {
    return Error::not_found("there is no directory {}", directory);
  }
  if (const auto known = check_version(directory); !known) {
    return known.error();
  }
  const auto index = read_index(directory);
  return index ? Result<Layout>(Layout(directory, *index)) : index.error();
}

Result<Layout> Layout::open_or_make(const std::string& directory) {
  if (!is_new(directory)) {
    return open(directory);
  }
  const ImageIndex empty{.media_type = std::string(media_type::image_index), .manifests = {}};
  for (const auto& written : {write_whole_file(directory + "/" + std::string(layout_index_file), index_bytes(empty)),
                              write_whole_file(directory + "/" + std::string(layout_file), layout_file_content)}) {
    if (!written) {
      return written.error();
    }
  }
  return Layout(directory, empty);
}

Status Layout::put(const Descriptor& descriptor, std::string_view name) {
  index_ = with_entry(std::move(index_), descriptor, name);
  return write_whole_file(directory_ + "/" + std::string(layout_index_file), index_bytes(index_));
}

Result<std::string> read_document(const std::string& blobs, const Descriptor& descriptor) {
  if (descriptor.size > longest_manifest) {
    return Error::failed("{} has {}, more than any image manifest may have", descriptor.digest.text(),
                         base::human_bytes(descriptor.size));
  }
  std::string text;
  const auto path = fmt::format("{}/{}/{}", blobs, descriptor.digest.algorithm(), descriptor.digest.encoded());
  const auto read = read_blob_file(path, descriptor, [&](std::string_view piece) {
    text += piece;
    return Status();
  });
  return read ? Result<std::string>(std::move(text)) : read.error();
}

Result<Stored> stored(const std::string& blobs, const Descriptor& descriptor) {
  auto bytes = read_document(blobs, descriptor);
  if (!bytes) {
    return bytes.error();
  }
  const auto document = parse_document(*bytes, descriptor.media_type);
  if (!document) {
    return document.error().within("{}", descriptor.digest.text());
  }
  if (const auto* index = std::get_if<ImageIndex>(&*document)) {
    auto set = stored_index(blobs, descriptor, *std::move(bytes), *index);
    return set ? Result<Stored>(*std::move(set)) : set.error();
  }
  auto image = stored_image(blobs, descriptor, *std::move(bytes), std::get<ImageManifest>(*document));
  return image ? Result<Stored>(*std::move(image)) : image.error();
}

}  // namespace deployctl::oci
