#include "core/generate/write.hpp"

#include "core/base/text.hpp"
#include "core/generate/layout.hpp"

#include <algorithm>
#include <set>

namespace deployctl::generate {
namespace {

constexpr std::uint64_t largest_generated_file = 16u << 20u;

bool stays_inside(std::string_view path) {
  const auto parts = base::split(path, '/');
  return std::ranges::none_of(parts, [](auto part) { return part.empty() || part == "." || part == ".."; });
}

// Every part of the path that exists must be what it is called: a symbolic link would let a file land elsewhere.
base::Status check_path(const std::string& path, const std::string& root, const io::FileSystem& files) {
  if (!stays_inside(path)) {
    return base::Error::refused("'{}' is no path inside the project", base::printable(path));
  }
  const auto real_root = files.canonical(root);
  if (!real_root) {
    return real_root.error();
  }
  std::string part;
  for (const auto name : base::split(path, '/')) {
    part += (part.empty() ? "" : "/") + std::string(name);
    const auto real = files.canonical(io::join_path(root, part));
    if (!real) {
      break;  // nothing below it exists either
    }
    if (*real != io::join_path(*real_root, part)) {
      return base::Error::refused("{} is a symbolic link; generated files are written to real folders only", part);
    }
  }
  return {};
}

base::Result<Comparison> compare_one(const Artifact& artifact, const std::string& root, const io::FileSystem& files) {
  if (auto status = check_path(artifact.path, root, files); !status) {
    return status.error();
  }
  const auto path = io::join_path(root, artifact.path);
  if (files.stat(path).kind == io::FileKind::none) {
    return Comparison{artifact.path, FileState::missing, unified_diff("", artifact.content, artifact.path)};
  }
  const auto content = files.read(path, largest_generated_file);
  if (!content) {
    return content.error().within("reading {}", artifact.path);
  }
  if (*content == artifact.content) {
    return Comparison{artifact.path, FileState::same, ""};
  }
  return Comparison{artifact.path, has_header(*content) ? FileState::different : FileState::foreign,
                    unified_diff(*content, artifact.content, artifact.path)};
}

base::Error foreign_files(const std::vector<std::string>& paths) {
  return base::Error::refused("{} {} not made by deployctl and would be overwritten", base::join(paths, ", "),
                              paths.size() == 1 ? "was" : "were")
      .with_hint("move {} away, or use --force", paths.size() == 1 ? "it" : "them");
}

bool wants(std::span<const Family> families, Family family) {
  return families.empty() || std::ranges::find(families, family) != families.end();
}

// All files below a folder of the project; none when it is not there.
void collect(const io::FileSystem& files, const std::string& root, const std::string& folder,
             std::vector<std::string>& found) {
  const auto names = files.list(io::join_path(root, folder));
  if (!names) {
    return;
  }
  for (const auto& name : *names) {
    const auto path = folder + "/" + name;
    if (files.stat(io::join_path(root, path)).kind == io::FileKind::directory) {
      collect(files, root, path, found);
    } else {
      found.push_back(path);
    }
  }
}

// The other environments' folders are theirs; folders of environments that are gone are not.
bool belongs_to_another_environment(const project::Target& target, const std::string& path) {
  const auto rest = path.substr(std::min(path.size(), kubernetes_folder.size() + 1));
  const auto folder = std::string(base::split_once(rest, '/').first);
  const auto own = io::file_name(std::string_view(kubernetes_environment_folder(target)));
  return folder != own &&
         (folder == "base" || std::ranges::find(target.environments, folder) != target.environments.end());
}

std::vector<std::string> generated_places(const project::Target& target, std::span<const Family> families,
                                          const std::string& root, const io::FileSystem& files) {
  std::vector<std::string> places;
  if (wants(families, Family::dockerfile)) {
    collect(files, root, std::string(dockerfile_folder), places);
    for (const auto& service : target.services) {
      if (service.is_built()) {
        const auto ignore = dockerignore_path(service);
        places.push_back(ignore);
        places.push_back(io::join_path(io::parent_path(ignore), "Dockerfile"));
      }
    }
  }
  if (wants(families, Family::compose)) {
    places.emplace_back(compose_path);
  }
  if (wants(families, Family::kubernetes)) {
    std::vector<std::string> found;
    collect(files, root, std::string(kubernetes_folder), found);
    std::ranges::copy_if(found, std::back_inserter(places),
                         [&](const auto& path) { return !belongs_to_another_environment(target, path); });
  }
  if (wants(families, Family::ci)) {
    places.insert(places.end(), {std::string(github_path), std::string(gitlab_path)});
  }
  return places;
}

}  // namespace

std::string_view to_string(FileState state) {
  switch (state) {
    case FileState::missing:
      return "missing";
    case FileState::same:
      return "same";
    case FileState::different:
      return "different";
    case FileState::foreign:
      return "foreign";
    case FileState::stale:
      return "stale";
  }
  return "";
}

base::Result<std::vector<Comparison>> compare(std::span<const Artifact> artifacts, const std::string& root,
                                              const io::FileSystem& files) {
  std::vector<Comparison> comparisons;
  for (const auto& artifact : artifacts) {
    auto comparison = compare_one(artifact, root, files);
    if (!comparison) {
      return comparison.error();
    }
    comparisons.push_back(*std::move(comparison));
  }
  return comparisons;
}

base::Result<std::vector<Comparison>> stale(const project::Target& target, std::span<const Artifact> artifacts,
                                            std::span<const Family> families, const std::string& root,
                                            const io::FileSystem& files) {
  std::set<std::string> known;
  std::ranges::transform(artifacts, std::inserter(known, known.end()), &Artifact::path);
  std::vector<Comparison> found;
  for (const auto& path : generated_places(target, families, root, files)) {
    const auto content = files.read(io::join_path(root, path), largest_generated_file);
    if (content && has_header(*content) && known.insert(path).second) {
      found.push_back({path, FileState::stale, ""});
    }
  }
  std::ranges::sort(found, {}, &Comparison::path);
  return found;
}

base::Result<Written> write(std::span<const Artifact> artifacts, const std::string& root, io::FileSystem& files,
                            Force force) {
  const auto comparisons = compare(artifacts, root, files);
  if (!comparisons) {
    return comparisons.error();
  }
  std::vector<std::string> foreign;
  for (const auto& comparison : *comparisons) {
    if (comparison.state == FileState::foreign) {
      foreign.push_back(comparison.path);
    }
  }
  if (!foreign.empty() && force == Force::no) {
    return foreign_files(foreign);
  }
  Written written;
  for (std::size_t i = 0; i < artifacts.size(); ++i) {
    if ((*comparisons)[i].state == FileState::same) {
      written.unchanged.push_back(artifacts[i].path);
      continue;
    }
    const auto permissions = artifacts[i].is_executable ? io::Permissions::executable : io::Permissions::plain;
    const auto status = files.write(io::join_path(root, artifacts[i].path), artifacts[i].content, permissions);
    if (!status) {
      return status.error().within("writing {}", artifacts[i].path);
    }
    written.written.push_back(artifacts[i].path);
  }
  return written;
}

}  // namespace deployctl::generate
