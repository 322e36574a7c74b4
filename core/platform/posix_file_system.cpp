// A write goes into a temporary file beside the target, which rename() puts in place: rename is atomic only within one
// file system, and the content is flushed before it, so that a power cut leaves the old file or the new one.
#include "core/platform/posix_file_system.hpp"

#include "core/platform/posix_descriptor.hpp"

#include <climits>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace deployctl::platform {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t read_block = 64u << 10u;

Error file_error(std::string_view doing, const std::string& path, int error_number) {
  const auto code = error_number == ENOENT ? base::ErrorCode::not_found : base::ErrorCode::failed;
  return Error::make(code, "cannot {} '{}': {}", doing, path, system_message(error_number));
}

std::uint32_t mode_bits(io::Permissions permissions) {
  return static_cast<std::uint32_t>(permissions);
}

// A directory's mode lets pass whoever may read.
std::uint32_t directory_bits(io::Permissions permissions) {
  return permissions == io::Permissions::secret ? 0700 : 0755;
}

io::FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) {
    return io::FileKind::regular;
  }
  if (S_ISDIR(mode)) {
    return io::FileKind::directory;
  }
  return S_ISLNK(mode) ? io::FileKind::symlink : io::FileKind::other;
}

// The directory part and the last name of a path, for the calls that work inside an open directory.
struct SplitPath {
  std::string directory;
  std::string name;
};

SplitPath split_path(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return {.directory = ".", .name = std::string(path)};
  }
  return {.directory = std::string(path.substr(0, std::max<std::size_t>(slash, 1))),
          .name = std::string(path.substr(slash + 1))};
}

Result<Descriptor> open_directory(const std::string& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open()) {
    return file_error("open directory", path, errno);
  }
  return directory;
}

Status write_all(const Descriptor& file, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const auto count = ::write(file.get(), content.data(), content.size());
    if (count < 0 && errno != EINTR) {
      return file_error("write", path, errno);
    }
    content.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  return {};
}

std::string random_suffix() {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device entropy;
  std::string suffix(12, '\0');
  std::ranges::generate(suffix, [&] { return alphabet[entropy() % alphabet.size()]; });
  return suffix;
}

// A new file in `directory` that is removed again unless it was moved to its place.
class TemporaryFile {
 public:
  static Result<TemporaryFile> make(Descriptor directory, const std::string& path, std::uint32_t mode) {
    auto name = "." + split_path(path).name.substr(0, NAME_MAX / 2) + "." + random_suffix();
    Descriptor file(openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file.is_open()) {
      return file_error("write", path, errno);
    }
    return TemporaryFile(std::move(directory), std::move(file), std::move(name));
  }

  TemporaryFile(TemporaryFile&&) noexcept = default;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() {
    if (directory_.is_open()) {
      unlinkat(directory_.get(), name_.c_str(), 0);
    }
  }

  Status fill(std::string_view content, const std::string& path) {
    if (auto written = write_all(file_, content, path); !written) {
      return written;
    }
    return fsync(file_.get()) == 0 ? Status() : file_error("write", path, errno);
  }

  Status move_to(const std::string& path) {
    if (renameat(directory_.get(), name_.c_str(), directory_.get(), split_path(path).name.c_str()) != 0) {
      return file_error("write", path, errno);
    }
    fsync(directory_.get());  // some file systems cannot; the file is in place all the same
    directory_.reset();
    return {};
  }

 private:
  TemporaryFile(Descriptor directory, Descriptor file, std::string name)
      : directory_(std::move(directory)), file_(std::move(file)), name_(std::move(name)) {}

  Descriptor directory_;
  Descriptor file_;
  std::string name_;
};

struct CloseDirectory {
  void operator()(DIR* stream) const { closedir(stream); }
};
using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

