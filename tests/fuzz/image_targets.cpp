#include "core/base/overloaded.hpp"
#include "core/images/signatures.hpp"
#include "core/oci/docker_archive.hpp"
#include "core/oci/image.hpp"
#include "core/oci/image_config.hpp"
#include "core/oci/layer_reader.hpp"
#include "core/oci/reference.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace deployctl::fuzz {
namespace {

bool stays_inside(std::string_view path) {
  if (path.starts_with('/')) {
    return false;
  }
  while (!path.empty()) {
    const auto part = path.substr(0, path.find('/'));
    if (part == ".." || part == ".") {
      return false;
    }
    path.remove_prefix(std::min(path.size(), part.size() + 1));
  }
  return true;
}

// What a layer reader says of the bytes, as text: every entry, the content's bytes, and whether it was a layer.
std::string read_in_pieces(std::string_view bytes, std::size_t piece) {
  std::string heard;
  oci::LayerReader reader({.on_entry = [&](const oci::LayerEntry& entry) -> base::Status {
                             require(stays_inside(entry.path), "an entry lies in the image");
                             heard += fmt::format("{} {} {} {}\n", static_cast<int>(entry.kind), entry.path,
                                                  entry.link_target, entry.size);
                             return {};
                           },
                           .on_content = [&](std::string_view content) -> base::Status {
                             heard += content;
                             return {};
                           },
                           .on_end = [&]() -> base::Status {
                             heard += "end\n";
                             return {};
                           }},
                          {.most_entries = 1000, .most_bytes = 4u << 20u, .longest_path = 4096});
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (!reader.add(bytes.substr(0, piece))) {
      return heard + "refused";
    }
  }
  return heard + (reader.finish() ? "good" : "cut short");
}

// Entries may be heard or not before bytes that are refused, by how they were cut; what was good is good whole.
void require_same(const std::string& left, const std::string& right) {
  require(left.ends_with("good") == right.ends_with("good"), "a layer is good however it is cut");
  require(!left.ends_with("good") || left == right, "a good layer says the same however it is cut");
}

// A directory of this process's own, emptied for every input.
std::string scratch_directory() {
  static const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("deployctl-fuzz-{}", ::getpid())).string();
  std::filesystem::remove_all(path);
  return path;
}

}  // namespace

void reference(std::string_view bytes) {
  if (const auto parsed = oci::Reference::parse(bytes)) {
    for (const auto& text : {oci::to_string(*parsed), oci::to_familiar(*parsed)}) {
      const auto again = oci::Reference::parse(text);
      require(static_cast<bool>(again) && *again == *parsed, "a reference that is printed parses to itself");
    }
  }
  if (const auto digest = oci::Digest::parse(bytes)) {
    require(digest->text() == bytes, "a digest is its text");
    require(!digest->algorithm().empty() && !digest->encoded().empty(), "a digest has both parts");
  }
}

void image_document(std::string_view bytes) {
  const auto document = oci::parse_document(bytes);
  if (!document) {
    return;
  }
  if (const auto* manifest = std::get_if<oci::ImageManifest>(&*document)) {
    const auto again = oci::parse_document(oci::manifest_bytes(*manifest));
    require(static_cast<bool>(again), "a manifest that we write is one");
    const auto* same = std::get_if<oci::ImageManifest>(&*again);
    require(same && same->config == manifest->config && same->layers == manifest->layers,
            "a manifest that we write says the same");
  }
}

void image_config(std::string_view bytes) {
  if (const auto config = oci::parse_config(bytes)) {
    for (const auto& diff_id : config->diff_ids) {
      require(!diff_id.empty(), "every layer has a digest");
    }
    const auto again = oci::parse_config(oci::config_bytes(*config));
    require(static_cast<bool>(again) && *again == *config, "a configuration that we write says the same");
  }
}

void signature(std::string_view bytes) {
  static const auto key = oci::PublicKey::from_pem(
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMCsdz3Aq9Scmv+oeh84IPY6v7esD\n"
      "y+RPw3WC4RrmjOmysci+WzuTlh613SWlb9uFIv1jaRlFrbnB66iYAWqHCQ==\n"
      "-----END PUBLIC KEY-----\n");
  require(static_cast<bool>(key), "the key is one");
  const auto image = oci::Digest::of("image");
  require(!images::problem_with_payload(bytes, bytes, image, *key).empty(), "nobody signs with a key he has not");
  require(!images::problem_with_bundle(bytes, "image", *key).empty(), "nobody signs with a key he has not");
  require(!oci::PublicKey::from_pem(bytes) || bytes.find("PUBLIC KEY") != std::string_view::npos,
          "a key says what it is");
}

void layer(std::string_view bytes) {
  const auto whole = read_in_pieces(bytes, std::max<std::size_t>(bytes.size(), 1));
  require_same(whole, read_in_pieces(bytes, 1000));
  require_same(whole, read_in_pieces(bytes, 7));
}

void docker_archive(std::string_view bytes) {
  oci::ImageStore store(scratch_directory());
  const auto image = oci::import_docker_archive(
      [&](char* buffer, std::size_t size) -> base::Result<std::size_t> {
        const auto count = std::min(size, bytes.size());
        std::memcpy(buffer, bytes.data(), count);
        bytes.remove_prefix(count);
        return count;
      },
      store);
  if (image) {
    require(store.has_all_blobs(*image), "an image that was taken has its blobs");
    require(static_cast<bool>(oci::parse_document(image->manifest)), "its manifest is one");
  }
}

}  // namespace deployctl::fuzz
