// What it costs is the kernel's: opening, listing and closing each folder and looking at each file. A folder that is as
// it was when it was listed last is looked at only, and what is in it is found by its way from the nearest folder that
// is open. Threads share the rest.
// One that walks gives half of what is left of its folder to one that has nothing to do; each lays what it finds into a
// map of its own, so that all end in the same order.
#include "core/oci/folder_walk.hpp"

#include "core/base/text.hpp"
#include "core/oci/open_path.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <linux/limits.h>
#include <linux/magic.h>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Status;

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::size_t deepest_folder = 200;
constexpr std::size_t longest_capability = 64;
constexpr std::size_t most_threads = 4;
constexpr std::size_t worth_a_thread = 200;  // entries that were looked at, as a sign that there are many more
constexpr std::size_t least_to_share = 8;    // entries of a folder
constexpr std::size_t listing_bytes = 64u << 10u;
constexpr std::size_t longest_way = PATH_MAX - 2 * NAME_MAX;  // of a folder that need not be opened

Error cannot(std::string_view doing, const std::string& path) {
  const auto problem = errno;
  return Error::failed("cannot {} {}: {}", doing, base::printable(path), std::strerror(problem));
}

// Write permissions, set-user-id bits and the umask's doings are the machine's; whether it can be run is the file's.
std::uint32_t file_mode(const struct stat& info) {
  return (info.st_mode & S_IXUSR) != 0 ? 0755 : 0644;
}

std::string capability_of(const std::string& path, const struct stat& info) {
  if (file_mode(info) != 0755) {
    return {};
  }
  std::string value(longest_capability, '\0');
  const auto size = ::lgetxattr(path.c_str(), "security.capability", value.data(), value.size());
  value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return value;
}

base::Result<LayerItem> read_symlink(const std::string& path, const struct stat& info) {
  std::string target(static_cast<std::size_t>(info.st_size) + 1, '\0');
  const auto size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) {
    return cannot("read the link", path);
  }
  target.resize(static_cast<std::size_t>(size));
  if (!base::is_utf8(target)) {
    return Error::refused("{}: the link's target is not UTF-8", base::printable(path));
  }
  return symlink_item(std::move(target));
}

std::string_view special_kind(mode_t mode) {
  return S_ISFIFO(mode) ? "a named pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

// In the order of their names. False with errno when the folder cannot be read. `buffer` is room to read into.
bool read_entries(const OpenPath& folder, std::string& buffer, ListedFolder& listed) {
  while (true) {
    const auto count = ::getdents64(folder.descriptor(), buffer.data(), buffer.size());
    if (count < 0) {
      return false;
    }
    if (count == 0) {
      break;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") {
        listed.names += name;
        listed.entries.push_back({.name = name, .is_surely_directory = entry->d_type == DT_DIR});
      }
    }
  }
  std::size_t begin = 0;
  for (auto& entry : listed.entries) {  // the buffer has been written over
    entry.name = std::string_view(listed.names).substr(begin, entry.name.size());
    begin += entry.name.size();
  }
  std::ranges::sort(listed.entries, {}, &ListedEntry::name);
  return true;
}

// What is known of the folders in it stays so.
void keep_known(const ListedFolder& before, ListedFolder& listed) {
  auto known = before.entries.begin();
  for (auto& entry : listed.entries) {
    known = std::find_if(known, before.entries.end(), [&](const auto& each) { return each.name >= entry.name; });
    if (known != before.entries.end() && known->name == entry.name) {
      entry.folder = known->folder;
    }
  }
}

// Whether the times of a folder show at once that something was done in it: not where a server says so now and then.
bool shows_changes(const OpenPath& folder) {
  constexpr std::array<std::uint64_t, 6> local = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,       BTRFS_SUPER_MAGIC,
                                                  F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC};
  struct statfs info {};
  return ::fstatfs(folder.descriptor(), &info) == 0 &&
         std::ranges::find(local, static_cast<std::uint64_t>(info.f_type)) != local.end();
}

std::string below(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  if (!directory.empty()) {
    path.append(directory).push_back('/');
  }
  return path.append(name);
}

// Entries of a folder, to be visited with all that is below them. Paths are relative to the folder of the walk.
struct Share {
  std::shared_ptr<const OpenPath> open;  // the nearest folder that is
  std::size_t open_size = 0;             // of its path with the '/' behind it; what follows in a path leads on
  std::string relative;                  // the folder of the entries
  std::size_t depth = 0;
  std::span<ListedEntry> entries;
};

// What the threads of a walk give each other. They are started as there is something for them.
class Shares {
 public:
  using Work = std::function<void(Share)>;

  Shares(std::size_t threads, Work work) : most_(threads), work_(std::move(work)) {}

  // Until everything that is given has been done.
  void run(Share all) {
    serve(std::move(all));
    threads_.clear();
  }
  // There is enough to do for more than one.
  void begin() {
    const std::scoped_lock lock(mutex_);
    have_begun_ = true;
    look_whether_wanted();
  }
  // Whether there is a thread with nothing to do.
  [[nodiscard]] bool are_wanted() const { return are_wanted_.load(std::memory_order_relaxed); }
  void give(Share share) {
    const std::scoped_lock lock(mutex_);
    given_.push_back(std::move(share));
    if (idle_ < given_.size() && running_ < most_) {
      ++running_;
      threads_.emplace_back([this] { serve(std::nullopt); });
    } else {
      changed_.notify_one();
    }
    look_whether_wanted();
  }

