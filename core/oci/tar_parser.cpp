// POSIX.1-2001 pax interchange format, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
#include "core/oci/tar_parser.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <optional>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t block_bytes = 512;
constexpr std::uint64_t longest_extension = 1u << 20u;
constexpr std::uint64_t largest_number = std::uint64_t{1} << 62u;

// A field of the header block: where it begins and how long it is.
struct Field {
  std::size_t at;
  std::size_t length;
};
constexpr Field name_field{0, 100};
constexpr Field mode_field{100, 8};
constexpr Field uid_field{108, 8};
constexpr Field gid_field{116, 8};
constexpr Field size_field{124, 12};
constexpr Field mtime_field{136, 12};
constexpr Field checksum_field{148, 8};
constexpr std::size_t type_at = 156;
constexpr Field link_field{157, 100};
constexpr Field magic_field{257, 8};
constexpr Field prefix_field{345, 155};

std::string_view bytes_of(std::string_view block, Field field) {
  return block.substr(field.at, field.length);
}

// Up to the first NUL.
std::string_view text_of(std::string_view block, Field field) {
  const auto bytes = bytes_of(block, field);
  return bytes.substr(0, bytes.find('\0'));
}

// GNU's form for what octal digits cannot hold: big-endian two's complement behind a set first bit.
std::optional<std::int64_t> base_256(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  const bool is_negative = (first & 0x40u) != 0;
  std::uint64_t value = is_negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const auto digit = i == 0 ? (is_negative ? byte | 0x80u : byte & 0x7fu) : byte;
    const auto lost = value >> 55u;
    if (lost != (is_negative ? 0x1ffu : 0u)) {
      return std::nullopt;
    }
    value = (value << 8u) | digit;
  }
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> octal(std::string_view bytes) {
  const auto from = bytes.find_first_not_of(std::string_view(" \0", 2));
  const auto to = bytes.find_last_not_of(std::string_view(" \0", 2));
  if (from == std::string_view::npos) {
    return 0;
  }
  std::int64_t value = 0;
  for (const char byte : bytes.substr(from, to - from + 1)) {
    if (byte < '0' || byte > '7') {
      return std::nullopt;
    }
    value = value * 8 + (byte - '0');  // twelve digits at most
  }
  return value;
}

std::optional<std::int64_t> number_of(std::string_view block, Field field) {
  const auto bytes = bytes_of(block, field);
  return (static_cast<unsigned char>(bytes.front()) & 0x80u) != 0 ? base_256(bytes) : octal(bytes);
}

// A PAX number; times have a fraction, which is cut off.
std::optional<std::int64_t> decimal(std::string_view text) {
  return base::parse_integer(text.substr(0, text.find('.')));
}

bool is_zero(std::string_view block) {
  return std::ranges::all_of(block, [](char byte) { return byte == '\0'; });
}

// Old writers added up signed bytes.
bool has_right_checksum(std::string_view block) {
  std::int64_t of_unsigned = 0;
  std::int64_t of_signed = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool is_checksum = i >= checksum_field.at && i < checksum_field.at + checksum_field.length;
    of_unsigned += is_checksum ? ' ' : static_cast<unsigned char>(block[i]);
    of_signed += is_checksum ? ' ' : static_cast<signed char>(block[i]);
  }
  const auto expected = octal(bytes_of(block, checksum_field));
  return expected && (*expected == of_unsigned || *expected == of_signed);
}

std::string path_of(std::string_view block) {
  const auto name = std::string(text_of(block, name_field));
  const bool is_posix = bytes_of(block, magic_field).starts_with(std::string_view("ustar\0", 6));
  const auto prefix = is_posix ? text_of(block, prefix_field) : std::string_view();
  return prefix.empty() ? name : std::string(prefix) + "/" + name;
}

