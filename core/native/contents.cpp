#include "core/native/contents.hpp"

#include "core/base/text.hpp"
#include "core/io/file_system.hpp"
#include "core/native/drain_program.hpp"
#include "core/native/sensitive_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace deployctl::native {
namespace {

using base::Error;
using base::Result;
using base::Status;

namespace fs = std::filesystem;

constexpr std::string_view drain_path = "usr/local/bin/drain-sleep";
constexpr std::string_view certificates_path = "etc/ssl/certs/ca-certificates.crt";
constexpr std::array<std::string_view, 4> key_endings{".pem", ".key", ".ppk", ".p8"};
constexpr std::size_t key_head = 4096;

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

bool begins_like_private_key(const oci::LayerItem& item) {
  std::ifstream file(item.source, std::ios::binary);
  std::string head(key_head, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return looks_like_private_key(head);
}

// Why a file should not be in the image, in words; empty when nothing speaks against it.
std::string_view secret_in(std::string_view path, const oci::LayerItem& item) {
  if (const auto kind = sensitive_kind(path); !kind.empty()) {
    return kind;
  }
  const bool may_be_key = item.kind == oci::LayerItem::Kind::file &&
                          std::ranges::any_of(key_endings, [&](auto ending) { return path.ends_with(ending); });
  return may_be_key && begins_like_private_key(item) ? "a private key" : std::string_view();
}

// Where what stands at `path` in the image comes from: `source` lies at `prefix` there.
std::string origin_of(std::string_view path, std::string_view prefix, std::string_view source) {
  auto below = path.substr(std::min(path.size(), prefix.size()));
  below.remove_prefix(below.starts_with('/') ? 1 : 0);
  std::string origin(source);
  origin += source.empty() || below.empty() ? "" : "/";
  return origin.append(below);
}

// `tree` was taken from `source`, and its paths in the image begin with `prefix`.
Status refuse_secrets(const oci::LayerTree& tree, std::string_view prefix, std::string_view source,
                      const IgnoreRules& ignored) {
  for (const auto& [path, item] : tree.items()) {
    const auto origin = origin_of(path, prefix, source);
    const auto kind = secret_in(origin, item);
    if (!kind.empty() && !ignored.takes_back(origin)) {
      return Error::refused("{} would get into the image: {}", base::printable(origin), kind)
          .with_hint("leave it out with .dockerignore; a line '!{}' there says that it is meant to be in it",
                     base::printable(origin));
    }
  }
  return {};
}

}  // namespace

std::string in_image(std::string_view path) {
  return io::join_path("/", path).substr(1);
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
  for (const auto& volume : request.volumes) {
    if (status) {
      status = tree.add_directory(in_image(volume), 0755, request.user);
    }
  }
  return status ? Result<oci::LayerTree>(std::move(tree)) : status.error();
}

Result<oci::LayerTree> artifact_files(const Artifact& artifact, const std::string& source,
                                      const oci::Platform& platform, const IgnoreRules& ignored) {
  const auto origin = for_platform(artifact.source, platform);
  const auto place = io::join_path(source, origin);
  const auto relative = io::join_path("/", origin).substr(1);
  const auto path = in_image(artifact.path);
  std::error_code problem;
  const auto status = fs::status(place, problem);
  if (!fs::exists(status)) {
    return Error::not_found("there is no '{}' in {}", base::printable(origin), base::printable(source))
        .with_hint("build.artifact names what is made before the image is");
  }
  oci::LayerTree tree;
  const auto choose = [&](std::string_view below, bool is_directory) {
    const auto whole = relative.empty() ? std::string(below) : fmt::format("{}/{}", relative, below);
    const bool is_out = ignored.leaves_out(whole, relative);
    return !is_out                                     ? oci::Choice::take
           : is_directory && !ignored.has_exceptions() ? oci::Choice::skip_all
                                                       : oci::Choice::skip;
  };
  const auto added = fs::is_directory(status) ? tree.add_folder(path, place, choose) : tree.add_file_from(path, place);
  if (!added) {
    return added.error();
  }
  const auto clean = refuse_secrets(tree, path, relative, ignored);
  return clean ? Result<oci::LayerTree>(std::move(tree)) : clean.error();
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
