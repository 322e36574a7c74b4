// Files that hold secrets more often than not, told by their names and first bytes: what nobody wants in an image by
// accident.
#pragma once

#include <string>
#include <string_view>

namespace deployctl::native {

// What it is, in words ("a private SSH key"), by the path's parts; empty for anything else.
std::string_view sensitive_kind(std::string_view path);

// Whether a file is a private key (PEM, OpenSSH, PuTTY). Where its name says that it holds keys (.pem, .key …) one may
// stand behind other text, such as a certificate; elsewhere at the very beginning only, as programs and documents speak
// of keys, too.
bool is_private_key(std::string_view path, std::string_view first_bytes);

}  // namespace deployctl::native