std::optional<TarParser::Header::Kind> kind_of(char type) {
  switch (type) {
    case '\0':
    case '0':
    case '7':
      return TarParser::Header::Kind::file;
    case '1':
      return TarParser::Header::Kind::hard_link;
    case '2':
      return TarParser::Header::Kind::symlink;
    case '3':
      return TarParser::Header::Kind::character_device;
    case '4':
      return TarParser::Header::Kind::block_device;
    case '5':
      return TarParser::Header::Kind::directory;
    case '6':
      return TarParser::Header::Kind::fifo;
    default:
      return std::nullopt;
  }
}

bool is_extension(char type) {
  return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

std::uint64_t padding_after(std::uint64_t size) {
  return (block_bytes - size % block_bytes) % block_bytes;
}

Error damaged(std::string_view what) {
  return Error::failed("the archive is damaged: {}", what);
}

// The field's number, or what the PAX record says instead; failed when it is none or out of range.
Result<std::uint64_t> count_of(std::string_view block, Field field, const std::string& record, std::string_view what) {
  const auto value = record.empty() ? number_of(block, field) : decimal(record);
  if (!value || *value < 0 || static_cast<std::uint64_t>(*value) > largest_number) {
    return damaged(fmt::format("an entry's {} is no number", what));
  }
  return static_cast<std::uint64_t>(*value);
}

}  // namespace

Status TarParser::add(std::string_view piece) {
  while (!piece.empty() && expect_ != Expect::nothing) {
    if (expect_ == Expect::header) {
      const auto count = std::min(piece.size(), block_bytes - block_.size());
      block_.append(piece.substr(0, count));
      piece.remove_prefix(count);
      if (block_.size() == block_bytes) {
        const auto block = std::exchange(block_, {});
        if (const auto taken = take_header(block); !taken) {
          return taken;
        }
      }
      continue;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left_));
    const auto part = piece.substr(0, count);
    piece.remove_prefix(count);
    left_ -= count;
    if (expect_ == Expect::content) {
      if (const auto taken = sink_.on_content(part); !taken) {
        return taken;
      }
    } else if (expect_ == Expect::extension) {
      extension_text_ += part;
    }
    if (left_ == 0) {
      if (const auto ended = end_content(); !ended) {
        return ended;
      }
    }
  }
  return {};
}

Status TarParser::finish() {
  const bool is_between_entries = expect_ == Expect::nothing || (expect_ == Expect::header && block_.empty());
  // The last padding is missing from some archives.
  const bool is_complete = is_between_entries || expect_ == Expect::padding;
  return is_complete ? Status() : Status(Error::failed("the archive is cut short"));
}

Status TarParser::take_header(std::string_view block) {
  if (is_zero(block)) {
    expect_ = Expect::nothing;
    return {};
  }
  if (!has_right_checksum(block)) {
    return damaged("an entry's header has a wrong checksum, or this is no tar archive");
  }
  const char type = block[type_at];
  return is_extension(type) ? begin_extension(block, type) : begin_entry(block, type);
}

Status TarParser::begin_extension(std::string_view block, char type) {
  const auto size = count_of(block, size_field, {}, "size");
  if (!size) {
    return size.error();
  }
  if (*size > longest_extension) {
    return damaged(fmt::format("an extended header of {}", base::human_bytes(*size)));
  }
  extension_type_ = type;
  extension_text_.clear();
  padding_ = padding_after(*size);
  left_ = *size;
  expect_ = Expect::extension;
  return left_ == 0 ? end_content() : Status();
}

