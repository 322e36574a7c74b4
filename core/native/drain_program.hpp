// The program behind the preStop hook (docs/decisions/0004-drain-before-stop.md) for images made without a compiler:
// `drain-sleep 5` waits five seconds. A static ELF file of less than 300 bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace deployctl::native {

// Nothing for an architecture it has not been written for.
std::optional<std::string> drain_program(std::string_view architecture);

}  // namespace deployctl::native
