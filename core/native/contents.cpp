#include "core/native/contents.hpp"

#include "core/base/text.hpp"
#include "core/io/file_system.hpp"
#include "core/native/drain_program.hpp"
#include "core/native/sensitive_files.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace deployctl::native {
namespace {

using base::Error;
using base::Result;
using base::Status;

namespace fs = std::filesystem;

constexpr std::string_view drain_path = "usr/local/bin/drain-sleep";
constexpr std::string_view zones_path = "usr/share/zoneinfo";
constexpr std::string_view certificates_path = "etc/ssl/certs/ca-certificates.crt";

// The paths as text.
Status add_all(oci::LayerTree& tree, std::initializer_list<std::pair<std::string_view, std::string>> files) {
  for (const auto& [path, content] : files) {
    if (const auto added = tree.add_file(path, content); !added) {
      return added;
    }
  }
  return {};
}

Status add_names(oci::LayerTree& tree, std::uint32_t user) {
  return add_all(tree, {{"etc/passwd", fmt::format("root:x:0:0:root:/root:/sbin/nologin\n"
                                                   "app:x:{0}:{0}:app:/tmp:/sbin/nologin\n",
                                                   user)},
                        {"etc/group", fmt::format("root:x:0:\napp:x:{}:\n", user)},
                        {"etc/nsswitch.conf", "hosts: files dns\n"}});
}

std::string for_platform(std::string text, const oci::Platform& platform) {
  return base::replace_all(base::replace_all(std::move(text), "{arch}", platform.architecture), "{os}", platform.os);
}

// What an artifact names, relative to the folder it is named in; empty: all of the folder.
std::string relative_place(const Artifact& artifact, const oci::Platform& platform) {
  return io::join_path("/", for_platform(artifact.source, platform)).substr(1);
}

// Where what stands at `path` in the image comes from: `source` lies at `prefix` there.
std::string origin_of(std::string_view path, std::string_view prefix, std::string_view source) {
  auto below = path.substr(std::min(path.size(), prefix.size()));
  below.remove_prefix(below.starts_with('/') ? 1 : 0);
  std::string origin(source);
  origin += source.empty() || below.empty() ? "" : "/";
  return origin.append(below);
}

Error would_get_in(const std::string& origin, std::string_view kind) {
  return Error::refused("{} would get into the image: {}", base::printable(origin), kind)
      .with_hint("leave it out with .dockerignore; a line '!{}' there says that it is meant to be in it",
                 base::printable(origin));
}

// `tree` was taken from `source`, and its paths in the image begin with `prefix`.
Status refuse_secrets(const oci::LayerTree& tree, std::string_view prefix, std::string_view source,
                      const IgnoreRules& ignored) {
  for (const auto& [path, item] : tree.items()) {
    const auto origin = origin_of(path, prefix, source);
    const auto kind = sensitive_kind(origin);
    if (!kind.empty() && !ignored.takes_back(origin)) {
      return would_get_in(origin, kind);
    }
  }
  return {};
}

// Symbolic links on the way to `place`, or itself, may lead anywhere.
Status refuse_outside(const std::string& place, const std::string& origin, const std::string& project) {
  std::error_code problem;
  const auto real = fs::canonical(place, problem).string();
  const auto folder = problem ? std::string() : fs::canonical(project, problem).string();
  if (problem) {
    return Error::failed("cannot follow '{}': {}", base::printable(origin), problem.message());
  }
  const bool is_inside = real == folder || real.starts_with(folder.ends_with('/') ? folder : folder + "/");
  return is_inside ? Status()
                   : Status(Error::refused("'{}' leads to {}, out of the project", base::printable(origin),
                                           base::printable(real))
                                .with_hint("copy what is meant to be in the image into the project"));
}

Status add_remembered_folder(oci::LayerTree& tree, std::string_view path, const std::string& place,
                             const oci::ChooseEntry& choose, oci::ImageStore& store) {
  auto memory = store.find_folders(place);
  const auto added = tree.add_folder(path, place, choose, memory);
  if (added && memory.has_news()) {
    (void)store.remember_folders(place, memory);  // without it the next build takes longer, and no more
  }
  return added;
}

}  // namespace

std::string in_image(std::string_view path) {
  return io::join_path("/", path).substr(1);
}

