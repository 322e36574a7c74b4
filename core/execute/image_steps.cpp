#include "core/execute/image_steps.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/execute/build_request.hpp"
#include "core/execute/native_steps.hpp"
#include "core/execute/secrets.hpp"
#include "core/oci/docker_archive.hpp"

#include <thread>

namespace deployctl::execute {
namespace {

constexpr std::uint64_t longest_dockerfile = 1u << 20u;

// A step is told when it begins; how it ended is told by the next one, or by the failure.
void tell_progress(const engine::BuildProgress& progress, const StepReport& report, const Ports& ports) {
  using Kind = engine::BuildProgress::Kind;
  if (progress.kind == Kind::step_done || progress.kind == Kind::step_failed) {
    return;
  }
  ports.events.emit(
      events::Output{.step = report.step(),
                     .service = report.service(),
                     .source = "build",
                     .line = base::printable(progress.text) + (progress.kind == Kind::step_cached ? " (cached)" : "")});
}

base::Error build_error(const engine::BuildFailure& failure, const StepReport& report, const Ports& ports) {
  if (!failure.evidence.empty()) {
    std::vector<std::string> lines;
    for (const auto& line : failure.evidence) {
      lines.push_back(base::printable(line));
    }
    ports.events.emit(events::Finding{.step = report.step(),
                                      .service = report.service(),
                                      .weight = events::Finding::Weight::permanent,
                                      .object = failure.step,
                                      .reason = std::string(engine::to_string(failure.cause)),
                                      .message = failure.error.message,
                                      .advice = failure.error.hint,
                                      .log = std::move(lines)});
  }
  return failure.error;
}

base::Status check_size(const project::Build& build, const engine::ImageFacts& image) {
  if (!build.max_size || image.size <= static_cast<std::uint64_t>(build.max_size->units())) {
    return {};
  }
  return base::Error::failed("the image has {} and build.max_size allows {}", base::human_bytes(image.size),
                             build.max_size->text())
      .with_hint("'docker history {}' shows what takes the space", image.tags.empty() ? image.id : image.tags.front());
}

void tell_what_is_sent(const engine::BuildRequest& request, const engine::EngineFacts& engine, const Ports& ports) {
  if (!request.ignore_text.empty() && !engine.takes_ignore_file()) {
    ports.events.emit(events::Note{
        events::Note::Level::warning,
        fmt::format("'{}' has no .dockerignore: all of it is sent to the engine, .git too; 'deployctl generate "
                    "dockerfile' writes one",
                    base::printable(request.context))});
  }
}

// Which images a build stood on: their digests as the builder printed them, else as the engine knows them.
std::vector<sbom::BaseImage> resolved_bases(const std::vector<std::string>& steps, engine::Engine& engine,
                                            std::stop_token stop) {
  auto images = sbom::base_images(steps);
  for (auto& image : images) {
    const auto reference = oci::Reference::parse(image.reference);
    const auto facts = image.digest || !reference ? base::Result<engine::ImageFacts>(engine::ImageFacts{})
                                                  : engine.inspect(oci::to_familiar(*reference), stop);
    if (!facts) {
      continue;
    }
    image.image_id = facts->id;
    for (const auto& known : facts->repo_digests) {
      if (const auto pinned = oci::Reference::parse(known); pinned && pinned->name() == reference->name()) {
        image.digest = pinned->digest;
      }
    }
  }
  return images;
}

BuildTrace trace_of(const engine::BuildRequest& request, const engine::BuiltImage& built,
                    const std::vector<std::string>& steps, engine::Engine& engine, const Ports& ports) {
  const auto& facts = engine.facts();
  BuildTrace trace{.builder = sbom::BuildFacts::Builder::engine,
                   .image = built.image.id,
                   .dockerfile_name = io::file_name(request.dockerfile),
                   .dockerfile = request.dockerfile_text,
                   .arguments = request.args,
                   .base_images = resolved_bases(steps, engine, ports.stop),
                   .programs = {{std::string(engine::to_string(facts.kind)), facts.server_version},
                                {"builder", std::string(engine::to_string(facts.builder))}}};
  if (!request.dockerfile.empty()) {
    if (auto text = ports.files.read(request.dockerfile, longest_dockerfile)) {
      trace.dockerfile = std::move(*text);
    }
  }
  return trace;
}

std::string build_remark(const engine::BuiltImage& built) {
  return fmt::format("{}, {} of {} steps cached", base::human_bytes(built.image.size), built.cached_steps, built.steps);
}

// The image out of the engine, layers compressed, in the user's cache; from the cache alone when it was there before.
base::Result<oci::StoredImage> take_from_engine(engine::Engine& engine, const std::string& reference,
                                                const StepReport& report, const engine::ImageFacts& facts,
                                                oci::ImageStore& store, const Ports& ports) {
  if (const auto id = oci::Digest::parse(facts.id)) {
    if (auto known = store.find_image(*id); known && store.has_all_blobs(*known)) {
      return *known;
    }
  }
  oci::BytePipe pipe;
  base::Status saved;
  std::jthread saver([&] {
    saved = engine.save(
        reference,
        [&](std::string_view piece) -> base::Status {
          return pipe.write(piece) ? base::Status{} : base::Error::failed("the archive is not wanted any more");
        },
        ports.stop);
    pipe.close_writer(saved);
  });
  const oci::ImportOptions options{.on_read =
                                       [&](std::uint64_t read) {
                                         ports.events.emit(events::TransferProgress{.step = report.step(),
                                                                                    .service = report.service(),
                                                                                    .what = "reading the image",
                                                                                    .done = read,
                                                                                    .total = facts.size});
                                       },
                                   .stop = ports.stop};
  auto image = oci::import_docker_archive(pipe.reader(), store, options);
  pipe.close_reader();
  saver.join();
  return image;
}

// The image that the tag points at already, told without asking the engine for any layer.
base::Result<std::optional<oci::Digest>> find_pushed(const engine::ImageFacts& facts, const oci::Reference& target,
                                                     const oci::ImageStore& store, registry::Client& registry,
                                                     std::stop_token stop) {
  const auto id = oci::Digest::parse(facts.id);
  const auto known = id ? store.find_image(*id) : std::nullopt;
  if (!known) {
    return std::optional<oci::Digest>();
  }
  const auto same = registry.points_at(target, known->digest, stop);
  if (!same && (same.error().code == base::ErrorCode::unreachable || stop.stop_requested())) {
    return same.error();
  }
  return same && *same ? std::optional(known->digest) : std::nullopt;
}

base::Result<registry::PushResult> push_from_engine(const project::Service& service, const std::string& reference,
                                                    const oci::Reference& target, const Seen& seen,
                                                    const StepReport& report, oci::ImageStore& store,
                                                    const registry::PushOptions& options, const Ports& ports) {
  const auto facts = seen.world.engine->inspect(reference, ports.stop);
  if (!facts) {
    return facts.error().code == base::ErrorCode::not_found
               ? base::Error::not_found("the engine has no image {}", reference).with_hint("'deployctl build' makes it")
               : facts.error();
  }
  if (const auto fits = check_size(*service.build, *facts); !fits) {  // a build that failed for it has left it there
    return fits.error();
  }
  auto& registry = seen.world.registry->client;
  const auto pushed = find_pushed(*facts, target, store, registry, ports.stop);
  if (!pushed) {
    return pushed.error();
  }
  if (*pushed) {
    return registry::PushResult{.outcome = registry::PushResult::Outcome::unchanged, .digest = **pushed};
  }
  // It takes long to get an image out of the engine: not for a registry that is away or lets nobody in.
  if (const auto answer = registry.ping(target.registry, ports.stop); !answer) {
    return answer.error().within("asking the registry");
  }
  const auto image = take_from_engine(*seen.world.engine, reference, report, *facts, store, ports);
  if (!image) {
    return image.error().within("taking {} out of the engine", reference);
  }
  return registry.push(*image, target, options);
}

std::string push_remark(const registry::PushResult& pushed) {
  return fmt::format("{} in {} blobs sent", base::human_bytes(pushed.uploaded_bytes), pushed.uploaded_blobs);
}

}  // namespace

base::Result<ImageResult> build_image(const project::Target& target, const project::Service& service,
                                      const plan::BuildImage& action, const Seen& seen, const StepReport& report,
                                      const Ports& ports) {
  if (const auto have_values = check_build_secrets(*service.build, ports.environment); !have_values) {
    return have_values.error();
  }
  if (service.build->is_native()) {
    return build_natively(target, service, action, seen, report, ports);
  }
  auto& engine = *seen.world.engine;
  const auto request = build_request(target, service, action, seen, engine.facts(), ports.files);
  if (!request) {
    return request.error();
  }
  tell_what_is_sent(*request, engine.facts(), ports);
  const auto reference = request->tags.front();
  const auto before = engine.inspect(reference, ports.stop);
  std::vector<std::string> steps;
  const auto outcome = engine.build(
      *request,
      [&](const engine::BuildProgress& progress) {
        tell_progress(progress, report, ports);
        if (action.with_provenance && progress.kind == engine::BuildProgress::Kind::step_started) {
          steps.push_back(progress.text);
        }
      },
      ports.stop);
  return std::visit(base::Overloaded{
                        [&](const engine::BuildFailure& failure) -> base::Result<ImageResult> {
                          return build_error(failure, report, ports);
                        },
                        [&](const engine::BuiltImage& built) -> base::Result<ImageResult> {
                          if (const auto fits = check_size(*service.build, built.image); !fits) {
                            return fits.error();
                          }
                          return ImageResult{.reference = reference,
                                             .is_unchanged = before && before->id == built.image.id,
                                             .remark = build_remark(built),
                                             .trace = action.with_provenance
                                                          ? trace_of(*request, built, steps, engine, ports)
                                                          : BuildTrace{}};
                        },
                    },
                    outcome);
}

base::Result<ImageResult> push_image(const project::Service& service, const plan::PushImage& action, const Seen& seen,
                                     const StepReport& report, const Ports& ports) {
  const auto reference = action.repository + ":" + action.tag;
  const auto target = oci::Reference::parse(reference);
  if (!target) {
    return target.error();
  }
  auto store = open_image_store(ports.environment);
  const registry::PushOptions options{.on_progress =
                                          [&](const registry::Progress& progress) {
                                            ports.events.emit(events::TransferProgress{.step = report.step(),
                                                                                       .service = report.service(),
                                                                                       .what = progress.what,
                                                                                       .done = progress.done,
                                                                                       .total = progress.total});
                                          },
                                      .stop = ports.stop};
  const auto pushed = service.build->is_native()
                          ? push_native(*target, store, seen.world.registry->client, options)
                          : push_from_engine(service, reference, *target, seen, report, store, options, ports);
  if (!pushed) {
    return pushed.error();
  }
  if (const auto trimmed = store.trim(oci::ImageStore::usual_size); !trimmed) {
    ports.events.emit(events::Note{events::Note::Level::warning, base::to_string(trimmed.error())});
  }
  const bool unchanged = pushed->outcome == registry::PushResult::Outcome::unchanged;
  return ImageResult{.reference = pinned(reference, pushed->digest),
                     .is_unchanged = unchanged,
                     .remark = unchanged ? std::string() : push_remark(*pushed)};
}

}  // namespace deployctl::execute
