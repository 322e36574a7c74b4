// The record (Go's src/debug/buildinfo): 14 bytes of mark, the size of a pointer, flags; with flag 2, since Go 1.18,
// at offset 32 two strings, each after its length as a varint: the Go version and the module text. The linker puts it
// at the beginning of the first writable segment, aligned to 16, and programs linked by a C linker have it further on
// in there. So the program headers, which stand at the start of a file, tell which of the passing bytes to look at;
// the section headers would, too, but stand at its end.
#include "core/sbom/go_build_info.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::sbom {
namespace {

constexpr std::string_view record_mark = "\xff Go buildinf:";
constexpr std::size_t record_header = 32;
constexpr std::size_t record_alignment = 16;
constexpr std::size_t longest_record = 1u << 20u;
constexpr unsigned char strings_inline = 2;

constexpr std::size_t elf_ident = 16;
constexpr std::size_t longest_head = 64u << 10u;
constexpr std::uint32_t loadable = 1;
constexpr std::uint32_t executable = 1;
constexpr std::uint32_t writable = 2;

// The length-prefixed string at the start of `text`, which is moved behind it.
std::optional<std::string_view> take_string(std::string_view& text) {
  std::uint64_t length = 0;
  for (unsigned shift = 0; shift < 63 && !text.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    length |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) {
      if (length > text.size()) {
        return {};
      }
      const auto taken = text.substr(0, length);
      text.remove_prefix(length);
      return taken;
    }
  }
  return {};
}

// The text without the 16 bytes of framing before and after it; empty when it is not framed.
std::string_view unframed(std::string_view text) {
  constexpr std::size_t frame = 16;
  const bool is_framed = text.size() > 2 * frame && text[text.size() - frame - 1] == '\n';
  return is_framed ? text.substr(frame, text.size() - 2 * frame) : std::string_view();
}

// "path\tversion\tsum"; the sum may be missing.
GoModule read_module(std::string_view columns) {
  const auto [path, rest] = base::split_once(columns, '\t');
  const auto [version, sum] = base::split_once(rest, '\t');
  return {.path = std::string(path), .version = std::string(version), .sum = std::string(sum), .replaces = {}};
}

std::string unquoted(std::string_view text) {
  const bool is_quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '`') && text.back() == text.front();
  return std::string(is_quoted ? text.substr(1, text.size() - 2) : text);
}

// Reads the module text line by line; a "=>" line replaces the module of the line before.
class ModuleText {
 public:
  explicit ModuleText(GoBuildInfo& info) : info_(info) {}

  void add(std::string_view line) {
    const auto [kind, value] = base::split_once(line, '\t');
    if (kind == "path") {
      info_.package = value;
    } else if (kind == "mod") {
      info_.main = read_module(value);
      last_ = &info_.main;
    } else if (kind == "dep") {
      last_ = &info_.dependencies.emplace_back(read_module(value));
    } else if (kind == "=>" && last_ != nullptr) {
      replace(read_module(value));
    } else if (kind == "build") {
      const auto [key, setting] = base::split_once(value, '=');
      info_.settings[unquoted(key)] = unquoted(setting);
    }
  }

 private:
  void replace(GoModule other) {
    other.replaces = last_->path + (last_->version.empty() ? "" : " " + last_->version);
    *last_ = std::move(other);
    last_ = nullptr;
  }

  GoBuildInfo& info_;
  GoModule* last_ = nullptr;  // looked at only before the next line
};

class ElfNumbers {
 public:
  ElfNumbers(std::string_view bytes, bool is_big_endian) : bytes_(bytes), is_big_endian_(is_big_endian) {}

  // Zero behind the end.
  [[nodiscard]] std::uint64_t at(std::size_t offset, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size && offset + i < bytes_.size(); ++i) {
      const auto place = is_big_endian_ ? offset + i : offset + size - 1 - i;
      value = (value << 8U) | (place < bytes_.size() ? static_cast<unsigned char>(bytes_[place]) : 0U);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool is_big_endian_;
};

// Where an ELF file of either width has what we look for (elf(5)).
struct ElfLayout {
  std::size_t word;
  std::size_t table, entry_size, entry_count;              // in the header
  std::size_t type, flags, offset, address, size_in_file;  // in a program header
};
constexpr ElfLayout elf64{8, 32, 54, 56, 0, 4, 8, 16, 32};
constexpr ElfLayout elf32{4, 28, 42, 44, 0, 24, 4, 8, 16};
constexpr std::size_t longest_elf_header = 64;

bool is_64_bit(std::string_view head) {
  return head[4] == 2;
}

bool is_big_endian(std::string_view head) {
  return head[5] == 2;
}

// How long a program header is at least.
std::size_t smallest_step(std::string_view head) {
  return is_64_bit(head) ? 56 : 32;
}

struct ProgramHeaders {
  std::uint64_t begin = 0;  // offsets in the file
  std::uint64_t end = 0;
  std::uint64_t step = 0;
};

ProgramHeaders program_headers(std::string_view head) {
  const auto& layout = is_64_bit(head) ? elf64 : elf32;
  const ElfNumbers numbers(head, is_big_endian(head));
  const auto begin = numbers.at(layout.table, layout.word);
  const auto step = numbers.at(layout.entry_size, 2);
  return {.begin = begin, .end = begin + step * numbers.at(layout.entry_count, 2), .step = step};
}

// The parts of the file that become writable memory, by offset.
std::vector<FileWindow> windows_of(std::string_view head, const ProgramHeaders& table) {
  const auto& layout = is_64_bit(head) ? elf64 : elf32;
  const ElfNumbers numbers(head, is_big_endian(head));
  std::vector<FileWindow> windows;
  for (auto at = table.begin; at < table.end; at += table.step) {
    const auto flags = numbers.at(at + layout.flags, 4);
    const auto begin = numbers.at(at + layout.offset, layout.word);
    const auto end = begin + numbers.at(at + layout.size_in_file, layout.word);
    if (numbers.at(at + layout.type, 4) == loadable && (flags & writable) != 0 && (flags & executable) == 0 &&
        end > begin) {
      windows.push_back({begin, end, numbers.at(at + layout.address, layout.word)});
    }
  }
  std::ranges::sort(windows, {}, &FileWindow::begin);
  return windows;
}

}  // namespace