std::string zone_file(const std::string& zones, const std::string& time_zone) {
  const bool is_name = std::ranges::all_of(time_zone, [](unsigned char byte) {
    return std::isalnum(byte) != 0 || byte == '/' || byte == '_' || byte == '-' || byte == '+';
  });
  if (time_zone.empty() || time_zone.starts_with('/') || !is_name) {
    return {};
  }
  std::error_code problem;
  const auto place = fs::canonical(io::join_path(zones, time_zone), problem);  // many names are links to one
  return !problem && fs::is_regular_file(place, problem) ? place.string() : std::string();
}

Result<oci::LayerTree> system_files(const SystemRequest& request) {
  auto drain = drain_program(request.architecture);
  if (!drain) {
    return Error::refused("the native builder makes images for linux/amd64 and linux/arm64, not for {}",
                          base::printable(request.architecture))
        .with_hint("build with '--builder docker'");
  }
  oci::LayerTree tree;
  Status status = tree.add_file(drain_path, std::move(*drain), 0755);
  if (status && !request.certificates.empty() && !request.base.has_certificates) {
    status = tree.add_file_from(certificates_path, request.certificates);
  }
  if (status && request.base.is_scratch()) {
    status = add_names(tree, request.user);
  }
  if (status && request.base.is_scratch()) {
    status = tree.add_directory("tmp", 01777);
  }
  if (status && request.base.is_scratch() && !request.zone_file.empty()) {
    status = tree.add_file_from(io::join_path(zones_path, request.time_zone), request.zone_file);
  }
  for (const auto& volume : request.volumes) {
    if (status) {
      status = tree.add_directory(in_image(volume), 0755, request.user);
    }
  }
  return status ? Result<oci::LayerTree>(std::move(tree)) : status.error();
}

Result<oci::LayerTree> artifact_files(const Artifact& artifact, const BuildRequest& request,
                                      const oci::Platform& platform, const IgnoreRules& ignored,
                                      oci::ImageStore& store) {
  const auto origin = for_platform(artifact.source, platform);
  const auto place = io::join_path(request.source, origin);
  const auto relative = relative_place(artifact, platform);
  const auto path = in_image(artifact.path);
  std::error_code problem;
  const auto status = fs::status(place, problem);
  if (!fs::exists(status)) {
    return Error::not_found("there is no '{}' in {}", base::printable(origin), base::printable(request.source))
        .with_hint("build.artifact names what is made before the image is");
  }
  if (const auto inside = refuse_outside(place, origin, request.project); !inside) {
    return inside.error();
  }
  oci::LayerTree tree;
  const auto choose = [&](std::string_view below, bool is_directory) {
    const auto whole = relative.empty() ? std::string(below) : fmt::format("{}/{}", relative, below);
    const bool is_out = ignored.leaves_out(whole, relative);
    return !is_out                                     ? oci::Choice::take
           : is_directory && !ignored.has_exceptions() ? oci::Choice::skip_all
                                                       : oci::Choice::skip;
  };
  const auto added = fs::is_directory(status) ? add_remembered_folder(tree, path, place, choose, store)
                                              : tree.add_file_from(path, place);
  if (!added) {
    return added.error();
  }
  const auto clean = refuse_secrets(tree, path, relative, ignored);
  return clean ? Result<oci::LayerTree>(std::move(tree)) : clean.error();
}

HeadCheck key_check(const Artifact& artifact, const oci::Platform& platform, const IgnoreRules& ignored) {
  return [prefix = in_image(artifact.path), source = relative_place(artifact, platform), &ignored](
             std::string_view path, std::string_view first_bytes) -> Status {
    const auto origin = origin_of(path, prefix, source);
    const bool is_refused = is_private_key(origin, first_bytes) && !ignored.takes_back(origin);
    return is_refused ? Status(would_get_in(origin, "a private key")) : Status();
  };
}

std::vector<std::string> links_leading_out(const oci::LayerTree& tree, const Artifact& artifact) {
  const auto root = "/" + in_image(artifact.path);
  std::vector<std::string> remarks;
  for (const auto& [path, item] : tree.items()) {
    if (item.kind != oci::LayerItem::Kind::symlink) {
      continue;
    }
    const auto target = io::join_path("/" + io::parent_path(path), item.content);
    if (root != "/" && target != root && !target.starts_with(root + "/")) {
      remarks.push_back(
          fmt::format("/{} leads to {}, out of {}", base::printable(path), base::printable(target), root));
    }
  }
  return remarks;
}

}  // namespace deployctl::native
