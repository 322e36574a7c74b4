// A folder that compilers work in belongs to one build at a time, whichever process it is: two that write a program of
// the same name would take each other's.
#pragma once

#include "core/base/result.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::native {

// Held until it is destroyed; the system takes it from a process that dies.
class FolderLock {
 public:
  // Makes the folder when there is none, and waits for whoever has it, saying so by `on_line` once; at most an hour.
  // Errors: interrupted, failed.
  static base::Result<FolderLock> take(const std::string& folder, const std::function<void(std::string_view)>& on_line,
                                       std::stop_token stop);

  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int file) : file_(file) {}

  int file_ = -1;
};

}  // namespace deployctl::native