std::optional<GoBuildInfo> parse_go_build_info(std::string_view record) {
  if (!record.starts_with(record_mark) || record.size() < record_header) {
    return {};
  }
  GoBuildInfo info;
  if ((static_cast<unsigned char>(record[15]) & strings_inline) == 0) {
    info.is_old = true;
    return info;
  }
  auto rest = record.substr(record_header);
  const auto version = take_string(rest);
  if (!version || version->empty()) {
    return {};
  }
  info.go_version = *version;
  const auto modules = take_string(rest);
  ModuleText text(info);
  for (const auto line : base::split(unframed(modules.value_or("")), '\n')) {
    text.add(line);
  }
  return info;
}

void GoBuildInfoFinder::add(std::string_view piece) {
  if (stage_ == Stage::header) {
    const auto gathered = piece.substr(0, longest_head - head_.size());
    head_ += gathered;
    offset_ += gathered.size();
    piece.remove_prefix(gathered.size());
    read_header();
  }
  if (stage_ == Stage::windows) {
    search(piece, offset_);
  } else if (stage_ == Stage::record) {
    add_to_record(piece);
  }
  offset_ += piece.size();
}

bool GoBuildInfoFinder::is_elf() const {
  return head_.starts_with(
      "\x7f"
      "ELF");
}

std::optional<GoBuildInfo> GoBuildInfoFinder::found() const {
  return parse_go_build_info(record_);
}

// Waits until the program headers are there, then looks through what was gathered meanwhile.
void GoBuildInfoFinder::read_header() {
  if (head_.size() >= 4 && !is_elf()) {
    stage_ = Stage::done;
    return;
  }
  if (head_.size() < longest_elf_header) {
    return;
  }
  const auto table = program_headers(head_);
  if (table.begin > longest_head || table.end > longest_head || table.step < smallest_step(head_)) {
    stage_ = Stage::done;
    return;
  }
  if (head_.size() < table.end) {
    return;
  }
  const auto gathered = std::move(head_);
  head_ = gathered.substr(0, elf_ident);
  windows_ = windows_of(gathered, table);
  stage_ = Stage::windows;
  search(gathered, 0);
}

void GoBuildInfoFinder::search(std::string_view piece, std::uint64_t offset) {
  while (!piece.empty() && stage_ == Stage::windows) {
    const auto window = std::ranges::find_if(windows_, [&](const FileWindow& each) { return each.end > offset; });
    if (window == windows_.end()) {
      stage_ = Stage::done;
      return;
    }
    const auto skipped = window->begin > offset ? window->begin - offset : 0;
    if (skipped >= piece.size()) {
      return;
    }
    offset += skipped;
    const auto part = piece.substr(skipped, window->end - offset);
    search_window(*window, part, offset);
    offset += part.size();
    piece.remove_prefix(skipped + part.size());
  }
}

// `part` lies within the window, `offset` is its place in the file.
void GoBuildInfoFinder::search_window(const FileWindow& window, std::string_view part, std::uint64_t offset) {
  if (offset == window.begin) {
    tail_.clear();
  }
  const auto text = tail_ + std::string(part);
  const auto text_address = window.address + (offset - tail_.size() - window.begin);
  for (auto at = text.find(record_mark); at != std::string::npos; at = text.find(record_mark, at + 1)) {
    if ((text_address + at) % record_alignment == 0) {
      record_end_ = window.end;
      stage_ = Stage::record;
      record_ = text.substr(at, longest_record);
      return;
    }
  }
  tail_ = text.substr(text.size() - std::min(text.size(), record_mark.size() - 1));
}

void GoBuildInfoFinder::add_to_record(std::string_view piece) {
  const auto left = record_end_ > offset_ ? record_end_ - offset_ : 0;
  const auto room = std::min<std::uint64_t>(longest_record - record_.size(), left);
  record_ += piece.substr(0, room);
  stage_ = room <= piece.size() ? Stage::done : Stage::record;
}

}  // namespace deployctl::sbom
