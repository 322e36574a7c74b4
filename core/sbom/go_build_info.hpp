// What the Go linker writes into a program: its version, the main module, the modules it is made of (Go's package
// debug/buildinfo). Found while the file's bytes pass by, without the file at hand.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::sbom {

struct GoModule {
  std::string path;
  std::string version;   // "v1.9.1", "(devel)"
  std::string sum;       // "h1:…" as go.sum has it; may be empty
  std::string replaces;  // "path version" of the module this one stands for; mostly empty
  friend bool operator==(const GoModule&, const GoModule&) = default;
};

struct GoBuildInfo {
  std::string go_version;  // "go1.22.1"; empty when is_old
  // Built with Go before 1.18, which stores the strings elsewhere in the program: nothing else is known.
  bool is_old = false;
  std::string package;                          // of the main package: "example.com/shop/cmd/api"
  GoModule main;                                // its path is empty for a program built without modules
  std::vector<GoModule> dependencies;           // replaced ones as what they were replaced by
  std::map<std::string, std::string> settings;  // "vcs.revision", "GOARCH", …
  friend bool operator==(const GoBuildInfo&, const GoBuildInfo&) = default;
};

// Reads the record that begins with "\xff Go buildinf:" and whatever comes after it. Nothing when it is none.
std::optional<GoBuildInfo> parse_go_build_info(std::string_view record);

// A part of a file and where it lies in memory.
struct FileWindow {
  std::uint64_t begin;  // offsets in the file
  std::uint64_t end;
  std::uint64_t address;  // of the first byte
};

// Watches the bytes of one file.
class GoBuildInfoFinder {
 public:
  // The pieces of the file in order.
  void add(std::string_view piece);
  [[nodiscard]] bool is_elf() const;
  // What was found; nothing for a file that is no Go program. Call it when all bytes were added.
  [[nodiscard]] std::optional<GoBuildInfo> found() const;

 private:
  void read_header();
  void search(std::string_view piece, std::uint64_t offset);
  void search_window(const FileWindow& window, std::string_view part, std::uint64_t offset);
  void add_to_record(std::string_view piece);

  enum class Stage { header, windows, record, done };
  Stage stage_ = Stage::header;
  std::uint64_t offset_ = 0;         // of the next byte in the file
  std::string head_;                 // the ELF header and the program headers, while they are gathered
  std::vector<FileWindow> windows_;  // writable ones, by offset: the linker puts the record into one of them
  std::string tail_;                 // the last bytes seen of a window: the record's mark may be cut in two
  std::string record_;
  std::uint64_t record_end_ = 0;
};

}  // namespace deployctl::sbom
