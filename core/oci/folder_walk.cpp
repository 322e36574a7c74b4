// What it costs is the kernel's: opening, listing and closing each folder and looking at each file. Threads share that.
// One that walks gives half of what is left of its folder to one that has nothing to do; each lays what it finds into a
// map of its own, so that all end in the same order.
#include "core/oci/folder_walk.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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

Error cannot(std::string_view doing, const std::string& path) {
  const auto problem = errno;
  return Error::failed("cannot {} {}: {}", doing, base::printable(path), std::strerror(problem));
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

FileStamp stamp_of(const struct stat& info) {
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = static_cast<std::uint64_t>(info.st_size),
          .modified = nanoseconds(info.st_mtim),
          .changed = nanoseconds(info.st_ctim),
          .mode = info.st_mode};
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

// A folder that is open; names are looked up in it, which spares the kernel the way to it for each.
class OpenFolder {
 public:
  OpenFolder(int parent, const char* name, int flags)
      : descriptor_(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags)) {}
  ~OpenFolder() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  OpenFolder(const OpenFolder&) = delete;
  OpenFolder& operator=(const OpenFolder&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

struct FolderEntry {
  std::string name;
  bool is_surely_directory = false;  // as the file system says without a further look
};

// In the order of their names. False with errno when the folder cannot be read. `buffer` is room to read into.
bool read_entries(const OpenFolder& folder, std::string& buffer, std::vector<FolderEntry>& entries) {
  while (true) {
    const auto count = ::getdents64(folder.descriptor(), buffer.data(), buffer.size());
    if (count < 0) {
      return false;
    }
    if (count == 0) {
      std::ranges::sort(entries, {}, &FolderEntry::name);
      return true;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") {
        entries.push_back({.name = std::string(name), .is_surely_directory = entry->d_type == DT_DIR});
      }
    }
  }
}

std::string below(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  if (!directory.empty()) {
    path.append(directory).push_back('/');
  }
  return path.append(name);
}

// Entries of a folder, to be visited with all that is below them.
struct Share {
  std::shared_ptr<const OpenFolder> folder;
  std::string relative;  // to the folder of the walk
  std::size_t depth = 0;
  std::vector<FolderEntry> entries;
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

// One thread's way through a share.
class Walker {
 public:
  Walker(std::string_view path, const std::string& source, const ChooseEntry& choose, Shares& shares)
      : path_(path), source_(source), choose_(choose), shares_(shares) {}

  Finding walk(Share share) {
    visit_entries(share);
    return std::move(finding_);
  }

 private:
  void visit_entries(Share& share) {
    auto& entries = share.entries;
    for (std::size_t at = 0; at < entries.size(); ++at) {
      if (++visited_ == worth_a_thread) {
        shares_.begin();
      }
      if (entries.size() - at >= least_to_share && shares_.are_wanted()) {
        give_half(share, at);
      }
      visit(share, entries[at]);
    }
  }

  void give_half(Share& share, std::size_t at) {
    const auto half = share.entries.begin() + static_cast<std::ptrdiff_t>((at + share.entries.size()) / 2);
    shares_.give({.folder = share.folder,
                  .relative = share.relative,
                  .depth = share.depth,
                  .entries = {std::make_move_iterator(half), std::make_move_iterator(share.entries.end())}});
    share.entries.erase(half, share.entries.end());
  }

  void visit(const Share& share, const FolderEntry& entry) {
    auto relative = below(share.relative, entry.name);
    const auto parent = share.folder->descriptor();
    struct stat info {};
    info.st_mode = S_IFDIR;
    if (!entry.is_surely_directory && ::fstatat(parent, entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return note(relative, cannot("look at", on_disk(relative)));
    }
    const bool is_directory = S_ISDIR(info.st_mode);
    const auto choice = choose_ ? choose_(relative, is_directory) : Choice::take;
    if (choice == Choice::take) {
      if (const auto taken = take(relative, entry.name, info); !taken) {
        return note(relative, taken.error());
      }
    }
    if (is_directory && choice != Choice::skip_all) {
      finding_.has_gaps = finding_.has_gaps || choice == Choice::skip;
      visit_folder(parent, entry.name, std::move(relative), share.depth + 1);
    }
  }

  void visit_folder(int parent, const std::string& name, std::string relative, std::size_t depth) {
    if (depth > deepest_folder) {
      return note(relative, Error::refused("{} is more than {} folders deep", base::printable(on_disk(relative)),
                                           deepest_folder));
    }
    Share inner{.folder = std::make_shared<OpenFolder>(parent, name.c_str(), O_NOFOLLOW),
                .relative = std::move(relative),
                .depth = depth,
                .entries = {}};
    if (!inner.folder->is_open() || !read_entries(*inner.folder, buffer_, inner.entries)) {
      return note(inner.relative, cannot("read the folder", on_disk(inner.relative)));
    }
    visit_entries(inner);
  }

  Status take(const std::string& relative, const std::string& name, const struct stat& info) {
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
    items.try_emplace(items.end(), below(path_, relative), std::move(*item));
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

  [[nodiscard]] std::string on_disk(const std::string& relative) const { return below(source_, relative); }

  void note(const std::string& relative, Error error) {
    if (!finding_.error || relative < finding_.error_at) {
      finding_.error_at = relative;
      finding_.error = std::move(error);
    }
  }

  std::string_view path_;
  const std::string& source_;
  const ChooseEntry& choose_;
  Shares& shares_;
  std::string buffer_ = std::string(64u << 10u, '\0');
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

base::Result<FoundItems> walk_folder(std::string_view path, const std::string& source, const ChooseEntry& choose) {
  Share all{.folder = std::make_shared<OpenFolder>(AT_FDCWD, source.c_str(), 0), .relative = {}, .entries = {}};
  std::string buffer(64u << 10u, '\0');
  if (!all.folder->is_open() || !read_entries(*all.folder, buffer, all.entries)) {
    return cannot("read the folder", source);
  }
  std::mutex mutex;
  std::vector<Finding> findings;
  Shares shares(std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_threads), [&](Share share) {
    auto finding = Walker(path, source, choose, shares).walk(std::move(share));
    const std::scoped_lock lock(mutex);
    findings.push_back(std::move(finding));
  });
  shares.run(std::move(all));
  return together(std::move(findings));
}

}  // namespace deployctl::oci
