// libcrypto's plain functions, for the reason given in oci/digest.cpp.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/sbom/checksums.hpp"

#include "core/oci/digest.hpp"

#include <openssl/sha.h>

#include <array>

namespace deployctl::sbom {

struct FileHasher::State {
  SHA_CTX sha1;
  oci::Hasher sha256;
};

FileHasher::FileHasher() : state_(std::make_unique<State>()) {
  SHA1_Init(&state_->sha1);
}
FileHasher::~FileHasher() = default;
FileHasher::FileHasher(FileHasher&&) noexcept = default;
FileHasher& FileHasher::operator=(FileHasher&&) noexcept = default;

void FileHasher::add(std::string_view piece) {
  SHA1_Update(&state_->sha1, piece.data(), piece.size());
  state_->sha256.add(piece);
}

Checksums FileHasher::checksums() {
  std::array<unsigned char, SHA_DIGEST_LENGTH> hash{};
  SHA1_Final(hash.data(), &state_->sha1);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string sha1;
  for (const auto byte : hash) {
    sha1 += digits[byte >> 4U];
    sha1 += digits[byte & 0xFU];
  }
  return {.sha1 = std::move(sha1), .sha256 = std::string(state_->sha256.digest().encoded())};
}

Checksums checksums_of(std::string_view bytes) {
  FileHasher hasher;
  hasher.add(bytes);
  return hasher.checksums();
}

}  // namespace deployctl::sbom
