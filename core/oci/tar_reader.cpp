#include "core/oci/tar_reader.hpp"

#include "core/base/text.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <vector>

namespace deployctl::oci {
namespace {

constexpr std::size_t block_bytes = 256u << 10u;

std::string text_of(const char* text) {
  return text ? text : "";
}

// "a/b/../c" without its dots; links in archives are relative to the directory they stand in.
std::string resolved(std::string_view from, std::string_view target) {
  const auto directory = from.substr(0, from.rfind('/') == std::string_view::npos ? 0 : from.rfind('/'));
  std::vector<std::string> parts;
  for (const auto path : {target.starts_with('/') ? std::string_view() : directory, target}) {
    for (const auto part : base::split(path, '/')) {
      if (part == ".." && !parts.empty()) {
        parts.pop_back();
      } else if (!part.empty() && part != "." && part != "..") {
        parts.emplace_back(part);
      }
    }
  }
  return base::join(parts, "/");
}

TarEntry entry_of(archive_entry* raw) {
  TarEntry entry{.kind = TarEntry::Kind::other,
                 .path = text_of(archive_entry_pathname(raw)),
                 .link_target = {},
                 .size = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(raw), 0))};
  if (const char* hard = archive_entry_hardlink(raw)) {
    entry.kind = TarEntry::Kind::link;
    entry.link_target = resolved("", hard);
  } else if (archive_entry_filetype(raw) == AE_IFLNK) {
    entry.kind = TarEntry::Kind::link;
    entry.link_target = resolved(entry.path, text_of(archive_entry_symlink(raw)));
  } else if (archive_entry_filetype(raw) == AE_IFREG) {
    entry.kind = TarEntry::Kind::file;
  }
  return entry;
}

}  // namespace

struct TarReader::State {
  explicit State(ByteReader from) : source(std::move(from)), buffer(block_bytes, '\0'), reader(archive_read_new()) {
    archive_read_support_format_tar(reader);
    is_open = archive_read_open(reader, this, nullptr, &State::fill, nullptr) == ARCHIVE_OK;
  }
  ~State() { archive_read_free(reader); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static la_ssize_t fill(archive* reader, void* self, const void** bytes) {
    auto& state = *static_cast<State*>(self);
    const auto count = state.source(state.buffer.data(), state.buffer.size());
    if (!count) {
      state.source_error = count.error();
      archive_set_error(reader, ARCHIVE_FATAL, "source");
      return -1;
    }
    *bytes = state.buffer.data();
    return static_cast<la_ssize_t>(*count);
  }

  // The source's own error comes first: libarchive's would only repeat that there was one.
  [[nodiscard]] base::Error error() const {
    if (source_error) {
      return *source_error;
    }
    return base::Error::failed("the archive is damaged or cut short: {}",
                               base::printable(text_of(archive_error_string(reader))));
  }

  ByteReader source;
  std::string buffer;
  archive* reader;
  bool is_open = false;
  std::optional<base::Error> source_error;
};

TarReader::TarReader(ByteReader source) : state_(std::make_unique<State>(std::move(source))) {}
TarReader::~TarReader() = default;

base::Result<std::optional<TarEntry>> TarReader::next() {
  if (!state_->is_open) {
    return state_->error();
  }
  archive_entry* raw = nullptr;
  const auto code = archive_read_next_header(state_->reader, &raw);
  if (code == ARCHIVE_EOF) {
    return std::optional<TarEntry>();
  }
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
    return state_->error();
  }
  return std::optional(entry_of(raw));
}

base::Result<std::string_view> TarReader::read() {
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const auto code = archive_read_data_block(state_->reader, &bytes, &size, &offset);
  if (code == ARCHIVE_EOF) {
    return std::string_view();
  }
  if (code != ARCHIVE_OK) {
    return state_->error();
  }
  return std::string_view(static_cast<const char*>(bytes), size);
}

}  // namespace deployctl::oci
