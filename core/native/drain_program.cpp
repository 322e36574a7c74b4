// The same few steps for each machine: exactly one argument, or exit with 2; its decimal digits as a number; nanosleep
// for so many seconds; exit with 0.
#include "core/native/drain_program.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <span>

namespace deployctl::native {
namespace {

constexpr std::uint64_t load_address = 0x400000;
constexpr std::uint64_t page = 0x10000;  // the largest that either kernel uses

constexpr auto amd64_code = std::to_array<std::uint8_t>({
    0x83, 0x3c, 0x24, 0x02,                    // _start: cmpl $2, (%rsp)
    0x75, 0x31,                                //         jne  fail
    0x48, 0x8b, 0x74, 0x24, 0x10,              //         mov  16(%rsp), %rsi
    0x31, 0xc0,                                //         xor  %eax, %eax
    0x0f, 0xb6, 0x0e,                          // digit:  movzbl (%rsi), %ecx
    0x83, 0xe9, 0x30,                          //         sub  $48, %ecx
    0x83, 0xf9, 0x09,                          //         cmp  $9, %ecx
    0x77, 0x0c,                                //         ja   wait
    0x48, 0x6b, 0xc0, 0x0a,                    //         imul $10, %rax, %rax
    0x48, 0x01, 0xc8,                          //         add  %rcx, %rax
    0x48, 0xff, 0xc6,                          //         inc  %rsi
    0xeb, 0xe9,                                //         jmp  digit
    0x6a, 0x00,                                // wait:   push $0
    0x50,                                      //         push %rax
    0x48, 0x89, 0xe7,                          //         mov  %rsp, %rdi
    0x31, 0xf6,                                //         xor  %esi, %esi
    0xb8, 0x23, 0x00, 0x00, 0x00, 0x0f, 0x05,  //         nanosleep
    0x31, 0xff,                                //         xor  %edi, %edi
    0xeb, 0x05,                                //         jmp  exit
    0xbf, 0x02, 0x00, 0x00, 0x00,              // fail:   mov  $2, %edi
    0xb8, 0x3c, 0x00, 0x00, 0x00, 0x0f, 0x05,  // exit:   exit
});

constexpr auto arm64_code = std::to_array<std::uint8_t>({
    0xe0, 0x03, 0x40, 0xf9,                          // _start: ldr  x0, [sp]
    0x1f, 0x08, 0x00, 0xf1,                          //         cmp  x0, #2
    0x40, 0x00, 0x80, 0xd2,                          //         mov  x0, #2
    0x01, 0x02, 0x00, 0x54,                          //         b.ne exit
    0xe1, 0x0b, 0x40, 0xf9,                          //         ldr  x1, [sp, #16]
    0x02, 0x00, 0x80, 0xd2,                          //         mov  x2, #0
    0x43, 0x01, 0x80, 0xd2,                          //         mov  x3, #10
    0x24, 0x14, 0x40, 0x38,                          // digit:  ldrb w4, [x1], #1
    0x84, 0xc0, 0x00, 0x51,                          //         sub  w4, w4, #48
    0x9f, 0x24, 0x00, 0x71,                          //         cmp  w4, #9
    0x68, 0x00, 0x00, 0x54,                          //         b.hi wait
    0x42, 0x10, 0x03, 0x9b,                          //         madd x2, x2, x3, x4
    0xfb, 0xff, 0xff, 0x17,                          //         b    digit
    0xe2, 0x7f, 0xbf, 0xa9,                          // wait:   stp  x2, xzr, [sp, #-16]!
    0xe0, 0x03, 0x00, 0x91,                          //         mov  x0, sp
    0x01, 0x00, 0x80, 0xd2,                          //         mov  x1, #0
    0xa8, 0x0c, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4,  //         nanosleep
    0x00, 0x00, 0x80, 0xd2,                          //         mov  x0, #0
    0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4,  // exit:   exit
});

// One segment with everything, headers and code.
std::string elf_file(std::uint16_t machine, std::span<const std::uint8_t> code) {
  const auto size = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + code.size();
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = machine;
  header.e_version = EV_CURRENT;
  header.e_entry = load_address + size - code.size();
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = load_address;
  segment.p_paddr = load_address;
  segment.p_filesz = size;
  segment.p_memsz = size;
  segment.p_align = page;
  std::string file;
  file.append(reinterpret_cast<const char*>(&header), sizeof(header));
  file.append(reinterpret_cast<const char*>(&segment), sizeof(segment));
  file.append(reinterpret_cast<const char*>(code.data()), code.size());
  return file;
}

}  // namespace

std::optional<std::string> drain_program(std::string_view architecture) {
  if (architecture == "amd64") {
    return elf_file(EM_X86_64, amd64_code);
  }
  if (architecture == "arm64") {
    return elf_file(EM_AARCH64, arm64_code);
  }
  return std::nullopt;
}

}  // namespace deployctl::native