 private:
  void serve(std::optional<Share> share) {
    for (share = share ? std::move(share) : next(); share; share = next()) {
      work_(std::move(*share));
    }
  }
  // Nothing when all threads wait for one: then there is nothing left.
  std::optional<Share> next() {
    std::unique_lock lock(mutex_);
    ++idle_;
    look_whether_wanted();
    if (given_.empty() && idle_ == running_) {
      changed_.notify_all();
    }
    changed_.wait(lock, [this] { return !given_.empty() || idle_ == running_; });
    if (given_.empty()) {
      return std::nullopt;
    }
    --idle_;
    auto share = std::move(given_.front());
    given_.pop_front();
    look_whether_wanted();
    return share;
  }
  void look_whether_wanted() { are_wanted_ = have_begun_ && given_.size() < idle_ + most_ - running_; }

  const std::size_t most_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Share> given_;
  std::size_t running_ = 1;  // threads, the caller's among them
  std::size_t idle_ = 0;     // of these
  bool have_begun_ = false;
  std::atomic<bool> are_wanted_ = false;
  std::vector<std::jthread> threads_;
};

struct Finding {
  LayerTree::Items items;
  bool has_gaps = false;
  std::string error_at;  // relative to the folder of the walk
  std::optional<Error> error;
};

// What all threads of a walk know.
struct Walk {
  std::string_view path;
  const std::string& source;
  const ChooseEntry& choose;
  FolderMemory& memory;
  std::optional<dev_t> trusted = {};  // the file system whose folders may be remembered
};

// Makes `entry` lead to what the folder holds now. False with errno when it cannot be read.
bool list_folder(const Walk& walk, const OpenPath& folder, ListedEntry& entry, std::string& buffer) {
  const auto info = folder.info();
  if (!info) {
    return false;
  }
  const auto stamp = stamp_of(*info);
  if (entry.folder != nullptr && entry.folder->stamp == stamp) {
    return true;
  }
  auto& listed = walk.memory.add();
  if (!read_entries(folder, buffer, listed)) {
    return false;
  }
  if (entry.folder != nullptr) {
    keep_known(*entry.folder, listed);
  }
  if (walk.trusted == info->st_dev) {
    walk.memory.trust(listed, stamp);
  }
  entry.folder = &listed;
  return true;
}

// One thread's way through a share.
class Walker {
 public:
  Walker(const Walk& walk, Shares& shares) : walk_(walk), shares_(shares) {}

  Finding walk(Share share) {
    visit_entries(share);
    return std::move(finding_);
  }

 private:
  void visit_entries(Share& share) {
    for (std::size_t at = 0; at < share.entries.size(); ++at) {
      if (++visited_ == worth_a_thread) {
        shares_.begin();
      }
      if (share.entries.size() - at >= least_to_share && shares_.are_wanted()) {
        give_half(share, at);
      }
      visit(share, share.entries[at]);
    }
  }

  void give_half(Share& share, std::size_t at) {
    const auto half = (at + share.entries.size()) / 2;
    auto given = share;
    given.entries = share.entries.subspan(half);
    share.entries = share.entries.first(half);
    shares_.give(std::move(given));
  }

  void visit(const Share& share, ListedEntry& entry) {
    auto relative = below(share.relative, entry.name);
    struct stat info {};
    info.st_mode = S_IFDIR;
    if (!entry.is_surely_directory && !look_at(share, relative, info)) {
      return note(relative, cannot("look at", on_disk(relative)));
    }
    const bool is_directory = S_ISDIR(info.st_mode);
    const auto choice = walk_.choose ? walk_.choose(relative, is_directory) : Choice::take;
    if (choice == Choice::take) {
      if (const auto taken = take(relative, entry.name, info); !taken) {
        return note(relative, taken.error());
      }
    }
    if (is_directory && choice != Choice::skip_all) {
      finding_.has_gaps = finding_.has_gaps || choice == Choice::skip;
      visit_folder(share, entry, std::move(relative));
    }
  }

  static bool look_at(const Share& share, const std::string& relative, struct stat& info) {
    return ::fstatat(share.open->descriptor(), relative.c_str() + share.open_size, &info, AT_SYMLINK_NOFOLLOW) == 0;
  }

  void visit_folder(const Share& share, ListedEntry& entry, std::string relative) {
    const auto depth = share.depth + 1;
    if (depth > deepest_folder) {
      return note(relative, Error::refused("{} is more than {} folders deep", base::printable(on_disk(relative)),
                                           deepest_folder));
    }
    Share inner{.open = share.open,
                .open_size = share.open_size,
                .relative = std::move(relative),
                .depth = depth,
                .entries = {}};
    if (!is_as_known(share, entry, inner.relative) && !list(share, entry, inner)) {
      return note(inner.relative, cannot("read the folder", on_disk(inner.relative)));
    }
    inner.entries = entry.folder->entries;
    visit_entries(inner);
  }

