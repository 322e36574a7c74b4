// What the program asks of the git repository the project lies in.
#pragma once

#include "core/base/result.hpp"
#include "core/io/clock.hpp"

#include <optional>
#include <string>
#include <vector>

namespace deployctl::io {

struct Commit {
  std::string id;           // 40 hex digits
  std::string short_id;     // 7 or more
  std::string summary;      // first line of the message
  std::string author;       // name only
  WallTime time;            // committer time
  std::string branch;       // empty when HEAD is detached
  std::string nearest_tag;  // as `git describe --tags`, empty without tags
  std::string description;  // as `git describe --tags --always`
  std::string remote_url;   // origin's as "https://host/path", without credentials; empty when it is none or a path
  bool is_dirty = false;    // tracked files changed, or untracked ones that are not ignored
};

// How one commit stands to another. unknown when the repository does not hold enough history to tell: a shallow clone,
// or one that has never fetched the other commit.
enum class CommitRelation { same, descendant, ancestor, diverged, unknown };

struct CommitComparison {
  CommitRelation relation = CommitRelation::unknown;
  bool is_shallow = false;  // the repository
  bool is_known = false;    // it holds the other commit
};

class GitRepository {
 public:
  virtual ~GitRepository() = default;
  // The commit checked out in the repository that holds `directory`. not_found when it is in none, or has no commit.
  virtual base::Result<Commit> head(const std::string& directory) = 0;
  // What `commit` is to `other` (full ids): its descendant, its ancestor … Nothing is fetched.
  virtual base::Result<CommitComparison> compare(const std::string& directory, const std::string& commit,
                                                 const std::string& other) = 0;
};

}  // namespace deployctl::io
