// What folders of this machine held when they were listed last, so that one that has not changed since is not opened
// and listed again. It tells names only: whoever walks a folder looks at each file as before.
//
// A folder is known by its device, inode and times. Adding, removing or replacing what it holds sets both of its times,
// and nobody can set the time of change back. A folder that was changed so shortly before it was listed that another
// change might leave its times as they are (git's "racy" entries) is not remembered.
#pragma once

#include "core/oci/file_stamp.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::oci {

struct ListedFolder;

struct ListedEntry {
  std::string_view name;
  bool is_surely_directory = false;  // as the file system says without a further look
  ListedFolder* folder = nullptr;    // what is known of it; owned by the memory
};

struct ListedFolder {
  FileStamp stamp;                   // when it was listed; of none that exists when the list is not to be trusted
  std::string names;                 // of the entries, when it was listed in this run
  std::vector<ListedEntry> entries;  // in the order of their names
};

class FolderMemory {
 public:
  // The longest record that is written or worth to be read, in bytes.
  static constexpr std::size_t longest_record = 64u << 20u;

  // Knows what an earlier one's record() says; nothing when that is damaged or from after `now` (nanoseconds since
  // 1970), as then the clock has been set back.
  explicit FolderMemory(std::string record = {}, std::int64_t now = wall_time());

  // The folder that was walked, without a name.
  [[nodiscard]] ListedEntry& root() { return root_; }
  // A folder to be listed. Any thread may call it.
  ListedFolder& add();
  // `folder` is listed completely, and looked like this before that was begun. Any thread may call it.
  void trust(ListedFolder& folder, const FileStamp& stamp);

  // Whether enough folders are known to be worth a record, and one of them since this run.
  [[nodiscard]] bool has_news() const;
  // Everything that is known, for this machine.
  [[nodiscard]] std::string record() const;

 private:
  const std::string before_;  // names are in it
  const std::int64_t now_;
  std::mutex mutex_;
  std::deque<ListedFolder> folders_;
  ListedEntry root_;
  bool has_learnt_ = false;
};

}  // namespace deployctl::oci
