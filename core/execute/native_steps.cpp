#include "core/execute/native_steps.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/execute/build_request.hpp"
#include "core/generate/dockerfile.hpp"
#include "core/oci/digest.hpp"
#include "core/registry/trust.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Error;
using project::Stack;

oci::Platform platform_of(const std::string& text) {
  const auto parts = base::split(text, '/');
  return {.os = std::string(parts.front()),
          .architecture = parts.size() > 1 ? std::string(parts[1]) : std::string(),
          .variant = parts.size() > 2 ? std::string(parts[2]) : std::string()};
}

std::vector<oci::Platform> platforms_of(const project::Build& build) {
  std::vector<oci::Platform> platforms;
  for (const auto& platform : build.platforms) {
    platforms.push_back(platform_of(platform));
  }
  return platforms.empty() ? std::vector{native::host_platform()} : platforms;
}

// Our own folder for what a service's compiler makes, the same at every build.
std::string work_directory(const project::Target& target, const project::Service& service, const Ports& ports) {
  const auto name = oci::Digest::of(target.directory + "\n" + *service.name);
  return fmt::format("{}/native/{}-{}", cache_directory(ports.environment), *service.name, name.brief());
}

base::Status add_toolchain(native::BuildRequest& request, const project::Service& service, const Seen& seen) {
  const auto& build = *service.build;
  if (!build.artifacts.empty()) {
    return {};
  }
  const auto facts = seen.observation.inputs.facts(*service.name);
  if (build.stack == Stack::go) {
    request.toolchain = native::Toolchain::go;
    request.package = generate::go_package(build, facts);
    return {};
  }
  if (build.stack == Stack::cpp) {
    const auto executable = generate::cpp_executable(service, facts);
    request.toolchain = native::Toolchain::cmake;
    request.package = executable ? *executable : std::string();
    return executable ? base::Status() : executable.error();
  }
  return Error::refused("the native builder compiles Go and C++, and the stack of '{}' is {}", *service.name,
                        project::to_string(build.stack))
      .with_hint("name what is made already as build.artifact");
}

oci::Digest digest_of(const oci::AnyImage& image) {
  return std::visit([](const auto& any) { return any.digest; }, image);
}

bool has_all_blobs(const oci::AnyImage& image, const oci::ImageStore& store) {
  return std::visit(base::Overloaded{[&](const oci::StoredImage& one) { return store.has_all_blobs(one); },
                                     [&](const oci::StoredIndex& index) {
                                       return std::ranges::all_of(
                                           index.images, [&](const auto& each) { return store.has_all_blobs(each); });
                                     }},
                    image);
}

// What the image is called in the cache: as a reference in full, however the user wrote it.
std::string name_of(const plan::BuildImage& action) {
  const auto reference = oci::Reference::parse(action.repository + ":" + action.tag);
  return reference ? reference->name() + ":" + reference->tag : action.repository + ":" + action.tag;
}

base::Status check_size(const project::Build& build, const native::BuiltPlatform& built, const StepReport& report,
                        const Ports& ports) {
  const auto size = built.unpacked_size();
  if (!build.max_size || size <= static_cast<std::uint64_t>(build.max_size->units())) {
    return {};
  }
  auto error =
      Error::failed("the image has {} and build.max_size allows {}", base::human_bytes(size), build.max_size->text());
  ports.events.emit(events::Finding{.step = report.step(),
                                    .service = report.service(),
                                    .weight = events::Finding::Weight::permanent,
                                    .object = "image",
                                    .reason = "TooLarge",
                                    .message = error.message,
                                    .advice = "leave out what is not needed, with .dockerignore or a smaller runtime",
                                    .log = native::space_report(built)});
  return error;
}

// The base as the builder wrote it on the image it made; nothing for scratch.
std::optional<sbom::BaseImage> base_of(const std::map<std::string, std::string>& labels) {
  const auto name = labels.find("org.opencontainers.image.base.name");
  const auto digest = labels.find("org.opencontainers.image.base.digest");
  if (name == labels.end() || digest == labels.end()) {
    return {};
  }
  auto reference = oci::Reference::parse(name->second);
  const auto parsed = oci::Digest::parse(digest->second);
  if (!reference || !parsed) {
    return {};
  }
  reference->digest.reset();
  return sbom::BaseImage{.reference = oci::to_string(*reference), .digest = *parsed, .image_id = {}};
}

std::vector<sbom::BaseImage> bases_of(const native::BuiltImage& built, const oci::ImageStore& store,
                                      const io::FileSystem& files) {
  std::vector<sbom::BaseImage> bases;
  for (const auto& platform : built.platforms) {
    const auto bytes = files.read(store.blob_path(platform.image.config.digest), oci::longest_config);
    const auto config = bytes ? oci::parse_config(*bytes) : bytes.error();
    auto base = config ? base_of(config->settings.labels) : std::nullopt;
    if (base && std::ranges::find(bases, *base) == bases.end()) {
      bases.push_back(std::move(*base));
    }
  }
  return bases;
}

BuildTrace trace_of(const native::BuiltImage& built, const native::BuildRequest& request, const oci::ImageStore& store,
                    const io::FileSystem& files) {
  return {.builder = sbom::BuildFacts::Builder::native,
          .image = digest_of(built.image).text(),
          .arguments = request.variables,
          .base_images = bases_of(built, store, files)};
}

// Only a service that is told a time zone needs its rules.
std::string time_zone_of(const project::Service& service) {
  const auto found = std::ranges::find(service.env, "TZ", &project::NamedValues::value_type::first);
  return found == service.env.end() ? std::string() : *found->second;
}

