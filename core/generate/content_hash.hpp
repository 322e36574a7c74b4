// Names that change with their content: "api-config-1a2b3c4d".
#pragma once

#include <string>
#include <string_view>

namespace deployctl::generate {

// The first eight hexadecimal digits of the text's SHA-256 (FIPS 180-4).
std::string content_hash(std::string_view text);

}  // namespace deployctl::generate
