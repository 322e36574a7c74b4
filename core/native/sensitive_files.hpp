// Files that hold secrets more often than not, told by their names: what nobody wants in an image by accident.
#pragma once

#include <string>
#include <string_view>

namespace deployctl::native {

// What it is, in words ("a private SSH key"), by the path's parts; empty for anything else.
std::string_view sensitive_kind(std::string_view path);

// Whether a file begins as a private key does (PEM, OpenSSH, PuTTY).
bool looks_like_private_key(std::string_view first_bytes);

}  // namespace deployctl::native
