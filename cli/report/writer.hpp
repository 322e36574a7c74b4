// Where reporters write: a function that takes whole pieces of text, so that tests can keep what a user would see.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace deployctl::cli::report {

using Writer = std::function<void(std::string_view)>;

// Writes to a file descriptor it does not own, each piece with as few write calls as the system allows. After the first
// error (the reader went away) it is silent: a broken pipe ends the output, not the run. Any thread may call it.
// `error` gets the errno of that first error.
Writer write_to_descriptor(int descriptor, std::shared_ptr<std::atomic<int>> error = {});

// Appends to a file, which is made when it is not there; silent after errors like the other.
Writer append_to_file(const std::string& path);

}  // namespace deployctl::cli::report
