// A system library that is loaded when it is first needed and stays until the process ends.
//
// Linking libcurl and its like costs every start of the program several milliseconds; most commands never need them.
#pragma once

#include "core/base/result.hpp"

#include <string>

namespace deployctl::base {

class SharedLibrary {
 public:
  // Tries the names in turn: "libcurl.so.4". failed, naming `package` as what to install, when none can be loaded.
  static Result<SharedLibrary> open(std::initializer_list<const char*> names, const char* package);

  // Sets `function` to the library's function of that name; failed when it has none.
  template <typename Function>
  Status bind(Function*& function, const char* name) const {
    auto address = find(name);
    if (!address) {
      return address.error();
    }
    function = reinterpret_cast<Function*>(*address);
    return {};
  }

 private:
  SharedLibrary(void* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  [[nodiscard]] Result<void*> find(const char* name) const;

  void* handle_;
  std::string name_;
};

}  // namespace deployctl::base
