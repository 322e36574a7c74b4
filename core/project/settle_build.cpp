// Where an image comes from: a ready one, the user's Dockerfile, or a Dockerfile of ours.
#include "core/base/text.hpp"
#include "core/project/image_name.hpp"
#include "core/project/settle_parts.hpp"

#include <algorithm>

namespace deployctl::project {
namespace {

constexpr std::string_view usual_dockerfile = "Dockerfile";
constexpr std::string_view nothing_below = "scratch";  // no image, but the word for none

std::string in_project(const std::string& source, const std::string& path) {
  return io::join_path(source, path);
}

// `latest` and no tag at all mean another image tomorrow.
void warn_of_moving_tag(const base::Located<std::string>& image, base::Diagnostics& out) {
  const auto name = parse_image_name(*image);
  if (!name || !name->digest.empty() || *image == nothing_below) {
    return;
  }
  if (name->tag.empty()) {
    out.warning(image.span, fmt::format("image '{}' has no tag: it may be another one at every pull", *image),
                "name a version");
  } else if (name->tag == "latest") {
    out.warning(image.span, fmt::format("image '{}' may be another one at every pull", *image),
                "name a version instead of 'latest'");
  }
}

NamedValues settle_args(const WrittenBuild& written, base::Diagnostics& out) {
  NamedValues args;
  for (const auto& arg : value_or(written.args, {})) {
    if (looks_secret(*arg.name) && !arg.value.empty()) {
      out.error(arg.name.span,
                fmt::format("build argument '{}' looks like a secret, and build arguments stay visible in the image",
                            *arg.name),
                "use 'secrets' under 'build'");
    }
    args.emplace_back(*arg.name, base::Located<std::string>{arg.value, arg.at});
  }
  return args;
}

void refuse_what_own_dockerfile_ignores(const WrittenBuild& written, base::Diagnostics& out) {
  constexpr std::string_view why = "beside a Dockerfile of your own";
  refuse_useless(written.package, "package", why, out);
  refuse_useless(written.base, "base", why, out);
  refuse_useless(written.runtime, "runtime", why, out);
}

bool has_template(Stack stack, const FolderFacts& facts) {
  return stack == Stack::go || (stack == Stack::cpp && (facts.has_cmake || !facts.stack));
}

// The user's own Dockerfile as `dockerfile` says, or as it lies in the source folder.
void use_dockerfile(Build& build, base::Located<std::string> dockerfile, Folders& folders, base::Diagnostics& out) {
  if (!folders.has_file(in_project(*build.source, *dockerfile))) {
    out.error(dockerfile.span, fmt::format("there is no '{}' in the source folder '{}'", base::printable(*dockerfile),
                                           base::printable(*build.source)));
  }
  build.dockerfile = std::move(dockerfile);
}

void use_stack(Build& build, base::Located<Stack> stack, Folders& folders, base::Diagnostics& out) {
  const auto& facts = folders.at(*build.source);
  build.stack = *stack;
  if (has_template(*stack, facts)) {
    return;
  }
  if (facts.has_dockerfile || *stack == Stack::dockerfile) {
    build.stack = Stack::dockerfile;
    use_dockerfile(build, {std::string(usual_dockerfile), stack.span}, folders, out);
  } else if (*stack == Stack::cpp) {
    out.error(stack.span,
              "no Dockerfile template for C++ without a CMakeLists.txt yet: add a Dockerfile to the source folder");
  } else {
    out.error(stack.span,
              fmt::format("no Dockerfile template for stack '{}' yet: add a Dockerfile to the source folder",
                          to_string(*stack)));
  }
}

void detect_stack(Build& build, const base::Located<std::string>& service, Folders& folders, base::Diagnostics& out) {
  const auto& facts = folders.at(*build.source);
  if (facts.has_dockerfile) {
    use_stack(build, {Stack::dockerfile, service.span}, folders, out);
  } else if (facts.stack) {
    use_stack(build, {*facts.stack, service.span}, folders, out);
  } else {
    out.error(service.span,
              fmt::format("cannot tell what '{}' is made of: no build files in the source folder '{}'", *service,
                          base::printable(*build.source)),
              "give 'source', 'stack', or 'image' for a ready image");
  }
}

// Whether the source folder can be looked into.
bool check_source(const Build& build, const FolderFacts& facts, base::Diagnostics& out) {
  const auto& source = build.source;
  if (!facts.exists) {
    out.error(source.span, fmt::format("there is no folder '{}'", base::printable(*source)));
  } else if (!facts.leads_to.empty()) {
    out.error(source.span, fmt::format("'{}' leads to {}, out of the project's folder", base::printable(*source),
                                       base::printable(facts.leads_to)));
  }
  return facts.exists && facts.leads_to.empty();
}

void settle_stack(Build& build, const NamedService& service, const WrittenBuild& written, Folders& folders,
                  base::Diagnostics& out) {
  const auto& stack = service.value->stack;
  if (!check_source(build, folders.at(*build.source), out)) {
    return;
  }
  if (written.dockerfile) {
    build.stack = value_or(stack, Stack::dockerfile);
    if (!written.dockerfile->is_broken) {
      use_dockerfile(build, {**written.dockerfile, written.dockerfile->at}, folders, out);
    }
  } else if (const auto* given = sound(stack)) {
    use_stack(build, {*given, stack->at}, folders, out);
  } else if (!stack) {
    detect_stack(build, service.name, folders, out);
  }
}

// An engine gives one image for each build.
void refuse_several_platforms(const WrittenBuild& written, base::Diagnostics& out) {
  const auto* platforms = sound(written.platforms);
  if (platforms != nullptr && platforms->size() > 1) {
    out.error(written.platforms->key, "several platforms at once need 'builder: native'",
              "or name one platform, and build for each in a run of its own");
  }
}

// What only one of the builders looks at.
void refuse_what_builder_ignores(const WrittenBuild& written, Builder builder, base::Diagnostics& out) {
  if (builder == Builder::docker) {
    constexpr std::string_view why = "without 'builder: native'";
    refuse_useless(written.artifact, "artifact", why, out);
    refuse_useless(written.compression, "compression", why, out);
    refuse_several_platforms(written, out);
    return;
  }
  constexpr std::string_view why = "with 'builder: native'";
  refuse_useless(written.dockerfile, "dockerfile", why, out);
  refuse_useless(written.target, "target", why, out);
  refuse_useless(written.base, "base", why, out);
  if (written.artifact) {
    refuse_useless(written.package, "package", "beside 'artifact'", out);
  }
}

// The native builder looks at no Dockerfile: it compiles what it knows, or takes what is made.
void settle_native_stack(Build& build, const NamedService& service, Folders& folders, base::Diagnostics& out) {
  const auto& facts = folders.at(*build.source);
  const auto& given = service.value->stack;
  if (!check_source(build, facts, out)) {
    return;
  }
  build.stack = value_or(given, facts.stack.value_or(Stack::dockerfile));
  if (!build.artifacts.empty()) {
    return;
  }
  const auto& place = given ? given->at : service.name.span;
  if (build.stack == Stack::cpp && !facts.has_cmake) {
    out.error(place, "the native builder compiles C++ with CMake, and there is no CMakeLists.txt",
              "name what is made otherwise as 'artifact' under 'build'");
  } else if (build.stack != Stack::go && build.stack != Stack::cpp) {
    out.error(
        place,
        fmt::format("the native builder compiles Go and C++, and '{}' is neither", base::printable(*service.name)),
        "name what is made already as 'artifact' under 'build'");
  }
}

}  // namespace

bool is_external(const WrittenService& written) {
  const auto* address = sound(written.service);
  const auto* type = address == nullptr ? nullptr : sound(address->type);
  return type != nullptr && *type == ServicePort::Type::external_name;
}

bool is_built(const WrittenService& written) {
  return !is_external(written) && (written.source || written.stack || written.build || !written.image);
}

Build settle_build(const NamedService& service, Folders& folders, base::Diagnostics& out) {
  const auto written = value_or(service.value->build, {});
  const auto& owner = service.name.span;
  Build build;
  build.source = located_or(service.value->source, std::string("."), owner);
  build.package = located_or(written.package, std::string(), owner);
  build.dockerfile.span = owner;
  build.target = value_or(written.target, {});
  build.args = settle_args(written, out);
  build.secrets = value_or(written.secrets, {});
  build.base = located_or(written.base, std::string(), owner);
  build.runtime = located_or(written.runtime, std::string(), owner);
  for (const auto& platform : value_or(written.platforms, {})) {
    build.platforms.push_back(*platform);
  }
  if (const auto* size = sound(written.max_size)) {
    build.max_size = *size;
  }
  build.builder = value_or(written.builder, Builder::docker);
  for (const auto& artifact : value_or(written.artifact, {})) {
    build.artifacts.push_back({.path = *artifact.name, .source = {artifact.value, artifact.at}});
  }
  build.compression = value_or(written.compression, LayerCompression::gzip);
  const bool builder_is_usable = !written.builder || sound(written.builder) != nullptr;
  if (builder_is_usable) {
    refuse_what_builder_ignores(written, build.builder, out);
  }
  build.sbom = value_or(written.sbom, false);
  build.provenance = value_or(written.provenance, false);
  warn_of_moving_tag(build.base, out);
  warn_of_moving_tag(build.runtime, out);
  const bool source_is_usable = !service.value->source || sound(service.value->source) != nullptr;
  if (source_is_usable && build.is_native()) {
    settle_native_stack(build, service, folders, out);
  } else if (source_is_usable) {
    settle_stack(build, service, written, folders, out);
  }
  if (!build.dockerfile->empty()) {
    refuse_what_own_dockerfile_ignores(written, out);
  }
  return build;
}

base::Located<std::string> settle_image(const NamedService& service, const Optional<std::string>& registry,
                                        base::Diagnostics& out) {
  const auto& image = service.value->image;
  if (!is_built(*service.value)) {
    auto ready = located_or(image, std::string(), service.name.span);
    if (sound(image) != nullptr) {
      warn_of_moving_tag(ready, out);
    }
    return ready;
  }
  if (image) {
    const auto name = parse_image_name(image->value);
    if (name && !(name->tag.empty() && name->digest.empty())) {
      out.error(image->at, "the image of a built service is named without tag and digest",
                fmt::format("write '{}'", name->repository));
    }
    return {image->value, image->at};
  }
  const auto* place = sound(registry);
  return {place == nullptr ? *service.name : fmt::format("{}/{}", *place, *service.name),
          registry ? registry->at : service.name.span};
}

}  // namespace deployctl::project
