// The smallest ELF files that hold what the Go linker writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace deployctl::sbom {

inline std::string varint(std::size_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) {
    out += static_cast<char>((value & 0x7FU) | 0x80U);
  }
  return out + static_cast<char>(value);
}

// The record with its two strings inline; the module text framed as cmd/go frames it.
inline std::string go_record(std::string_view version, std::string_view modules) {
  const std::string frame(16, '\x30');
  const auto framed = modules.empty() ? std::string() : frame + std::string(modules) + frame;
  return "\xff Go buildinf:" + std::string("\x08\x02", 2) + std::string(16, '\0') + varint(version.size()) +
         std::string(version) + varint(framed.size()) + framed;
}

enum class Width { bits_64, bits_32 };

struct GoProgramOptions {
  Width width = Width::bits_64;
  std::size_t data_offset = 4096;
  std::uint32_t segment_flags = 6;  // readable and writable
};

inline void put(std::string& file, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    file[at + i] = static_cast<char>(value >> (8 * i));
  }
}

// A header, one loadable segment, and `data` in it.
inline std::string go_program(std::string_view data, const GoProgramOptions& options) {
  std::string file(options.data_offset, '\0');
  const bool is_wide = options.width == Width::bits_64;
  const std::size_t word = is_wide ? 8 : 4;
  const std::size_t headers = is_wide ? 64 : 52;
  file.replace(0, 7,
               std::string("\x7f"
                           "ELF") +
                   (is_wide ? '\2' : '\1') + "\1\1");
  put(file, is_wide ? 32 : 28, headers, word);
  put(file, is_wide ? 54 : 42, is_wide ? 56 : 32, 2);
  put(file, is_wide ? 56 : 44, 1, 2);
  put(file, headers, 1, 4);
  put(file, headers + (is_wide ? 4 : 24), options.segment_flags, 4);
  put(file, headers + (is_wide ? 8 : 4), options.data_offset, word);
  put(file, headers + (is_wide ? 16 : 8), 0x400000, word);
  put(file, headers + (is_wide ? 32 : 16), data.size() + 100, word);
  return file + std::string(data) + std::string(100, '\0');
}

}  // namespace deployctl::sbom
