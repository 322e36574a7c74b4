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

std::string_view special_kind(mode_t mode) {
  return S_ISFIFO(mode) ? "a named pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

base::Result<std::vector<std::string>> names_in(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) {
    return cannot("read the folder", path);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const auto* entry = ::readdir(directory.get())) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  if (errno != 0) {
    return cannot("read the folder", path);
  }
  std::ranges::sort(names);
  return names;
}

std::string below(std::string_view directory, std::string_view name) {
  return directory.empty() ? std::string(name) : fmt::format("{}/{}", directory, name);
}

// Walks a folder and adds what is chosen of it to the tree.
class FolderWalk {
 public:
  FolderWalk(LayerTree& tree, std::string_view path, const std::string& source, const ChooseEntry& choose)
      : tree_(tree), path_(path), source_(source), choose_(choose) {}

  Status run() { return visit_folder({}, 0); }

 private:
  Status visit_folder(const std::string& relative, std::size_t depth) {
    if (depth > deepest_folder) {
      return Error::refused("{} is more than {} folders deep", base::printable(source_ + "/" + relative),
                            deepest_folder);
    }
    const auto names = names_in(on_disk(relative));
    if (!names) {
      return names.error();
    }
    for (const auto& name : *names) {
      if (const auto visited = visit(below(relative, name), name, depth); !visited) {
        return visited;
      }
    }
    return {};
  }

  Status visit(const std::string& relative, const std::string& name, std::size_t depth) {
    const auto path = on_disk(relative);
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
      return cannot("look at", path);
    }
    const bool is_directory = S_ISDIR(info.st_mode);
    const auto choice = choose_ ? choose_(relative, is_directory) : Choice::take;
    if (choice == Choice::take) {
      if (const auto added = add(relative, name, path, info); !added) {
        return added;
      }
    }
    return is_directory && choice != Choice::skip_all ? visit_folder(relative, depth + 1) : Status();
  }

  Status add(const std::string& relative, const std::string& name, const std::string& path, const struct stat& info) {
    if (!base::is_utf8(name)) {
      return Error::refused("{}: the name is not UTF-8", base::printable(path))
          .with_hint("rename it, or leave it out with .dockerignore");
    }
    if (name.starts_with(whiteout_prefix)) {
      return Error::refused("{}: a name that starts with '.wh.' means a deletion in an image layer",
                            base::printable(path))
          .with_hint("rename it, or leave it out with .dockerignore");
    }
    const auto place = below(path_, relative);
    if (S_ISDIR(info.st_mode)) {
      return tree_.add_directory(place);
    }
    if (S_ISREG(info.st_mode)) {
      return tree_.add_item(place, file_item(path, info));
    }
    if (S_ISLNK(info.st_mode)) {
      auto link = symlink_item(path, info);
      return link ? tree_.add_item(place, std::move(*link)) : link.error();
    }
    return Error::refused("{} is {}, which an image layer cannot hold", base::printable(path),
                          special_kind(info.st_mode))
        .with_hint("leave it out with .dockerignore");
  }

  [[nodiscard]] std::string on_disk(const std::string& relative) const {
    return relative.empty() ? source_ : source_ + "/" + relative;
  }

  LayerTree& tree_;
  std::string_view path_;
  const std::string& source_;
  const ChooseEntry& choose_;
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

Status LayerTree::add_directory(std::string_view path, std::uint32_t mode, std::uint32_t owner) {
  return add_item(path, {.kind = LayerItem::Kind::directory,
                         .mode = mode,
                         .owner = owner,
                         .source = {},
                         .stamp = {},
                         .content = {},
                         .capability = {}});
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
  return FolderWalk(*this, path, source, choose).run();
}

}  // namespace deployctl::oci
