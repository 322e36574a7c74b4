// Platforms as text, and which image of an index is for one: "linux/amd64", "linux/arm/v7".
#pragma once

#include "core/base/result.hpp"
#include "core/oci/descriptor.hpp"

#include <string>
#include <string_view>

namespace deployctl::oci {

// "os/architecture" or "os/architecture/variant"; usage, saying so, for anything else.
base::Result<Platform> parse_platform(std::string_view text);
std::string to_string(const Platform& platform);

// Whether what is made for `has` is what `wanted` asks for. No wanted variant takes any; arm64 is arm64/v8.
bool is_for(const Platform& wanted, const Platform& has);

// Where the program runs: linux and this machine's architecture.
Platform host_platform();

}  // namespace deployctl::oci
