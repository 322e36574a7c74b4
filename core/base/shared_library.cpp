#include "core/base/shared_library.hpp"

#include <dlfcn.h>

namespace deployctl::base {

Result<SharedLibrary> SharedLibrary::open(std::initializer_list<const char*> names, const char* package) {
  for (const auto* name : names) {
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
      return SharedLibrary(handle, name);
    }
  }
  const char* reason = dlerror();
  return Error::failed("cannot load {}: {}", *names.begin(), reason ? reason : "unknown reason")
      .with_hint("install the package {}", package);
}

Result<void*> SharedLibrary::find(const char* name) const {
  if (void* address = dlsym(handle_, name)) {
    return address;
  }
  return Error::failed("{} has no function {}", name_, name);
}

}  // namespace deployctl::base
