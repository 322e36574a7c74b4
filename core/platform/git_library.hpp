// libgit2, loaded when it is first needed: most commands never ask git anything, and linking the library would make
// each of them pay for it at start-up.
#pragma once

#include "core/base/result.hpp"

#include <git2.h>

namespace deployctl::platform {

// X(name) for every function of libgit2 the program calls.
#define DEPLOYCTL_GIT_FUNCTIONS(X)    \
  X(git_buf_dispose)                  \
  X(git_commit_author)                \
  X(git_commit_free)                  \
  X(git_commit_id)                    \
  X(git_commit_lookup)                \
  X(git_commit_parent_id)             \
  X(git_commit_parentcount)           \
  X(git_commit_summary)               \
  X(git_commit_time)                  \
  X(git_commit_tree)                  \
  X(git_describe_commit)              \
  X(git_describe_format)              \
  X(git_describe_format_options_init) \
  X(git_describe_options_init)        \
  X(git_describe_result_free)         \
  X(git_diff_free)                    \
  X(git_diff_index_to_workdir)        \
  X(git_diff_num_deltas)              \
  X(git_diff_options_init)            \
  X(git_diff_tree_to_index)           \
  X(git_error_last)                   \
  X(git_graph_descendant_of)          \
  X(git_libgit2_init)                 \
  X(git_object_free)                  \
  X(git_object_short_id)              \
  X(git_oid_fromstr)                  \
  X(git_oid_tostr)                    \
  X(git_reference_free)               \
  X(git_reference_is_branch)          \
  X(git_reference_peel)               \
  X(git_reference_shorthand)          \
  X(git_remote_free)                  \
  X(git_remote_lookup)                \
  X(git_remote_url)                   \
  X(git_repository_discover)          \
  X(git_repository_free)              \
  X(git_repository_head)              \
  X(git_repository_is_bare)           \
  X(git_repository_is_shallow)        \
  X(git_repository_open_ext)          \
  X(git_tree_free)

struct GitLibrary {
#define DEPLOYCTL_GIT_POINTER(name) decltype(&::name) name = nullptr;
  DEPLOYCTL_GIT_FUNCTIONS(DEPLOYCTL_GIT_POINTER)
#undef DEPLOYCTL_GIT_POINTER

  // The library, loaded and initialised by the first caller and kept until the process ends; failed, with a hint,
  // when the machine has none.
  static base::Result<const GitLibrary*> load();
};

}  // namespace deployctl::platform