std::int64_t seconds_of(io::WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::string remark_of(const native::BuiltImage& built) {
  std::uint64_t size = 0;
  std::size_t layers = 0;
  std::size_t cached = 0;
  for (const auto& platform : built.platforms) {
    size = std::max(size, platform.unpacked_size());
    layers += platform.layers.size();
    cached += static_cast<std::size_t>(std::ranges::count_if(platform.layers, &native::BuiltLayer::is_cached));
  }
  const auto platforms =
      built.platforms.size() == 1 ? std::string() : fmt::format(", {} platforms", built.platforms.size());
  return fmt::format("{}{}, {} of {} layers cached", base::human_bytes(size), platforms, cached, layers);
}

}  // namespace

base::Result<std::optional<std::int64_t>> source_date(const io::Environment& environment) {
  const auto given = environment.get_or("SOURCE_DATE_EPOCH", "");
  if (given.empty()) {
    return std::optional<std::int64_t>();
  }
  const auto seconds = base::parse_integer(given);
  if (!seconds || *seconds < 0) {
    return Error::usage("SOURCE_DATE_EPOCH is '{}', not a number of seconds since 1970", base::printable(given));
  }
  return std::optional<std::int64_t>(*seconds);
}

base::Result<native::BuildRequest> native_request(const project::Target& target, const project::Service& service,
                                                  const plan::BuildImage& action, const Seen& seen,
                                                  const Ports& ports) {
  const auto& build = *service.build;
  const auto date = source_date(ports.environment);
  if (!date) {
    return date.error();
  }
  native::BuildRequest request{.project = target.directory,
                               .source = io::join_path(target.directory, *build.source),
                               .entrypoint = generate::entrypoint(service),
                               .runtime = build.runtime->empty() ? std::string(native::scratch) : *build.runtime,
                               .platforms = platforms_of(build),
                               .labels = image_labels(target, service, action, seen),
                               .user = static_cast<std::uint32_t>(generate::runtime_user),
                               .version = action.tag,
                               .commit = seen.commit ? seen.commit->id : std::string("unknown"),
                               .certificates = registry::system_authorities(ports.files, ports.environment),
                               .time_zone = time_zone_of(service),
                               .compression = build.compression == project::LayerCompression::zstd
                                                  ? oci::Compression::zstd
                                                  : oci::Compression::gzip,
                               .time = date->value_or(seen.commit ? seconds_of(seen.commit->time) : 0),
                               .layer_time = date->value_or(0),  // the commit's would make new layers at every commit
                               .directory = work_directory(target, service, ports)};
  for (const auto& artifact : build.artifacts) {
    request.artifacts.push_back({.path = artifact.path, .source = *artifact.source});
  }
  for (const auto& port : service.ports) {
    request.ports.push_back(port.number);
  }
  for (const auto& volume : service.volumes) {
    request.volumes.push_back(volume.mount);
  }
  for (const auto& [name, value] : build.args) {
    request.variables[name] = *value;
  }
  for (const auto& secret : build.secrets) {
    request.secrets.push_back(*secret);
  }
  const auto toolchain = add_toolchain(request, service, seen);
  return toolchain ? base::Result<native::BuildRequest>(std::move(request)) : toolchain.error();
}

base::Result<ImageResult> build_natively(const project::Target& target, const project::Service& service,
                                         const plan::BuildImage& action, const Seen& seen, const StepReport& report,
                                         const Ports& ports) {
  const auto request = native_request(target, service, action, seen, ports);
  if (!request) {
    return request.error();
  }
  auto store = open_image_store(ports.environment);
  const auto registry = open_registry(target, ports);
  const auto built = native::build(
      *request,
      {.processes = ports.processes,
       .files = ports.files,
       .registry = registry->client,
       .store = store,
       .on_line =
           [&](std::string_view line) {
             ports.events.emit(events::Output{
                 .step = report.step(), .service = report.service(), .source = "build", .line = base::printable(line)});
           },
       .stop = ports.stop});
  if (!built) {
    return built.error();
  }
  for (const auto& platform : built->platforms) {
    if (const auto fits = check_size(*service.build, platform, report, ports); !fits) {
      return fits.error();
    }
  }
  const auto before = store.find_named(name_of(action));
  if (const auto named = store.remember_named(name_of(action), built->image); !named) {
    return named.error();
  }
  return ImageResult{.reference = action.repository + ":" + action.tag,
                     .is_unchanged = before && digest_of(*before) == digest_of(built->image),
                     .remark = remark_of(*built),
                     .trace = action.with_provenance ? trace_of(*built, *request, store, ports.files) : BuildTrace{}};
}

base::Result<registry::PushResult> push_native(const oci::Reference& target, const oci::ImageStore& store,
                                               registry::Client& registry, const registry::PushOptions& options) {
  const auto reference = target.name() + ":" + target.tag;
  const auto image = store.find_named(reference);
  if (!image) {
    return Error::not_found("no image {} was built on this machine", reference).with_hint("'deployctl build' makes it");
  }
  if (!has_all_blobs(*image, store)) {
    const auto digest = digest_of(*image);
    const auto same = registry.points_at(target, digest, options.stop);
    if (same && *same) {
      return registry::PushResult{.outcome = registry::PushResult::Outcome::unchanged, .digest = digest};
    }
    return Error::not_found("parts of the image {} have left the cache since it was built", reference)
        .with_hint("'deployctl build' makes it again");
  }
  return std::visit([&](const auto& any) { return registry.push(any, target, options); }, *image);
}

}  // namespace deployctl::execute
