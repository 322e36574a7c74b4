// The two checksums SPDX wants of a file (clause 8.4): SHA-1, which it demands, and SHA-256, which can be relied on.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace deployctl::sbom {

// Lower-case hex.
struct Checksums {
  std::string sha1;
  std::string sha256;
  friend bool operator==(const Checksums&, const Checksums&) = default;
};

// Of bytes that come piece by piece.
class FileHasher {
 public:
  FileHasher();
  ~FileHasher();
  FileHasher(FileHasher&&) noexcept;
  FileHasher& operator=(FileHasher&&) noexcept;

  void add(std::string_view piece);
  // Of everything added; call it once.
  [[nodiscard]] Checksums checksums();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Checksums checksums_of(std::string_view bytes);

}  // namespace deployctl::sbom
