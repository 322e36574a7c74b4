#include "core/platform/git_library.hpp"

#include "core/base/shared_library.hpp"

namespace deployctl::platform {
namespace {

using base::Error;
using base::Result;

// The version we were compiled with, then the others whose functions and structures are the same in what we use.
Result<base::SharedLibrary> open_library() {
  return base::SharedLibrary::open(
      {"libgit2.so." LIBGIT2_SOVERSION, "libgit2.so.1.9", "libgit2.so.1.8", "libgit2.so.1.7", "libgit2.so.1.6",
       "libgit2.so.1.5", "libgit2.so.1.4", "libgit2.so.1.3"},
      "libgit2-" LIBGIT2_SOVERSION);
}

Result<GitLibrary> load_functions() {
  const auto library = open_library();
  if (!library) {
    return library.error();
  }
  GitLibrary git;
#define DEPLOYCTL_GIT_BIND(name)                             \
  if (auto bound = library->bind(git.name, #name); !bound) { \
    return bound.error();                                    \
  }
  DEPLOYCTL_GIT_FUNCTIONS(DEPLOYCTL_GIT_BIND)
#undef DEPLOYCTL_GIT_BIND
  if (git.git_libgit2_init() < 0) {
    return Error::failed("libgit2 cannot be initialised");
  }
  return git;
}

}  // namespace

Result<const GitLibrary*> GitLibrary::load() {
  static const auto loaded = load_functions();
  if (!loaded) {
    return loaded.error();
  }
  return &*loaded;
}

}  // namespace deployctl::platform
