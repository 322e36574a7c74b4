// SHA-256 comes from libcrypto's plain functions, not from its EVP interface: they need no provider to be fetched, no
// configuration file to be read and next to nothing of the library, and use the same assembly.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/oci/digest.hpp"

#include "core/base/text.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace deployctl::oci {
namespace {

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char byte) { return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f'); });
}

bool is_lower_or_digit(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

// image-spec: components of lower-case letters and digits, joined by one of "+._-".
bool is_algorithm(std::string_view text) {
  bool after_joint = true;
  for (const char byte : text) {
    const bool is_joint = byte == '+' || byte == '.' || byte == '_' || byte == '-';
    if (is_joint ? after_joint : !is_lower_or_digit(byte)) {
      return false;
    }
    after_joint = is_joint;
  }
  return !text.empty() && !after_joint;
}

bool is_encoded(std::string_view algorithm, std::string_view text) {
  if (algorithm == "sha256") {
    return text.size() == 64 && is_lower_hex(text);
  }
  if (algorithm == "sha512") {
    return text.size() == 128 && is_lower_hex(text);
  }
  return !text.empty() && text.size() <= 512 && std::ranges::all_of(text, [](char byte) {
    return is_lower_or_digit(byte) || (byte >= 'A' && byte <= 'Z') || byte == '=' || byte == '_' || byte == '-';
  });
}

}  // namespace

base::Result<Digest> Digest::parse(std::string_view text) {
  const auto [algorithm, encoded] = base::split_once(text, ':');
  if (!is_algorithm(algorithm) || !is_encoded(algorithm, encoded)) {
    return base::Error::invalid_input("'{}' is not a digest such as sha256: and 64 hex digits",
                                      base::printable(text.substr(0, 200)));
  }
  return Digest(std::string(text));
}

Digest Digest::of(std::string_view bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hasher.digest();
}

std::string_view Digest::algorithm() const {
  return base::split_once(text_, ':').first;
}
std::string_view Digest::encoded() const {
  return base::split_once(text_, ':').second;
}

struct Hasher::State {
  SHA256_CTX context;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  SHA256_Init(&state_->context);
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::add(std::string_view piece) {
  SHA256_Update(&state_->context, piece.data(), piece.size());
}

Digest Hasher::digest() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256_Final(hash.data(), &state_->context);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "sha256:";
  for (const auto byte : hash) {
    text += digits[byte >> 4U];
    text += digits[byte & 0xFU];
  }
  return Digest(std::move(text));
}

}  // namespace deployctl::oci
