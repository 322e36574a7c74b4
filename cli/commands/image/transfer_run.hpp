// Copying, exporting and importing are one thing seen from three sides: an image goes from one place to another.
#pragma once

#include "core/images/transfer.hpp"

#include <string>
#include <string_view>

namespace deployctl::cli {

class Runtime;

// Runs it with its events and prints what the image is called at the target, pinned by digest. Returns the exit code.
int run_transfer(Runtime& runtime, std::string_view command, const images::Location& from, const images::Location& to,
                 const images::TransferOptions& options);

}  // namespace deployctl::cli
