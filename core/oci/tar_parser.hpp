// A tar archive that comes in pieces, taken apart as it comes: nothing is kept but one header, so the memory it takes
// does not depend on the archive.
//
// Ustar, PAX and GNU long names are read as Go's archive/tar reads them, which is what engines unpack layers with: two
// readers that see different files in one archive would be a way to hide something. Sparse files are refused.
#pragma once

#include "core/base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace deployctl::oci {

class TarParser {
 public:
  struct Header {
    enum class Kind { file, hard_link, symlink, character_device, block_device, directory, fifo };
    Kind kind = Kind::file;
    std::string path;         // as it stands in the archive
    std::string link_target;  // of a hard or symbolic link, as it stands there
    std::uint64_t size = 0;   // of the content that follows; only files have one
    std::uint32_t mode = 0;   // permission, set-id and sticky bits
    std::uint64_t uid = 0;
    std::uint64_t gid = 0;
    std::int64_t mtime = 0;  // seconds since 1970
  };

  // Called in the archive's order; an error ends the reading and is what add() returns.
  struct Sink {
    std::function<base::Status(const Header& header)> on_entry;
    std::function<base::Status(std::string_view piece)> on_content;  // of the last entry
    std::function<base::Status()> on_end;                            // of the last entry's content
  };

  explicit TarParser(Sink sink) : sink_(std::move(sink)) {}

  // failed when the bytes are no tar archive.
  base::Status add(std::string_view piece);
  // failed when the archive ends in the middle of an entry. That its end is not marked is no mistake.
  base::Status finish();

 private:
  // What the bytes that come are.
  enum class Expect { header, content, extension, padding, nothing };

  // What the headers before an entry say about it.
  struct Extension {
    std::string path;
    std::string link_target;
    std::string size;
    std::string uid;
    std::string gid;
    std::string mtime;
  };

  base::Status take_header(std::string_view block);
  base::Status begin_entry(std::string_view block, char type);
  base::Status begin_extension(std::string_view block, char type);
  base::Status end_content();
  base::Status end_extension();
  base::Status take_records(std::string_view text);
  base::Status take_record(std::string_view key, std::string_view value);

  Sink sink_;
  Expect expect_ = Expect::header;
  std::string block_;           // of a header, while it is incomplete
  std::uint64_t left_ = 0;      // of the content, the extension or the padding
  std::uint64_t padding_ = 0;   // that follows the content
  char extension_type_ = '\0';  // 'x', 'g', 'L' or 'K'
  std::string extension_text_;
  Extension extension_;
};

}  // namespace deployctl::oci
