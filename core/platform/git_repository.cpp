// Git's safety rules stay on: libgit2 refuses a repository that belongs to somebody else (git's safe.directory),
// because its configuration could make us run their commands.
#include "core/platform/git_repository.hpp"

#include "core/base/text.hpp"
#include "core/base/url.hpp"
#include "core/platform/git_library.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace deployctl::platform {
namespace {

using base::Error;
using base::Result;

// An option structure of the library's. A newer library than the one we were compiled with may fill in, and read, more
// than we know of, so there is room behind it.
template <typename Options>
class OptionsWithRoom {
 public:
  Options* get() { return reinterpret_cast<Options*>(storage_.data()); }
  Options* operator->() { return get(); }

 private:
  alignas(Options) std::array<std::byte, sizeof(Options) + 256> storage_{};
};

template <typename Object>
using Owned = std::unique_ptr<Object, void (*)(Object*)>;

// Runs a function of the library that makes an object through its first argument; nothing when it fails.
template <typename Object, typename Make>
Owned<Object> make_owned(void (*release)(Object*), Make make) {
  Object* made = nullptr;
  return make(&made) == 0 ? Owned<Object>(made, release) : Owned<Object>(nullptr, release);
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

std::string take(const GitLibrary& git, git_buf& buffer) {
  std::string text(buffer.ptr, buffer.size);
  git.git_buf_dispose(&buffer);
  return text;
}

std::string last_message(const GitLibrary& git) {
  const auto* error = git.git_error_last();
  return error == nullptr ? "unknown reason" : error->message;
}

// The folder a user would name as a safe one: "/srv/api" for "/srv/api/.git/".
std::string repository_folder(std::string_view path) {
  for (const std::string_view suffix : {"/", "/.git"}) {
    if (path.ends_with(suffix)) {
      path.remove_suffix(suffix.size());
    }
  }
  return std::string(path);
}

// Where the repository of the directory is, without opening it; empty when there is none.
std::string discover(const GitLibrary& git, const std::string& directory) {
  git_buf buffer{};
  return git.git_repository_discover(&buffer, directory.c_str(), 0, nullptr) == 0 ? take(git, buffer) : std::string();
}

Error no_repository(const std::string& directory) {
  return Error::not_found("'{}' is not in a git repository", directory);
}

// Told without the library, which takes longer to load than most runs outside of git take altogether: neither a working
// tree nor a bare repository stands here or above.
bool may_be_in_repository(const std::string& directory) {
  std::error_code problem;
  for (auto folder = std::filesystem::absolute(directory, problem); !problem; folder = folder.parent_path()) {
    std::error_code unreadable;
    if (std::filesystem::exists(folder / ".git", unreadable) || std::filesystem::exists(folder / "HEAD", unreadable) ||
        unreadable) {
      return true;
    }
    if (folder == folder.parent_path()) {
      return false;
    }
  }
  return true;
}

Error opening_error(const GitLibrary& git, int code, const std::string& directory) {
  const auto message = last_message(git);
  if (code != GIT_ENOTFOUND && code != GIT_EOWNER) {
    return Error::failed("cannot open the git repository of '{}': {}", directory, message);
  }
  const auto found = repository_folder(discover(git, directory));
  if (found.empty()) {
    return no_repository(directory);
  }
  // libgit2 1.5 says "not found" here too, when no safe.directory is configured.
  return Error::refused("the git repository '{}' belongs to another user", found)
      .with_hint("if you trust it: git config --global --add safe.directory '{}'", found);
}

// ---- Whether there are changes ----------------------------------------------------------------------------------

// The first difference is enough: the comparison is broken off there. An untracked directory is told of before libgit2
// has looked whether everything in it is ignored, so it does not count yet.
int stop_at_first(const git_diff* /*diff*/, const git_diff_delta* delta, const char* /*pathspec*/, void* found) {
  if (std::string_view(delta->new_file.path).ends_with('/')) {
    return 0;
  }
  *static_cast<bool*>(found) = true;
  return GIT_EUSER;
}

template <typename Compare>
Result<bool> differs(const GitLibrary& git, Compare compare) {
  OptionsWithRoom<git_diff_options> options;
  git.git_diff_options_init(options.get(), GIT_DIFF_OPTIONS_VERSION);
  bool found = false;
  options->flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_IGNORE_SUBMODULES;
  options->notify_cb = stop_at_first;
  options->payload = &found;
  git_diff* diff = nullptr;
  const int code = compare(&diff, options.get());
  const Owned<git_diff> owned(diff, git.git_diff_free);
  if (code < 0 && !found) {
    return Error::failed("cannot compare the git repository's files: {}", last_message(git));
  }
  return found || (diff != nullptr && git.git_diff_num_deltas(diff) > 0);
}

Result<bool> is_dirty(const GitLibrary& git, git_repository* repository, const git_commit* commit) {
  if (git.git_repository_is_bare(repository) != 0) {
    return false;
  }
  const auto tree =
      make_owned<git_tree>(git.git_tree_free, [&](git_tree** made) { return git.git_commit_tree(made, commit); });
  auto staged = differs(git, [&](git_diff** diff, const git_diff_options* options) {
    return git.git_diff_tree_to_index(diff, repository, tree.get(), nullptr, options);
  });
  if (!staged || *staged) {
    return staged;
  }
  return differs(git, [&](git_diff** diff, const git_diff_options* options) {
    return git.git_diff_index_to_workdir(diff, repository, nullptr, options);
  });
}

// ---- What the commit is called ----------------------------------------------------------------------------------

std::string short_id(const GitLibrary& git, const git_commit* commit, const std::string& id) {
  git_buf buffer{};
  // A git_commit is a git_object: libgit2's own casts say the same.
  const int code = git.git_object_short_id(&buffer, reinterpret_cast<const git_object*>(commit));
  return code == 0 ? take(git, buffer) : id.substr(0, 7);
}

// "v1.2-3-g1a2b3c4", and with no abbreviation "v1.2" alone. Empty when no tag leads here, also when a shallow clone
// ends before one.
std::string describe(const GitLibrary& git, git_commit* commit, unsigned int abbreviation) {
  OptionsWithRoom<git_describe_options> options;
  git.git_describe_options_init(options.get(), GIT_DESCRIBE_OPTIONS_VERSION);
  options->describe_strategy = GIT_DESCRIBE_TAGS;
  const auto description = make_owned<git_describe_result>(git.git_describe_result_free, [&](auto** made) {
    return git.git_describe_commit(made, reinterpret_cast<git_object*>(commit), options.get());
  });
  if (!description) {
    return {};
  }
  OptionsWithRoom<git_describe_format_options> format;
  git.git_describe_format_options_init(format.get(), GIT_DESCRIBE_FORMAT_OPTIONS_VERSION);
  format->abbreviated_size = abbreviation;
  git_buf buffer{};
  return git.git_describe_format(&buffer, description.get(), format.get()) == 0 ? take(git, buffer) : std::string();
}

// git's short form of an ssh address, "git@host:path", as a URL; others as they are. What has a '/' before the first
// ':' is a path of this machine.
std::string as_url(std::string_view remote_url) {
  if (remote_url.find("://") != std::string_view::npos) {
    return std::string(remote_url);
  }
  const auto slash = remote_url.find('/');
  const auto at = remote_url.substr(0, slash).rfind('@');
  const auto [host, path] = base::split_once(remote_url.substr(at == std::string_view::npos ? 0 : at + 1), ':');
  const bool is_path = host.empty() || path.empty() || host.find('/') != std::string_view::npos;
  return is_path ? std::string() : fmt::format("ssh://{}/{}", host, path.substr(path.starts_with('/') ? 1 : 0));
}

std::string without_suffix(std::string_view text, std::string_view suffix) {
  while (text.ends_with(suffix)) {
    text.remove_suffix(suffix.size());
  }
  return std::string(text);
}

std::string remote_url(const GitLibrary& git, git_repository* repository) {
  const auto remote = make_owned<git_remote>(
      git.git_remote_free, [&](git_remote** made) { return git.git_remote_lookup(made, repository, "origin"); });
  return remote ? public_address(text_or_empty(git.git_remote_url(remote.get()))) : std::string();
}

std::string commit_id(const GitLibrary& git, const git_commit* commit) {
  std::array<char, GIT_OID_HEXSZ + 1> text{};
  git.git_oid_tostr(text.data(), text.size(), git.git_commit_id(commit));
  return text.data();
}

io::Commit commit_facts(const GitLibrary& git, git_commit* commit) {
  io::Commit facts;
  facts.id = commit_id(git, commit);
  facts.short_id = short_id(git, commit, facts.id);
  facts.summary = text_or_empty(git.git_commit_summary(commit));
  facts.author = text_or_empty(git.git_commit_author(commit)->name);
  facts.time = io::WallTime(std::chrono::seconds(git.git_commit_time(commit)));
  facts.nearest_tag = describe(git, commit, 0);
  facts.description = facts.nearest_tag.empty() ? facts.short_id : describe(git, commit, 7);
  return facts;
}

Result<io::Commit> read_head(const GitLibrary& git, git_repository* repository, const std::string& directory) {
  git_reference* reference = nullptr;
  const int code = git.git_repository_head(&reference, repository);
  const Owned<git_reference> head(reference, git.git_reference_free);
  if (code == GIT_EUNBORNBRANCH || code == GIT_ENOTFOUND) {
    return Error::not_found("the git repository of '{}' has no commit yet", directory);
  }
  if (code != 0) {
    return Error::failed("cannot read HEAD of the git repository of '{}': {}", directory, last_message(git));
  }
  const auto object = make_owned<git_object>(git.git_object_free, [&](git_object** made) {
    return git.git_reference_peel(made, head.get(), GIT_OBJECT_COMMIT);
  });
  if (!object) {
    return Error::failed("cannot read the commit of the git repository of '{}': {}", directory, last_message(git));
  }
  auto* commit = reinterpret_cast<git_commit*>(object.get());
  auto facts = commit_facts(git, commit);
  if (git.git_reference_is_branch(head.get()) == 1) {
    facts.branch = text_or_empty(git.git_reference_shorthand(head.get()));
  }
  facts.remote_url = remote_url(git, repository);
  const auto dirty = is_dirty(git, repository, commit);
  if (!dirty) {
    return dirty.error();
  }
  facts.is_dirty = *dirty;
  return facts;
}

// ---- How two commits stand to each other ------------------------------------------------------------------------

std::optional<git_oid> commit_in(const GitLibrary& git, git_repository* repository, const std::string& id) {
  git_oid oid{};
  if (id.size() != GIT_OID_HEXSZ || git.git_oid_fromstr(&oid, id.c_str()) != 0) {
    return std::nullopt;
  }
  const auto commit = make_owned<git_commit>(
      git.git_commit_free, [&](git_commit** made) { return git.git_commit_lookup(made, repository, &oid); });
  return commit ? std::optional(oid) : std::nullopt;
}

// The walk of our own goes on where a shallow history ends, as libgit2's does not: what it has found is true, and what
// it has not found is not known.
bool descends_in_shallow(const GitLibrary& git, git_repository* repository, const git_oid& commit,
                         const git_oid& other) {
  const auto is_less = [](const git_oid& left, const git_oid& right) {
    return std::memcmp(left.id, right.id, GIT_OID_RAWSZ) < 0;
  };
  std::set<git_oid, decltype(is_less)> seen({commit}, is_less);
  std::vector<git_oid> left{commit};
  while (!left.empty()) {
    const auto next = left.back();
    left.pop_back();
    const auto found = make_owned<git_commit>(
        git.git_commit_free, [&](git_commit** made) { return git.git_commit_lookup(made, repository, &next); });
    for (unsigned int i = 0; found && i < git.git_commit_parentcount(found.get()); ++i) {
      const auto& parent = *git.git_commit_parent_id(found.get(), i);
      if (std::memcmp(parent.id, other.id, GIT_OID_RAWSZ) == 0) {
        return true;
      }
      if (seen.insert(parent).second) {
        left.push_back(parent);
      }
    }
  }
  return false;
}

io::CommitRelation relation_of(const GitLibrary& git, git_repository* repository, const git_oid& commit,
                               const git_oid& other, bool is_shallow) {
  const auto descends = [&](const git_oid& from, const git_oid& to) {
    return is_shallow ? static_cast<int>(descends_in_shallow(git, repository, from, to))
                      : git.git_graph_descendant_of(repository, &from, &to);
  };
  const int is_descendant = descends(commit, other);
  const int is_ancestor = is_descendant == 1 ? 0 : descends(other, commit);
  if (is_descendant == 1 || is_ancestor == 1) {
    return is_descendant == 1 ? io::CommitRelation::descendant : io::CommitRelation::ancestor;
  }
  const bool is_sure = is_descendant == 0 && is_ancestor == 0 && !is_shallow;
  return is_sure ? io::CommitRelation::diverged : io::CommitRelation::unknown;
}

io::CommitComparison compare_commits(const GitLibrary& git, git_repository* repository, const std::string& commit,
                                     const std::string& other) {
  io::CommitComparison comparison{.is_shallow = git.git_repository_is_shallow(repository) == 1};
  const auto ours = commit_in(git, repository, commit);
  const auto theirs = commit_in(git, repository, other);
  comparison.is_known = theirs.has_value();
  if (commit == other) {
    comparison.relation = io::CommitRelation::same;
  } else if (ours && theirs) {
    comparison.relation = relation_of(git, repository, *ours, *theirs, comparison.is_shallow);
  }
  return comparison;
}

Result<Owned<git_repository>> open_repository(const GitLibrary& git, const std::string& directory) {
  git_repository* opened = nullptr;
  const int code = git.git_repository_open_ext(&opened, directory.c_str(), 0, nullptr);
  Owned<git_repository> repository(opened, git.git_repository_free);
  if (code != 0) {
    return opening_error(git, code, directory);
  }
  return repository;
}

}  // namespace

Result<io::Commit> Libgit2Repository::head(const std::string& directory) {
  if (!may_be_in_repository(directory)) {
    return no_repository(directory);
  }
  const auto library = GitLibrary::load();
  if (!library) {
    return library.error();
  }
  const auto repository = open_repository(**library, directory);
  if (!repository) {
    return repository.error();
  }
  return read_head(**library, repository->get(), directory);
}

Result<io::CommitComparison> Libgit2Repository::compare(const std::string& directory, const std::string& commit,
                                                        const std::string& other) {
  const auto library = GitLibrary::load();
  if (!library) {
    return library.error();
  }
  const auto repository = open_repository(**library, directory);
  if (!repository) {
    return repository.error();
  }
  return compare_commits(**library, repository->get(), commit, other);
}

std::string public_address(std::string_view remote_url) {
  const auto address = as_url(remote_url);
  auto url = base::Url::parse(address);
  if (!url || url->scheme == "file") {
    return {};
  }
  const bool is_web = url->scheme == "https" || (url->scheme == "http" && url->port != 0);
  url->scheme = is_web ? url->scheme : "https";
  url->port = is_web ? url->port : 0;  // another scheme's port says nothing of this one
  url->path = without_suffix(without_suffix(url->path, "/"), ".git");
  return fmt::format("{}://{}{}", url->scheme, url->authority(), without_suffix(url->path, "/"));
}

}  // namespace deployctl::platform
