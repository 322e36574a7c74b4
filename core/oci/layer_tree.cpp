#include "core/oci/layer_tree.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <sys/xattr.h>
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

LayerItem file_item(const std::string& path, const struct stat& info) {
  return {.kind = LayerItem::Kind::file,
          .mode = file_mode(info),
          .source = path,
          .stamp = stamp_of(info),
          .content = {},
          .capability = capability_of(path, info)};
}

base::Result<LayerItem> symlink_item(const std::string& path, const struct stat& info) {
  std::string target(static_cast<std::size_t>(info.st_size) + 1, '\0');
  const auto size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) {
    return cannot("read the link", path);
  }
  target.resize(static_cast<std::size_t>(size));
  if (!base::is_utf8(target)) {
    return Error::refused("{}: the link's target is not UTF-8", base::printable(path));
  }
  return LayerItem{.kind = LayerItem::Kind::symlink,
                   .mode = 0777,
                   .source = {},
                   .stamp = {},
                   .content = std::move(target),
                   .capability = {}};
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
  return directory.empty() ? std::string(name) : fmt::format("{}/{}", directory, name);
}

struct Found {
  std::vector<std::pair<std::string, LayerItem>> items;
  bool has_gaps = false;  // something was taken, or may have been, whose folder was not
};

// Walks a folder and takes what is chosen of it: paths in the image with what stands there, parents first.
class FolderWalk {
 public:
  FolderWalk(std::string_view path, const std::string& source, const ChooseEntry& choose)
      : path_(path), source_(source), choose_(choose) {}

  base::Result<Found> run() {
    const OpenFolder folder(AT_FDCWD, source_.c_str(), 0);
    const auto visited = visit_folder(folder, {}, 0);
    return visited ? base::Result<Found>(std::move(found_)) : visited.error();
  }

 private:
  Status visit_folder(const OpenFolder& folder, const std::string& relative, std::size_t depth) {
    if (depth > deepest_folder) {
      return Error::refused("{} is more than {} folders deep", base::printable(on_disk(relative)), deepest_folder);
    }
    std::vector<FolderEntry> entries;
    if (!folder.is_open() || !read_entries(folder, buffer_, entries)) {
      return cannot("read the folder", on_disk(relative));
    }
    for (const auto& entry : entries) {
      if (const auto visited = visit(folder, entry, below(relative, entry.name), depth); !visited) {
        return visited;
      }
    }
    return {};
  }

  Status visit(const OpenFolder& folder, const FolderEntry& entry, const std::string& relative, std::size_t depth) {
    struct stat info {};
    info.st_mode = S_IFDIR;
    if (!entry.is_surely_directory &&
        ::fstatat(folder.descriptor(), entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return cannot("look at", on_disk(relative));
    }
    const bool is_directory = S_ISDIR(info.st_mode);
    const auto choice = choose_ ? choose_(relative, is_directory) : Choice::take;
    if (choice == Choice::take) {
      if (const auto taken = take(relative, entry.name, info); !taken) {
        return taken;
      }
    }
    if (!is_directory || choice == Choice::skip_all) {
      return {};
    }
    found_.has_gaps = found_.has_gaps || choice == Choice::skip;
    const OpenFolder inner(folder.descriptor(), entry.name.c_str(), O_NOFOLLOW);
    return visit_folder(inner, relative, depth + 1);
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
    auto item = item_of(on_disk(relative), info);
    if (!item) {
      return item.error();
    }
    found_.items.emplace_back(below(path_, relative), std::move(*item));
    return {};
  }

  static base::Result<LayerItem> item_of(const std::string& path, const struct stat& info) {
    if (S_ISDIR(info.st_mode)) {
      return directory_item(0755, 0);
    }
    if (S_ISREG(info.st_mode)) {
      return file_item(path, info);
    }
    if (S_ISLNK(info.st_mode)) {
      return symlink_item(path, info);
    }
    return Error::refused("{} is {}, which an image layer cannot hold", base::printable(path),
                          special_kind(info.st_mode))
        .with_hint("leave it out with .dockerignore");
  }

  [[nodiscard]] std::string on_disk(const std::string& relative) const {
    return relative.empty() ? source_ : source_ + "/" + relative;
  }

  std::string_view path_;
  const std::string& source_;
  const ChooseEntry& choose_;
  std::string buffer_ = std::string(64u << 10u, '\0');
  Found found_;
};

}  // namespace

