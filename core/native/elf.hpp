// What a program file says about the machine it runs on and what it needs to run: shared libraries (ELF, System V ABI),
// the interpreter of a script.
#pragma once

#include "core/base/result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace deployctl::native {

struct ElfFacts {
  std::string architecture;         // as image platforms name it: "amd64", "arm64"; "machine 62" for others
  std::string interpreter;          // "/lib64/ld-linux-x86-64.so.2"; empty for a static program
  std::vector<std::string> needed;  // "libc.so.6", in the file's order
};

// What a script names in its first line as what runs it: "/bin/sh"; empty for a file that is no script, or cannot be
// read.
std::string script_interpreter(const std::string& path);

// Nothing for a file that is no ELF program (a script, a text). failed when it cannot be read or is damaged.
base::Result<std::optional<ElfFacts>> read_elf(const std::string& path);

}  // namespace deployctl::native
