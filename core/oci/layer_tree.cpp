#include "core/oci/layer_tree.hpp"

#include "core/base/text.hpp"
#include "core/oci/folder_walk.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sys/stat.h>
#include <utility>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Status;

constexpr std::string_view whiteout_prefix = ".wh.";

Error cannot(std::string_view doing, const std::string& path) {
  const auto problem = errno;
  return Error::failed("cannot {} {}: {}", doing, base::printable(path), std::strerror(problem));
}

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

Status LayerTree::add_all(Items items) {
  for (auto& [path, item] : items) {
    if (const auto added = add_item(path, std::move(item)); !added) {
      return added;
    }
  }
  return {};
}

// The parents are here or will be; it mostly comes after all that is here.
Status LayerTree::add_found(Items found) {
  auto place = items_.cend();
  while (!found.empty()) {
    auto node = found.extract(found.begin());
    place = std::next(items_.insert(place, std::move(node)));
    if (node) {  // something of that name is here
      if (const auto added = add_item(node.key(), std::move(node.mapped())); !added) {
        return added;
      }
    }
  }
  return {};
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
  return add_item(path, symlink_item(std::move(target)));
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
  FolderMemory memory;
  return add_folder(path, source, choose, memory);
}

Status LayerTree::add_folder(std::string_view path, const std::string& source, const ChooseEntry& choose,
                             FolderMemory& memory) {
  if (!path.empty()) {
    if (const auto added = add_directory(path); !added) {
      return added;
    }
  }
  auto found = walk_folder(path, source, choose, memory);
  if (!found) {
    return found.error();
  }
  for (auto& part : found->parts) {
    const auto added = found->has_gaps ? add_all(std::move(part)) : add_found(std::move(part));
    if (!added) {
      return added;
    }
  }
  return {};
}

}  // namespace deployctl::oci
