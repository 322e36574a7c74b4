#include "core/execute/build_request.hpp"

#include "core/generate/artifact.hpp"
#include "core/generate/dockerfile.hpp"
#include "core/templating/template_set.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

constexpr std::string_view ignore_files[] = {".dockerignore", ".containerignore"};

std::map<std::string, std::string> arguments(const project::Build& build, const plan::BuildImage& action,
                                             const Seen& seen) {
  std::map<std::string, std::string> arguments{{"VERSION", action.tag}};
  if (seen.commit) {
    arguments["COMMIT"] = seen.commit->id;
  }
  for (const auto& [name, value] : build.args) {
    arguments[name] = *value;
  }
  return arguments;
}

base::Result<std::string> generated_dockerfile(const project::Target& target, const project::Service& service,
                                               const Seen& seen, const engine::EngineFacts& engine,
                                               const io::FileSystem& files) {
  const auto templates = templating::TemplateSet::load(target.directory, files);
  if (!templates) {
    return templates.error();
  }
  const auto mounts = engine.has_mounts() ? generate::CacheMounts::yes : generate::CacheMounts::no;
  return generate::dockerfile(target, service, seen.observation.inputs, *templates, {.cache_mounts = mounts});
}

bool has_ignore_file(const std::string& context, const io::FileSystem& files) {
  return std::ranges::any_of(ignore_files, [&](std::string_view name) {
    return files.stat(io::join_path(context, std::string(name))).kind != io::FileKind::none;
  });
}

// For a context without an ignore file of its own: history, secrets and what builds leave behind are no part of it.
base::Result<std::string> generated_dockerignore(const project::Target& target, const project::Service& service,
                                                 const io::FileSystem& files) {
  const auto templates = templating::TemplateSet::load(target.directory, files);
  return templates ? generate::dockerignore(target, service, *templates) : templates.error();
}

}  // namespace

// The pre-defined annotation keys of image-spec annotations.md. Nothing here changes without the commit changing, so
// that building the same commit again gives the same image.
std::map<std::string, std::string> image_labels(const project::Target& target, const project::Service& service,
                                                const plan::BuildImage& action, const Seen& seen) {
  const std::string prefix = "org.opencontainers.image.";
  std::map<std::string, std::string> labels{
      {prefix + "title", *target.project + "/" + *service.name},
      {prefix + "version", action.tag},
  };
  if (seen.commit) {
    labels[prefix + "revision"] = seen.commit->id;
    labels[prefix + "created"] = io::to_rfc3339(seen.commit->time);
    if (!seen.commit->remote_url.empty()) {
      labels[prefix + "source"] = seen.commit->remote_url;
    }
  }
  return labels;
}

base::Result<engine::BuildRequest> build_request(const project::Target& target, const project::Service& service,
                                                 const plan::BuildImage& action, const Seen& seen,
                                                 const engine::EngineFacts& engine, const io::FileSystem& files) {
  const auto& build = *service.build;
  engine::BuildRequest request{
      .context = io::join_path(target.directory, *build.source),
      .tags = {action.repository + ":" + action.tag},
      .labels = image_labels(target, service, action, seen),
      .args = arguments(build, action, seen),
      .target = build.target,
  };
  if (build.platforms.size() == 1) {
    request.platform = build.platforms.front();
  }
  for (const auto& secret : build.secrets) {
    request.secrets[*secret] = engine::SecretVariable{*secret};
  }
  if (!generate::has_generated_dockerfile(service)) {
    const auto name = build.dockerfile->empty() ? std::string("Dockerfile") : *build.dockerfile;
    request.dockerfile = io::join_path(request.context, name);
    return request;
  }
  // A committed Dockerfile that the user has taken over (without our header) is theirs: it is used as it is.
  const auto committed = io::join_path(target.directory, generate::dockerfile_path(target, service));
  if (const auto text = files.read(committed, 1u << 20u); text && !generate::has_header(*text)) {
    request.dockerfile = committed;
    return request;
  }
  auto text = generated_dockerfile(target, service, seen, engine, files);
  if (!text) {
    return text.error();
  }
  request.dockerfile_text = std::move(*text);
  if (!has_ignore_file(request.context, files)) {
    auto ignored = generated_dockerignore(target, service, files);
    if (!ignored) {
      return ignored.error();
    }
    request.ignore_text = std::move(*ignored);
  }
  return request;
}

}  // namespace deployctl::execute