  static bool is_as_known(const Share& share, const ListedEntry& entry, const std::string& relative) {
    struct stat info {};
    return entry.folder != nullptr && relative.size() - share.open_size < longest_way &&
           look_at(share, relative, info) && stamp_of(info) == entry.folder->stamp;
  }

  // Opens the folder that `inner` stands for. False with errno when it cannot be read.
  bool list(const Share& share, ListedEntry& entry, Share& inner) {
    inner.open = std::make_shared<OpenPath>(share.open->descriptor(), inner.relative.c_str() + share.open_size,
                                            O_DIRECTORY | O_NOFOLLOW);
    inner.open_size = inner.relative.size() + 1;
    return list_folder(walk_, *inner.open, entry, buffer_);
  }

  Status take(const std::string& relative, std::string_view name, const struct stat& info) {
    if (!base::is_utf8(name)) {
      return Error::refused("{}: the name is not UTF-8", base::printable(on_disk(relative)))
          .with_hint("rename it, or leave it out with .dockerignore");
    }
    if (name.starts_with(whiteout_prefix)) {
      return Error::refused("{}: a name that starts with '.wh.' means a deletion in an image layer",
                            base::printable(on_disk(relative)))
          .with_hint("rename it, or leave it out with .dockerignore");
    }
    auto item = item_of(relative, info);
    if (!item) {
      return item.error();
    }
    auto& items = finding_.items;
    items.try_emplace(items.end(), below(walk_.path, relative), std::move(*item));
    return {};
  }

  [[nodiscard]] base::Result<LayerItem> item_of(const std::string& relative, const struct stat& info) const {
    if (S_ISDIR(info.st_mode)) {
      return directory_item(0755, 0);
    }
    if (S_ISREG(info.st_mode)) {
      return file_item(on_disk(relative), info);
    }
    if (S_ISLNK(info.st_mode)) {
      return read_symlink(on_disk(relative), info);
    }
    return Error::refused("{} is {}, which an image layer cannot hold", base::printable(on_disk(relative)),
                          special_kind(info.st_mode))
        .with_hint("leave it out with .dockerignore");
  }

  [[nodiscard]] std::string on_disk(const std::string& relative) const { return below(walk_.source, relative); }

  void note(const std::string& relative, Error error) {
    if (!finding_.error || relative < finding_.error_at) {
      finding_.error_at = relative;
      finding_.error = std::move(error);
    }
  }

  const Walk& walk_;
  Shares& shares_;
  std::string buffer_ = std::string(listing_bytes, '\0');
  std::size_t visited_ = 0;
  Finding finding_;
};

// Those of the threads in one.
base::Result<FoundItems> together(std::vector<Finding> findings) {
  const Finding* first = nullptr;
  FoundItems all;
  for (auto& finding : findings) {
    all.has_gaps = all.has_gaps || finding.has_gaps;
    all.parts.push_back(std::move(finding.items));
    if (finding.error && (first == nullptr || finding.error_at < first->error_at)) {
      first = &finding;
    }
  }
  return first == nullptr ? base::Result<FoundItems>(std::move(all)) : *first->error;
}

}  // namespace

LayerItem file_item(std::string path, const struct stat& info) {
  auto capability = capability_of(path, info);
  return {.kind = LayerItem::Kind::file,
          .mode = file_mode(info),
          .source = std::move(path),
          .stamp = stamp_of(info),
          .content = {},
          .capability = std::move(capability)};
}

LayerItem directory_item(std::uint32_t mode, std::uint32_t owner) {
  return {.kind = LayerItem::Kind::directory,
          .mode = mode,
          .owner = owner,
          .source = {},
          .stamp = {},
          .content = {},
          .capability = {}};
}

LayerItem symlink_item(std::string target) {
  return {.kind = LayerItem::Kind::symlink,
          .mode = 0777,
          .source = {},
          .stamp = {},
          .content = std::move(target),
          .capability = {}};
}

base::Result<FoundItems> walk_folder(std::string_view path, const std::string& source, const ChooseEntry& choose,
                                     FolderMemory& memory) {
  Walk walk{.path = path, .source = source, .choose = choose, .memory = memory};
  const auto top = std::make_shared<OpenPath>(source, O_DIRECTORY);
  if (!top->is_open()) {
    return cannot("read the folder", source);
  }
  if (const auto info = top->info(); info && shows_changes(*top)) {
    walk.trusted = info->st_dev;
  }
  std::string buffer(listing_bytes, '\0');
  auto& root = memory.root();
  if (!list_folder(walk, *top, root, buffer)) {
    return cannot("read the folder", source);
  }
  std::mutex mutex;
  std::vector<Finding> findings;
  Shares shares(std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_threads), [&](Share share) {
    auto finding = Walker(walk, shares).walk(std::move(share));
    const std::scoped_lock lock(mutex);
    findings.push_back(std::move(finding));
  });
  shares.run({.open = top, .relative = {}, .entries = root.folder->entries});
  return together(std::move(findings));
}

}  // namespace deployctl::oci
