// The functions come from libcrypto's shared library, not from the archive that SHA-256 is taken of: keys need most of
// the library, and no other run should pay for that (docs/decisions/0001-libraries-on-first-use.md).
#include "core/oci/public_key.hpp"

#include "core/base/shared_library.hpp"

#include <climits>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

struct CryptoLibrary {
  decltype(&BIO_new_mem_buf) new_buffer = nullptr;
  decltype(&BIO_free) free_buffer = nullptr;
  decltype(&PEM_read_bio_PUBKEY) read_public_key = nullptr;
  decltype(&EVP_PKEY_free) free_key = nullptr;
  decltype(&EVP_PKEY_get_base_id) kind_of_key = nullptr;
  decltype(&EVP_MD_CTX_new) new_context = nullptr;
  decltype(&EVP_MD_CTX_free) free_context = nullptr;
  decltype(&EVP_sha256) sha256 = nullptr;
  decltype(&EVP_DigestVerifyInit) begin_verifying = nullptr;
  decltype(&EVP_DigestVerify) verify = nullptr;
};

Result<CryptoLibrary> load() {
  const auto library = base::SharedLibrary::open({"libcrypto.so.3"}, "libssl3");
  if (!library) {
    return library.error();
  }
  CryptoLibrary crypto;
  for (const auto& bound :
       {library->bind(crypto.new_buffer, "BIO_new_mem_buf"), library->bind(crypto.free_buffer, "BIO_free"),
        library->bind(crypto.read_public_key, "PEM_read_bio_PUBKEY"), library->bind(crypto.free_key, "EVP_PKEY_free"),
        library->bind(crypto.kind_of_key, "EVP_PKEY_get_base_id"), library->bind(crypto.new_context, "EVP_MD_CTX_new"),
        library->bind(crypto.free_context, "EVP_MD_CTX_free"), library->bind(crypto.sha256, "EVP_sha256"),
        library->bind(crypto.begin_verifying, "EVP_DigestVerifyInit"),
        library->bind(crypto.verify, "EVP_DigestVerify")}) {
    if (!bound) {
      return bound.error();
    }
  }
  return crypto;
}

const Result<CryptoLibrary>& crypto_library() {
  static const auto library = load();
  return library;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

struct PublicKey::State {
  State(const CryptoLibrary& with, EVP_PKEY* owned) : crypto(with), key(owned) {}
  ~State() { crypto.free_key(key); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const CryptoLibrary& crypto;
  EVP_PKEY* key;
};

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  const auto& crypto = crypto_library();
  if (!crypto) {
    return crypto.error();
  }
  auto* buffer = pem.size() <= INT_MAX ? crypto->new_buffer(pem.data(), static_cast<int>(pem.size())) : nullptr;
  auto* key = buffer == nullptr ? nullptr : crypto->read_public_key(buffer, nullptr, nullptr, nullptr);
  crypto->free_buffer(buffer);
  if (key == nullptr) {
    return Error::invalid_input(
        "it is no public key: a PEM file that begins with -----BEGIN PUBLIC KEY----- is wanted");
  }
  return PublicKey(std::make_shared<const State>(*crypto, key));
}

bool PublicKey::verifies(std::string_view message, std::string_view signature) const {
  const auto& crypto = state_->crypto;
  auto* context = crypto.new_context();
  const auto* hash = crypto.kind_of_key(state_->key) == EVP_PKEY_ED25519 ? nullptr : crypto.sha256();
  const bool is_right =
      context != nullptr && crypto.begin_verifying(context, nullptr, hash, nullptr, state_->key) == 1 &&
      crypto.verify(context, bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
  crypto.free_context(context);
  return is_right;
}

}  // namespace deployctl::oci
