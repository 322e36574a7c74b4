// Content digests: "sha256:" and 64 hex digits of the bytes' hash (image-spec descriptor.md, "Digests").
#pragma once

#include "core/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace deployctl::oci {

class Digest {
 public:
  // No digest at all; text() is empty.
  Digest() = default;

  // Any registered or well-formed algorithm is taken; sha256 and sha512 with exactly their number of hex digits.
  static base::Result<Digest> parse(std::string_view text);
  // The sha256 of the bytes.
  static Digest of(std::string_view bytes);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string_view algorithm() const;
  [[nodiscard]] std::string_view encoded() const;
  // The first 12 hex digits, for people.
  [[nodiscard]] std::string_view brief() const { return encoded().substr(0, 12); }
  [[nodiscard]] bool is_sha256() const { return text_.starts_with("sha256:"); }
  [[nodiscard]] bool empty() const { return text_.empty(); }

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  explicit Digest(std::string text) : text_(std::move(text)) {}
  friend class Hasher;

  std::string text_;
};

inline std::string to_string(const Digest& digest) {
  return digest.text();
}

// The sha256 of bytes that come piece by piece.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void add(std::string_view piece);
  // The digest of everything added; call it once.
  [[nodiscard]] Digest digest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace deployctl::oci
