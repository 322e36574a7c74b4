// Values made safe for the text format they enter. A value that the format cannot hold is an error, never bent.
#pragma once

#include "core/base/result.hpp"

#include <span>
#include <string>
#include <string_view>

namespace deployctl::templating {

// A word of a Dockerfile instruction whose words are expanded (ARG, ENV, LABEL): double-quoted, with `\`, `"` and `$`
// escaped. invalid_input for line breaks and NUL.
base::Result<std::string> dockerfile_word(std::string_view text);
// The exec form of CMD, ENTRYPOINT and RUN: a JSON array of strings on one line. invalid_input for NUL.
base::Result<std::string> dockerfile_exec(std::span<const std::string> arguments);
// A word of the shell in a Dockerfile's RUN, as shell_word gives it. invalid_input for line breaks and NUL.
base::Result<std::string> dockerfile_shell_word(std::string_view text);
// A word of a POSIX shell: as it is when nothing in it is special, else in single quotes. invalid_input for NUL.
base::Result<std::string> shell_word(std::string_view text);
// A scalar of YAML.
std::string yaml_scalar(std::string_view text);

}  // namespace deployctl::templating
