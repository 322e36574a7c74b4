// The user's cache of image blobs on disk: blobs/sha256/<hex>, and what was learnt about them, so that a layer is
// compressed once and an unchanged image needs neither `docker save` nor compression again.
//
//   <directory>/blobs/sha256/<hex>        compressed layers and configurations
//   <directory>/images/<config hex>.json  the image manifest made for a configuration (an image id)
//   <directory>/layers/<diffID hex>.json  the descriptor of a layer
//   <directory>/hints/<name>              which diffID a layer had that is made from what this name stands for
//   <directory>/names/<hash>.json         the image or index that was built last for a reference
//   <directory>/folders/<hash>            what the folders below one of this machine held
//   <directory>/<kind>/<name>             what others remember (find_record)
//
// Everything appears by rename, so any number of processes may share a store and a killed one leaves no damage.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/folder_memory.hpp"
#include "core/oci/image.hpp"

#include <memory>
#include <optional>
#include <string>

namespace deployctl::oci {

// A blob while it is written; nothing is seen of it before keep().
class BlobWriter {
 public:
  ~BlobWriter();
  BlobWriter(BlobWriter&&) noexcept;
  BlobWriter& operator=(BlobWriter&&) noexcept;

  base::Status write(std::string_view piece);
  [[nodiscard]] std::uint64_t size() const;
  // Gives the blob its name, the digest of what was written, and returns its descriptor.
  base::Result<Descriptor> keep(std::string_view media_type);

 private:
  friend class ImageStore;
  struct State;
  explicit BlobWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class ImageStore {
 public:
  // How much of a user's cache is kept, for trim().
  static constexpr std::uint64_t usual_size = std::uint64_t{4} << 30u;

  // The directory is made when the first thing is written.
  explicit ImageStore(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::string blobs() const { return directory_ + "/blobs"; }
  [[nodiscard]] std::string blob_path(const Digest& digest) const;
  [[nodiscard]] bool has_blob(const Descriptor& blob) const;
  base::Result<BlobWriter> new_blob();
  base::Result<Descriptor> add_blob(std::string_view bytes, std::string_view media_type);

  // The image made earlier from the configuration with this digest (docker's image id), whether or not its blobs are
  // still here (has_all_blobs). Nothing when it was never made or the record is damaged.
  [[nodiscard]] std::optional<StoredImage> find_image(const Digest& config) const;
  [[nodiscard]] bool has_all_blobs(const StoredImage& image) const;
  base::Status remember_image(const StoredImage& image);

  // The compressed form of a layer, when its blob is here.
  [[nodiscard]] std::optional<Descriptor> find_layer(const Digest& diff_id) const;
  base::Status remember_layer(const Digest& diff_id, const Descriptor& layer);

  // What an engine calls a layer in its archives, a name that stands for its content.
  [[nodiscard]] std::optional<Digest> find_hint(std::string_view name) const;
  base::Status remember_hint(std::string_view name, const Digest& diff_id);

  // The image that was last made for a reference ("registry.example.com/shop/api:1.4"), whether or not its blobs are
  // still here.
  [[nodiscard]] std::optional<AnyImage> find_named(std::string_view reference) const;
  base::Status remember_named(std::string_view reference, const AnyImage& image);

  // What is known of the folders below `place` of this machine; knows nothing when nobody remembered any.
  [[nodiscard]] FolderMemory find_folders(const std::string& place) const;
  base::Status remember_folders(const std::string& place, const FolderMemory& memory);

  // Small texts under a kind and a name, both harmless as file names; nothing when there is none.
  [[nodiscard]] std::optional<std::string> find_record(std::string_view kind, std::string_view name) const;
  base::Status remember_record(std::string_view kind, std::string_view name, std::string_view text);

  // Removes the blobs not used for longest until at most `bytes` are left; blobs used in the last hour stay. What was
  // remembered of folders more than a month ago goes too.
  base::Status trim(std::uint64_t bytes);

 private:
  [[nodiscard]] std::string record_path(std::string_view kind, std::string_view name) const;

  std::string directory_;
};

}  // namespace deployctl::oci