std::string why_not_layer_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.back() == '/') {
    return "it has to be relative and may not end in '/'";
  }
  if (path.find('\0') != std::string_view::npos || !base::is_utf8(path)) {
    return "it has to be UTF-8";
  }
  for (const auto part : base::split(path, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return "it may hold neither '.' nor '..' nor an empty part";
    }
    if (part.starts_with(whiteout_prefix)) {
      return "a part that starts with '.wh.' means a deletion";
    }
  }
  return {};
}

Status LayerTree::add_item(std::string_view path, LayerItem item) {
  if (const auto reason = why_not_layer_path(path); !reason.empty()) {
    return Error::refused("'{}' cannot stand in an image layer: {}", base::printable(path), reason);
  }
  if (const auto parent = path.rfind('/'); parent != std::string_view::npos) {
    const auto found = items_.find(path.substr(0, parent));
    if (found == items_.end()) {
      if (const auto added = add_directory(path.substr(0, parent)); !added) {
        return added;
      }
    } else if (found->second.kind != LayerItem::Kind::directory) {
      return Error::refused("'{}' would stand below a {} of the image", base::printable(path),
                            found->second.kind == LayerItem::Kind::symlink ? "symlink" : "file");
    }
  }
  const auto [place, is_new] = items_.try_emplace(std::string(path), item);
  if (is_new) {
    return {};
  }
  if (place->second.kind != LayerItem::Kind::directory || item.kind != LayerItem::Kind::directory) {
    return Error::refused("two things would stand at '{}' in the image", base::printable(path));
  }
  place->second.mode = item.mode;
  place->second.owner = item.owner;
  return {};
}

// A path that is known to be one and to have its parents here; it mostly comes last.
Status LayerTree::add_found(std::string path, LayerItem item) {
  const auto before = items_.size();
  items_.try_emplace(items_.end(), std::move(path), std::move(item));
  return items_.size() > before ? Status() : add_item(path, std::move(item));  // neither was moved from
}

Status LayerTree::add_directory(std::string_view path, std::uint32_t mode, std::uint32_t owner) {
  return add_item(path, directory_item(mode, owner));
}

Status LayerTree::add_file(std::string_view path, std::string content, std::uint32_t mode) {
  return add_item(path, {.kind = LayerItem::Kind::file,
                         .mode = mode,
                         .source = {},
                         .stamp = {},
                         .content = std::move(content),
                         .capability = {}});
}

Status LayerTree::add_symlink(std::string_view path, std::string target) {
  return add_item(path, {.kind = LayerItem::Kind::symlink,
                         .mode = 0777,
                         .source = {},
                         .stamp = {},
                         .content = std::move(target),
                         .capability = {}});
}

Status LayerTree::add_file_from(std::string_view path, const std::string& source) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(source.c_str(), nullptr), &std::free);
  struct stat info {};
  if (!real || ::stat(real.get(), &info) != 0) {
    return cannot("read", source);
  }
  if (!S_ISREG(info.st_mode)) {
    return Error::refused("{} is no regular file", base::printable(source));
  }
  return add_item(path, file_item(real.get(), info));
}

Status LayerTree::add_folder(std::string_view path, const std::string& source, const ChooseEntry& choose) {
  if (!path.empty()) {
    if (const auto added = add_directory(path); !added) {
      return added;
    }
  }
  auto found = FolderWalk(path, source, choose).run();
  if (!found) {
    return found.error();
  }
  for (auto& [place, item] : found->items) {
    const auto added =
        found->has_gaps ? add_item(place, std::move(item)) : add_found(std::move(place), std::move(item));
    if (!added) {
      return added;
    }
  }
  return {};
}

}  // namespace deployctl::oci
