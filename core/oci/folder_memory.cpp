// The record is a text for the version, when it was made, the folders (each followed by those below it), and the
// digest of all that: it is not synchronised to the disk when it is written, and half of one would hide files.
#include "core/oci/folder_memory.hpp"

#include "core/oci/digest.hpp"

#include <cstring>

namespace deployctl::oci {
namespace {

constexpr std::string_view version = "deployctl folders 1\n";
constexpr std::size_t digest_size = 64;
constexpr std::size_t deepest_record = 1000;
constexpr std::size_t worth_a_record = 50;                  // folders
constexpr std::int64_t coarsest_clock = 3'000'000'000;      // ns: there are file systems that keep every other second
constexpr std::uint8_t directory_flag = 1, known_flag = 2;  // of an entry

class Writer {
 public:
  explicit Writer(std::int64_t now) : bytes_(version) { add_number(now); }

  void add(const ListedFolder& folder) {
    const auto& stamp = folder.stamp;
    add_number(stamp.device);
    add_number(stamp.inode);
    add_number(stamp.size);
    add_number(stamp.modified);
    add_number(stamp.changed);
    add_number(stamp.mode);
    add_number(static_cast<std::uint32_t>(folder.entries.size()));
    for (const auto& entry : folder.entries) {
      add_number(static_cast<std::uint16_t>(entry.name.size()));
      add_number(static_cast<std::uint8_t>((entry.is_surely_directory ? directory_flag : 0) |
                                           (entry.folder != nullptr ? known_flag : 0)));
      bytes_ += entry.name;
    }
    for (const auto& entry : folder.entries) {
      if (entry.folder != nullptr) {
        add(*entry.folder);
      }
    }
  }

  [[nodiscard]] std::string finish() {
    bytes_ += Digest::of(bytes_).encoded();
    return std::move(bytes_);
  }

 private:
  template <typename Number>
  void add_number(Number number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }

  std::string bytes_;
};

class Reader {
 public:
  Reader(std::string_view bytes, std::deque<ListedFolder>& folders) : rest_(bytes), folders_(folders) {}

  // Null when the record is damaged or made after `now`.
  ListedFolder* read(std::int64_t now) {
    if (!take_frame()) {
      return nullptr;
    }
    const auto made = number<std::int64_t>();
    auto* root = made <= now ? folder(0) : nullptr;
    return is_damaged_ || !rest_.empty() ? nullptr : root;
  }

 private:
  // The version and the digest.
  bool take_frame() {
    if (!rest_.starts_with(version) || rest_.size() < version.size() + digest_size) {
      return false;
    }
    const auto digest = rest_.substr(rest_.size() - digest_size);
    rest_.remove_suffix(digest_size);
    const bool is_whole = Digest::of(rest_).encoded() == digest;
    rest_.remove_prefix(version.size());
    return is_whole;
  }

  ListedFolder* folder(std::size_t depth) {
    auto& folder = folders_.emplace_back();
    auto& stamp = folder.stamp;
    stamp.device = number<std::uint64_t>();
    stamp.inode = number<std::uint64_t>();
    stamp.size = number<std::uint64_t>();
    stamp.modified = number<std::int64_t>();
    stamp.changed = number<std::int64_t>();
    stamp.mode = number<std::uint32_t>();
    const auto count = number<std::uint32_t>();
    is_damaged_ = is_damaged_ || depth > deepest_record || count > rest_.size();
    folder.entries.reserve(is_damaged_ ? 0 : count);
    std::vector<std::size_t> known;
    for (std::uint32_t at = 0; at < count && !is_damaged_; ++at) {
      const auto size = number<std::uint16_t>();
      const auto flags = number<std::uint8_t>();
      folder.entries.push_back({.name = text(size), .is_surely_directory = (flags & directory_flag) != 0});
      if ((flags & known_flag) != 0) {
        known.push_back(at);
      }
    }
    for (const auto at : known) {
      folder.entries[at].folder = is_damaged_ ? nullptr : this->folder(depth + 1);
    }
    return &folder;
  }

  template <typename Number>
  Number number() {
    Number value{};
    const auto bytes = text(sizeof value);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  std::string_view text(std::size_t size) {
    is_damaged_ = is_damaged_ || size > rest_.size();
    const auto found = rest_.substr(0, is_damaged_ ? 0 : size);
    rest_.remove_prefix(found.size());
    return found;
  }

  std::string_view rest_;
  std::deque<ListedFolder>& folders_;
  bool is_damaged_ = false;
};

}  // namespace

FolderMemory::FolderMemory(std::string record, std::int64_t now) : before_(std::move(record)), now_(now) {
  root_.folder = Reader(before_, folders_).read(now);
}

ListedFolder& FolderMemory::add() {
  const std::scoped_lock lock(mutex_);
  return folders_.emplace_back();
}

void FolderMemory::trust(ListedFolder& folder, const FileStamp& stamp) {
  if (is_settled(stamp, now_, coarsest_clock)) {
    folder.stamp = stamp;
    const std::scoped_lock lock(mutex_);
    has_learnt_ = true;
  }
}

bool FolderMemory::has_news() const {
  return has_learnt_ && folders_.size() >= worth_a_record;
}

std::string FolderMemory::record() const {
  Writer writer(now_);
  if (root_.folder != nullptr) {
    writer.add(*root_.folder);
  }
  return writer.finish();
}

}  // namespace deployctl::oci
