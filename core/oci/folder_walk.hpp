// Finds what a folder of this machine holds for a layer, with as many threads as help. It reads no file.
#pragma once

#include "core/oci/folder_memory.hpp"
#include "core/oci/layer_tree.hpp"

#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace deployctl::oci {

struct FoundItems {
  std::vector<LayerTree::Items> parts;  // none has a path of another
  bool has_gaps = false;                // something was taken, or may have been, whose folder was not
};

// Everything below the folder `source` that `choose` takes, under `path` in the image; LayerTree::add_folder says what
// is refused. `choose` is called by several threads at once. Of several errors it is the one whose path comes first.
// What `memory` knows of the folders saves listing them, and it learns what it did not know.
base::Result<FoundItems> walk_folder(std::string_view path, const std::string& source, const ChooseEntry& choose,
                                     FolderMemory& memory);

// The regular file at `path`.
LayerItem file_item(std::string path, const struct stat& info);
LayerItem directory_item(std::uint32_t mode, std::uint32_t owner);
LayerItem symlink_item(std::string target);

}  // namespace deployctl::oci
