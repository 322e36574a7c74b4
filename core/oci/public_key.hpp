// A public key and what was signed with its private one. libcrypto's shared library is loaded for it when it is first
// used.
#pragma once

#include "core/base/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace deployctl::oci {

class PublicKey {
 public:
  // "-----BEGIN PUBLIC KEY-----": ECDSA, RSA or Ed25519. invalid_input when it is none, a private key among them.
  static base::Result<PublicKey> from_pem(std::string_view pem);

  // Whether `signature` was made over `message` with the private key: ECDSA (in DER) and RSA (PKCS #1 v1.5) over its
  // SHA-256, Ed25519 over itself.
  [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const;

 private:
  struct State;
  explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace deployctl::oci