// The names in an open directory, which is closed at the end.
std::vector<std::string> names_in(Descriptor directory) {
  const DirectoryStream stream(fdopendir(directory.get()));
  std::vector<std::string> names;
  if (!stream) {
    return names;
  }
  directory.release();
  while (const dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  std::ranges::sort(names);
  return names;
}

Status remove_entry(int parent, const std::string& name, const std::string& path);

Status empty_directory(Descriptor directory, const std::string& path) {
  // A tree that we made may hold read-only directories: compilers' module caches are.
  fchmod(directory.get(), S_IRWXU);
  const Descriptor listing(fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
  for (const auto& name : names_in(std::move(directory))) {
    if (auto removed = remove_entry(listing.get(), name, path + "/" + name); !removed) {
      return removed;
    }
  }
  return {};
}

// Opens without following symlinks at every level, so that nothing outside the tree can be reached.
Status remove_entry(int parent, const std::string& name, const std::string& path) {
  if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) {
    return {};
  }
  if (errno != EISDIR && errno != EPERM) {
    return file_error("remove", path, errno);
  }
  Descriptor directory(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.is_open()) {
    return file_error("remove", path, errno);
  }
  if (auto emptied = empty_directory(std::move(directory), path); !emptied) {
    return emptied;
  }
  return unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 ? Status() : file_error("remove", path, errno);
}

Status make_one_directory(const std::string& path, std::uint32_t mode) {
  if (mkdir(path.c_str(), mode) == 0) {
    return {};
  }
  const int reason = errno;
  struct stat info {};
  if (reason == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return {};
  }
  return file_error("make directory", path, reason);
}

Status make_directories(const std::string& path, std::uint32_t mode) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (auto made = make_one_directory(path.substr(0, slash), mode); !made) {
      return made;
    }
  }
  return make_one_directory(path, mode);
}

std::string system_temporary_directory() {
  const char* configured = std::getenv("TMPDIR");
  return configured != nullptr && *configured == '/' ? configured : "/tmp";
}

}  // namespace

Result<std::string> PosixFileSystem::read(const std::string& path, std::uint64_t limit) const {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a FIFO must not hold us up
  struct stat info {};
  if (!file.is_open() || fstat(file.get(), &info) != 0) {
    return file_error("read", path, errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return Error::failed("cannot read '{}': it is {}", path, S_ISDIR(info.st_mode) ? "a directory" : "not a file");
  }
  std::string content;
  while (content.size() <= limit) {
    const auto before = content.size();
    // One byte more than the file has, so that its end is seen without another round; files of /proc say 0.
    const auto expected = static_cast<std::uint64_t>(info.st_size) + 1;
    const auto block = before < expected ? expected - before : std::uint64_t{read_block};
    content.resize(before + std::min(block, limit + 1 - before));
    const auto count = ::read(file.get(), content.data() + before, content.size() - before);
    const int reason = errno;
    content.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count == 0) {
      return content;
    }
    if (count < 0 && reason != EINTR) {
      return file_error("read", path, reason);
    }
  }
  return Error::failed("cannot read '{}': it is larger than {} bytes", path, limit);
}

io::FileInfo PosixFileSystem::stat(const std::string& path) const {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return {};
  }
  return {
      .kind = kind_of(info.st_mode), .size = static_cast<std::uint64_t>(info.st_size), .mode = info.st_mode & 07777u};
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) const {
  auto directory = open_directory(path);
  if (!directory) {
    return directory.error();
  }
  return names_in(std::move(*directory));
}

Status PosixFileSystem::write(const std::string& path, std::string_view content, io::Permissions permissions) {
  const auto parent = split_path(path).directory;
  if (auto made = make_directories(parent, directory_bits(permissions)); !made) {
    return made;
  }
  auto directory = open_directory(parent);
  if (!directory) {
    return directory.error();
  }
  auto file = TemporaryFile::make(std::move(*directory), path, mode_bits(permissions));
  if (!file) {
    return file.error();
  }
  if (auto filled = (*file).fill(content, path); !filled) {
    return filled;
  }
  return (*file).move_to(path);
}

Status PosixFileSystem::make_directory(const std::string& path, io::Permissions permissions) {
  return make_directories(path, directory_bits(permissions));
}

Status PosixFileSystem::remove(const std::string& path) {
  return ::remove(path.c_str()) == 0 ? Status() : file_error("remove", path, errno);
}

Status PosixFileSystem::remove_tree(const std::string& path) {
  const auto [parent, name] = split_path(path);
  if (name.empty() || name == "." || name == "..") {
    return Error::failed("cannot remove '{}': it does not name an entry of a directory", path);
  }
  auto directory = open_directory(parent);
  if (!directory) {
    return directory.error().code == base::ErrorCode::not_found ? Status() : Status(directory.error());
  }
  return remove_entry((*directory).get(), name, path);
}

Result<std::string> PosixFileSystem::make_temporary_directory(const std::string& parent) {
  auto path = (parent.empty() ? system_temporary_directory() : parent) + "/deployctl-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return file_error("make directory", path, errno);
  }
  return path;
}

Result<std::string> PosixFileSystem::canonical(const std::string& path) const {
  const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr), &std::free);
  if (!resolved) {
    return file_error("find", path, errno);
  }
  return std::string(resolved.get());
}

std::string PosixFileSystem::current_directory() const {
  const std::unique_ptr<char, decltype(&std::free)> directory(getcwd(nullptr, 0), &std::free);
  return directory ? directory.get() : "/";
}

}  // namespace deployctl::platform
