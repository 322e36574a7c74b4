// Only 64-bit and 32-bit little-endian files are looked into, which is what every platform we build for has but s390x;
// of the others the machine alone is told.
#include "core/native/elf.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fstream>

namespace deployctl::native {
namespace {

using base::Error;
using base::Result;

constexpr std::uint64_t longest_table = 16u << 20u;
constexpr std::size_t most_headers = 4096;
constexpr std::uint64_t longest_first_line = 256;  // that the kernel reads of a script

std::string architecture_of(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "amd64";
    case EM_AARCH64:
      return "arm64";
    case EM_386:
      return "386";
    case EM_ARM:
      return "arm";
    case EM_PPC64:
      return "ppc64le";
    case EM_RISCV:
      return "riscv64";
    case EM_S390:
      return "s390x";
    default:
      return fmt::format("machine {}", machine);
  }
}

class ElfFile {
 public:
  explicit ElfFile(const std::string& path) : file_(path, std::ios::binary) {}

  [[nodiscard]] bool is_open() const { return file_.is_open(); }
  // Fewer bytes where the file ends earlier.
  std::string bytes(std::uint64_t at, std::uint64_t size) {
    std::string text(static_cast<std::size_t>(std::min(size, longest_table)), '\0');
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(at));
    file_.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file_.gcount(), 0)));
    return text;
  }
  template <typename T>
  bool read(std::uint64_t at, T& value) {
    const auto text = bytes(at, sizeof(T));
    if (text.size() == sizeof(T)) {
      std::memcpy(&value, text.data(), sizeof(T));
    }
    return text.size() == sizeof(T);
  }

 private:
  std::ifstream file_;
};

std::string text_at(const std::string& table, std::uint64_t at) {
  return at < table.size() ? std::string(table.c_str() + at) : std::string();
}

template <typename Header, typename Segment, typename Dynamic>
class ElfReader {
 public:
  ElfReader(ElfFile& file, const std::string& path) : file_(file), path_(path) {}

  Result<ElfFacts> read() {
    Header header;
    if (!file_.read(0, header)) {
      return damaged();
    }
    facts_.architecture = architecture_of(header.e_machine);
    if (header.e_phnum > most_headers) {
      return damaged();
    }
    for (std::size_t place = 0; place < header.e_phnum; ++place) {
      Segment segment;
      if (!file_.read(header.e_phoff + place * header.e_phentsize, segment)) {
        return damaged();
      }
      segments_.push_back(segment);
    }
    for (const auto& segment : segments_) {
      if (segment.p_type == PT_INTERP) {
        facts_.interpreter = text_at(file_.bytes(segment.p_offset, segment.p_filesz), 0);
      } else if (segment.p_type == PT_DYNAMIC) {
        read_dynamic(segment);
      }
    }
    return facts_;
  }

 private:
  void read_dynamic(const Segment& segment) {
    const auto bytes = file_.bytes(segment.p_offset, segment.p_filesz);
    std::vector<std::uint64_t> names;
    std::uint64_t table_address = 0;
    std::uint64_t table_size = 0;
    for (std::size_t at = 0; at + sizeof(Dynamic) <= bytes.size(); at += sizeof(Dynamic)) {
      Dynamic entry;
      std::memcpy(&entry, bytes.data() + at, sizeof(Dynamic));
      if (entry.d_tag == DT_NEEDED) {
        names.push_back(entry.d_un.d_val);
      } else if (entry.d_tag == DT_STRTAB) {
        table_address = entry.d_un.d_ptr;
      } else if (entry.d_tag == DT_STRSZ) {
        table_size = entry.d_un.d_val;
      }
    }
    const auto table = file_.bytes(file_place(table_address), table_size);
    for (const auto name : names) {
      facts_.needed.push_back(text_at(table, name));
    }
  }

  // Where in the file an address of the running program comes from.
  [[nodiscard]] std::uint64_t file_place(std::uint64_t address) const {
    for (const auto& segment : segments_) {
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz) {
        return address - segment.p_vaddr + segment.p_offset;
      }
    }
    return address;
  }

  [[nodiscard]] Error damaged() const {
    return Error::failed("{} begins like an ELF program but is damaged", base::printable(path_));
  }

  ElfFile& file_;
  const std::string& path_;
  ElfFacts facts_;
  std::vector<Segment> segments_;
};

}  // namespace

std::string script_interpreter(const std::string& path) {
  const auto head = ElfFile(path).bytes(0, longest_first_line);
  if (!head.starts_with("#!")) {
    return {};
  }
  const auto line = base::trim(std::string_view(head).substr(2, head.find('\n') - 2));
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

Result<std::optional<ElfFacts>> read_elf(const std::string& path) {
  ElfFile file(path);
  if (!file.is_open()) {
    return Error::failed("cannot read {}", base::printable(path));
  }
  const auto head = file.bytes(0, EI_NIDENT + 4);
  if (head.size() < EI_NIDENT + 4 || !head.starts_with(ELFMAG)) {
    return std::optional<ElfFacts>();
  }
  if (head[EI_DATA] != ELFDATA2LSB) {
    return std::optional(
        ElfFacts{.architecture = architecture_of(static_cast<std::uint16_t>(static_cast<unsigned char>(head[18]) << 8U |
                                                                            static_cast<unsigned char>(head[19]))),
                 .interpreter = {},
                 .needed = {}});
  }
  auto facts = head[EI_CLASS] == ELFCLASS64 ? ElfReader<Elf64_Ehdr, Elf64_Phdr, Elf64_Dyn>(file, path).read()
                                            : ElfReader<Elf32_Ehdr, Elf32_Phdr, Elf32_Dyn>(file, path).read();
  return facts ? Result(std::optional(std::move(*facts))) : facts.error();
}

}  // namespace deployctl::native
