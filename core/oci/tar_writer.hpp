// Writes a tar archive as an image layer wants it (image-spec layer.md): the same entries give the same bytes.
//
// Headers are ustar; a PAX header stands before an entry only for what ustar cannot say. Owners are numbers without
// names, times whole seconds. What goes in and in which order is the caller's business (layer_tree.hpp).
#pragma once

#include "core/base/result.hpp"
#include "core/oci/gzip.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace deployctl::oci {

struct TarHeader {
  enum class Kind { file, directory, symlink, hard_link };
  Kind kind = Kind::file;
  std::string path;         // relative, without a '/' at either end
  std::string link_target;  // a symlink's text; for a hard link the path of the earlier entry
  std::uint64_t size = 0;   // of a file
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime = 0;                     // seconds since 1970
  std::map<std::string, std::string> xattrs;  // name and value: "security.capability"
};

class TarWriter {
 public:
  explicit TarWriter(PieceSink sink) : sink_(std::move(sink)) {}

  // Begins an entry; a file's content follows with write(). failed when the last file is not complete.
  base::Status begin(const TarHeader& header);
  // failed when it is more than the header said.
  base::Status write(std::string_view piece);
  // The end of the last file and of the archive.
  base::Status finish();

 private:
  base::Status end_entry();

  PieceSink sink_;
  std::uint64_t left_ = 0;     // of the file that is being written
  std::uint64_t padding_ = 0;  // after it, up to a whole block
};

}  // namespace deployctl::oci