Status TarParser::begin_entry(std::string_view block, char type) {
  const auto extension = std::exchange(extension_, {});
  TarParser::Header header{
      .path = extension.path.empty() ? path_of(block) : extension.path,
      .link_target = extension.link_target.empty() ? std::string(text_of(block, link_field)) : extension.link_target};
  if (type == 'S') {
    return Error::failed("'{}' is a sparse file, which a layer must not hold", base::printable(header.path));
  }
  const auto kind = kind_of(type);
  if (!kind) {
    return Error::failed("'{}' is of a kind that is unknown ({})", base::printable(header.path),
                         base::printable(std::string_view(&type, 1)));
  }
  header.kind = *kind;
  // Archives older than ustar mark a directory by its name.
  if (header.kind == TarParser::Header::Kind::file && header.path.ends_with('/')) {
    header.kind = TarParser::Header::Kind::directory;
  }
  const auto size = count_of(block, size_field, extension.size, "size");
  const auto mode = count_of(block, mode_field, {}, "mode");
  const auto uid = count_of(block, uid_field, extension.uid, "owner");
  const auto gid = count_of(block, gid_field, extension.gid, "group");
  for (const auto* number : {&size, &mode, &uid, &gid}) {
    if (!*number) {
      return number->error().within("'{}'", base::printable(header.path));
    }
  }
  header.mode = static_cast<std::uint32_t>(*mode & 07777u);
  header.uid = *uid;
  header.gid = *gid;
  header.mtime = (extension.mtime.empty() ? number_of(block, mtime_field) : decimal(extension.mtime)).value_or(0);
  // What is no file has no content, whatever its header says.
  header.size = header.kind == TarParser::Header::Kind::file ? *size : 0;
  if (const auto taken = sink_.on_entry(header); !taken) {
    return taken;
  }
  padding_ = padding_after(header.size);
  left_ = header.size;
  expect_ = Expect::content;
  return left_ == 0 ? end_content() : Status();
}

// What was expected is complete: the content, an extension, or the padding behind either.
Status TarParser::end_content() {
  const auto ended = expect_;
  expect_ = ended != Expect::padding && padding_ > 0 ? Expect::padding : Expect::header;
  left_ = padding_;
  if (ended == Expect::extension) {
    return end_extension();
  }
  return ended == Expect::content ? sink_.on_end() : Status();
}

Status TarParser::end_extension() {
  const auto text = std::string_view(extension_text_).substr(0, extension_text_.find('\0'));
  switch (extension_type_) {
    case 'L':
      extension_.path = text;
      return {};
    case 'K':
      extension_.link_target = text;
      return {};
    case 'x':
      return take_records(extension_text_);
    default:
      return {};  // for all entries that follow: engines pass over it
  }
}

// "27 path=a/long/name…\n", the number counting the whole record.
Status TarParser::take_records(std::string_view text) {
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto length = base::parse_integer(text.substr(0, space));
    if (space == std::string_view::npos || !length || *length <= static_cast<long long>(space) + 1 ||
        static_cast<std::uint64_t>(*length) > text.size() || text[static_cast<std::size_t>(*length) - 1] != '\n') {
      return damaged("an extended header's record has a wrong length");
    }
    const auto record = text.substr(space + 1, static_cast<std::size_t>(*length) - space - 2);
    text.remove_prefix(static_cast<std::size_t>(*length));
    const auto [key, value] = base::split_once(record, '=');
    if (const auto taken = take_record(key, value); !taken) {
      return taken;
    }
  }
  return {};
}

Status TarParser::take_record(std::string_view key, std::string_view value) {
  if (key.starts_with("GNU.sparse.")) {
    return Error::failed("the archive holds a sparse file, which a layer must not");
  }
  if (value.find('\0') != std::string_view::npos && (key == "path" || key == "linkpath")) {
    return damaged("a name with a NUL in it");
  }
  struct Known {
    std::string_view key;
    std::string Extension::*member;
  };
  static constexpr Known known[] = {
      {"path", &Extension::path}, {"linkpath", &Extension::link_target},
      {"size", &Extension::size}, {"uid", &Extension::uid},
      {"gid", &Extension::gid},   {"mtime", &Extension::mtime},
  };
  for (const auto& [name, member] : known) {
    if (name == key) {
      extension_.*member = value;
    }
  }
  return {};
}

}  // namespace deployctl::oci
