// What goes into a layer: paths in the image with what stands there, before any of it is read.
//
// Paths are relative to the image's root ("etc/ssl/certs"), sorted by their bytes, each there once and after its
// parents. What a machine adds by chance (umask, owner, order of directories) is not in it.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/file_stamp.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace deployctl::oci {

struct LayerItem {
  enum class Kind { file, directory, symlink };
  Kind kind = Kind::file;
  std::uint32_t mode = 0644;
  std::uint32_t owner = 0;  // user and group
  std::string source;       // of a file on this machine: its path
  FileStamp stamp;          // and what it looked like
  std::string content;      // of a file that stands nowhere; a symlink's target
  std::string capability;   // security.capability as the file system gives it; mostly empty

  [[nodiscard]] std::uint64_t size() const {
    return kind == Kind::file && !source.empty() ? stamp.size : content.size();
  }
};

// What of a folder goes in. `skip` leaves out the entry itself, `skip_all` what is below it too without a look. Several
// threads ask at once.
enum class Choice { take, skip, skip_all };
using ChooseEntry = std::function<Choice(std::string_view path, bool is_directory)>;

class FolderMemory;

class LayerTree {
 public:
  using Items = std::map<std::string, LayerItem, std::less<>>;  // by path in the image

  // Missing parents are added as directories with 0755. failed when the path cannot stand in a layer, or when
  // something else stands there already (a directory may be named again: its mode and owner are set).
  base::Status add_directory(std::string_view path, std::uint32_t mode = 0755, std::uint32_t owner = 0);
  base::Status add_file(std::string_view path, std::string content, std::uint32_t mode = 0644);
  base::Status add_symlink(std::string_view path, std::string target);
  // One file of this machine; symlinks on the way to it are followed. 0755 when its owner may execute it, else 0644.
  base::Status add_file_from(std::string_view path, const std::string& source);
  // Everything below a folder of this machine. Symlinks stay what they are. refused, naming it, for what is no file,
  // directory or symlink, for a name that is not UTF-8, and for one that starts with ".wh." (a deletion to readers).
  // `memory` is what an earlier call for the same folder left; the result is the same without it.
  base::Status add_folder(std::string_view path, const std::string& source, const ChooseEntry& choose = {});
  base::Status add_folder(std::string_view path, const std::string& source, const ChooseEntry& choose,
                          FolderMemory& memory);

  // Anything of these, under the same rules.
  base::Status add_item(std::string_view path, LayerItem item);

  [[nodiscard]] const Items& items() const { return items_; }
  [[nodiscard]] bool empty() const { return items_.empty(); }

 private:
  base::Status add_all(Items items);
  base::Status add_found(Items found);

  Items items_;
};

// Why the text is no path that can stand in a layer; empty when it is one.
std::string why_not_layer_path(std::string_view path);

}  // namespace deployctl::oci
