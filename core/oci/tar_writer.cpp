// POSIX.1-2001 pax: "ustar Interchange Format" and "pax Extended Header". Records stand in the order of their keys, and
// the extended header has a fixed name, so that nothing but the entry itself decides the bytes.
#include "core/oci/tar_writer.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Status;

constexpr std::size_t block_bytes = 512;
constexpr std::uint64_t largest_ustar_size = 077777777777;  // 11 octal digits: 8 GiB - 1
constexpr std::uint32_t largest_ustar_id = 07777777;
constexpr std::string_view pax_name = "PaxHeaders/entry";

struct Ustar {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link_name[100];
  char magic[6];
  char version[2];
  char uname[32];
  char gname[32];
  char dev_major[8];
  char dev_minor[8];
  char prefix[155];
  char rest[12];
};
static_assert(sizeof(Ustar) == block_bytes);

using Records = std::map<std::string, std::string>;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

// Octal digits with leading zeros and a NUL at the end; what does not fit is 0, and a PAX record says it.
template <std::size_t size>
void put_number(char (&field)[size], std::uint64_t number) {
  constexpr auto digits = size - 1;
  if ((number >> (3 * digits)) != 0) {
    number = 0;
  }
  for (auto place = digits; place > 0; --place) {
    field[place - 1] = static_cast<char>('0' + (number & 7U));
    number >>= 3U;
  }
}

template <std::size_t size>
void put_text(char (&field)[size], std::string_view text) {
  std::memcpy(field, text.data(), std::min(size, text.size()));
}

// A path as name and prefix, cut at a '/'; no value when it does not fit.
bool split_path(std::string_view path, std::string_view& prefix, std::string_view& name) {
  if (path.size() <= sizeof(Ustar::name)) {
    prefix = {};
    name = path;
    return true;
  }
  const auto cut = path.find('/', path.size() - sizeof(Ustar::name) - 1);
  if (cut == std::string_view::npos || cut > sizeof(Ustar::prefix) || cut + 1 == path.size() || cut == 0) {
    return false;
  }
  prefix = path.substr(0, cut);
  name = path.substr(cut + 1);
  return true;
}

char type_of(TarHeader::Kind kind) {
  switch (kind) {
    case TarHeader::Kind::file:
      return '0';
    case TarHeader::Kind::hard_link:
      return '1';
    case TarHeader::Kind::symlink:
      return '2';
    case TarHeader::Kind::directory:
      return '5';
  }
  return '0';
}

void seal(Ustar& block) {
  std::memset(block.checksum, ' ', sizeof(block.checksum));
  std::array<unsigned char, block_bytes> bytes{};
  std::memcpy(bytes.data(), &block, block_bytes);
  std::uint64_t sum = 0;
  for (const auto byte : bytes) {
    sum += byte;
  }
  char digits[7]{};
  put_number(digits, sum);
  std::memcpy(block.checksum, digits, sizeof(digits));
  block.checksum[6] = '\0';
  block.checksum[7] = ' ';
}

std::string_view bytes_of(const Ustar& block) {
  return {reinterpret_cast<const char*>(&block), block_bytes};
}

// "<length> <key>=<value>\n", where the length counts itself.
std::string pax_record(const std::string& key, const std::string& value) {
  const auto rest = key.size() + value.size() + 3;
  auto length = rest + std::to_string(rest).size();
  if (rest + std::to_string(length).size() != length) {
    ++length;
  }
  return fmt::format("{} {}={}\n", length, key, value);
}

std::string entry_path(const TarHeader& header) {
  return header.kind == TarHeader::Kind::directory ? header.path + "/" : header.path;
}

Records records_of(const TarHeader& header, const std::string& path) {
  Records records;
  std::string_view prefix;
  std::string_view name;
  if (!is_ascii(path) || !split_path(path, prefix, name)) {
    records["path"] = path;
  }
  if (!is_ascii(header.link_target) || header.link_target.size() > sizeof(Ustar::link_name)) {
    records["linkpath"] = header.link_target;
  }
  if (header.size > largest_ustar_size) {
    records["size"] = std::to_string(header.size);
  }
  if (header.mtime < 0 || static_cast<std::uint64_t>(header.mtime) > largest_ustar_size) {
    records["mtime"] = std::to_string(header.mtime);
  }
  if (header.uid > largest_ustar_id) {
    records["uid"] = std::to_string(header.uid);
  }
  if (header.gid > largest_ustar_id) {
    records["gid"] = std::to_string(header.gid);
  }
  for (const auto& [attribute, value] : header.xattrs) {
    records["SCHILY.xattr." + attribute] = value;
  }
  return records;
}

Ustar ustar_block(const TarHeader& header, std::string_view path) {
  Ustar block{};
  std::string_view prefix;
  std::string_view name = path;
  if (!split_path(path, prefix, name)) {
    name = path;
  }
  put_text(block.name, name);
  put_text(block.prefix, prefix);
  put_number(block.mode, header.mode & 07777U);
  put_number(block.uid, header.uid);
  put_number(block.gid, header.gid);
  put_number(block.size, header.kind == TarHeader::Kind::file ? header.size : 0);
  put_number(block.mtime, static_cast<std::uint64_t>(std::max<std::int64_t>(header.mtime, 0)));
  block.type = type_of(header.kind);
  put_text(block.link_name, header.link_target);
  std::memcpy(block.magic, "ustar", 6);
  std::memcpy(block.version, "00", 2);
  put_number(block.dev_major, 0);
  put_number(block.dev_minor, 0);
  seal(block);
  return block;
}

std::uint64_t padding_after(std::uint64_t size) {
  return (block_bytes - size % block_bytes) % block_bytes;
}

constexpr std::array<char, 2 * block_bytes> zeros{};

// The PAX header with its records: an entry of type x that the next one is read with.
std::string pax_entry(const Records& records) {
  std::string body;
  for (const auto& [key, value] : records) {
    body += pax_record(key, value);
  }
  auto block = ustar_block({.path = std::string(pax_name), .size = body.size()}, pax_name);
  block.type = 'x';
  seal(block);
  std::string entry(bytes_of(block));
  entry += body;
  entry.append(padding_after(body.size()), '\0');
  return entry;
}

}  // namespace

Status TarWriter::begin(const TarHeader& header) {
  if (const auto ended = end_entry(); !ended) {
    return ended;
  }
  const auto path = entry_path(header);
  if (const auto records = records_of(header, path); !records.empty()) {
    if (const auto written = sink_(pax_entry(records)); !written) {
      return written;
    }
  }
  left_ = header.kind == TarHeader::Kind::file ? header.size : 0;
  padding_ = padding_after(left_);
  const auto block = ustar_block(header, path);
  return sink_(bytes_of(block));
}

Status TarWriter::write(std::string_view piece) {
  if (piece.size() > left_) {
    return Error::failed("a file of the archive is longer than its header says");
  }
  left_ -= piece.size();
  return sink_(piece);
}

Status TarWriter::end_entry() {
  if (left_ != 0) {
    return Error::failed("a file of the archive is {} bytes shorter than its header says", left_);
  }
  const auto padding = std::exchange(padding_, 0);
  return padding == 0 ? Status() : sink_({zeros.data(), padding});
}

Status TarWriter::finish() {
  const auto ended = end_entry();
  return ended ? sink_({zeros.data(), zeros.size()}) : ended;
}

}  // namespace deployctl::oci
