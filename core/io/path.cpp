#include "core/base/text.hpp"
#include "core/io/file_system.hpp"

namespace deployctl::io {
namespace {

// Without empty and "." segments, and with ".." taken back where there is something to take back.
std::string normalized(std::string_view path) {
  const bool is_absolute = path.starts_with('/');
  std::vector<std::string> kept;
  for (const auto segment : base::split(path, '/')) {
    if (segment.empty() || segment == ".") {
      continue;
    }
    if (segment != "..") {
      kept.emplace_back(segment);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!is_absolute) {
      kept.emplace_back("..");
    }
  }
  const auto joined = (is_absolute ? "/" : "") + base::join(kept, "/");
  return joined.empty() ? "." : joined;
}

std::string_view without_trailing_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return path;
}

}  // namespace

std::string join_path(std::string_view directory, std::string_view path) {
  if (path.starts_with('/') || directory.empty()) {
    return normalized(path);
  }
  return normalized(std::string(directory) + "/" + std::string(path));
}

std::string parent_path(std::string_view path) {
  path = without_trailing_slashes(path);
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return ".";
  }
  return std::string(without_trailing_slashes(path.substr(0, slash + 1)));
}

std::string file_name(std::string_view path) {
  path = without_trailing_slashes(path);
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace deployctl::io
