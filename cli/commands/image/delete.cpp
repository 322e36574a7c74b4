#include "cli/approval.hpp"
#include "cli/commands/image/image_commands.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "core/base/text.hpp"
#include "core/execute/step_report.hpp"
#include "core/images/removal.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <memory>

namespace deployctl::cli {
namespace {

struct DeleteOptions {
  std::string image;
  bool yes = false;
};

// What is to be deleted, and what else that concerns.
struct Removal {
  oci::Reference reference;
  oci::Digest digest;
  images::Dependents dependents;

  [[nodiscard]] bool is_tag() const { return !reference.digest; }
};

base::Result<oci::Reference> parse_target(const std::string& text) {
  const auto location = images::parse_location(text);
  if (!location) {
    return location.error();
  }
  if (location->kind != images::Location::Kind::registry) {
    return base::Error::usage("only a registry's images are deleted: '{}' lies in files", base::printable(text));
  }
  if (location->reference.tag.empty() && !location->reference.digest) {
    return base::Error::usage("'{}' does not say which image: write its tag or its digest", base::printable(text));
  }
  return location->reference;
}

base::Result<Removal> look_around(const oci::Reference& reference, ImageAccess& access) {
  const auto stop = access.ports().stop;
  const auto digest = access.registry().resolve(reference, stop);
  if (!digest) {
    return digest.error();
  }
  auto dependents = images::dependents_of(access.registry(), reference, *digest, stop);
  if (!dependents) {
    return dependents.error();
  }
  return Removal{.reference = reference, .digest = *digest, .dependents = *std::move(dependents)};
}

std::vector<std::string> other_tags(const Removal& removal) {
  auto tags = removal.dependents.tags;
  std::erase_if(tags, [&](const std::string& tag) { return removal.is_tag() && tag == removal.reference.tag; });
  return tags;
}

// What people should know before they say yes.
void tell_consequences(Runtime& runtime, const Removal& removal) {
  const auto others = other_tags(removal);
  if (!others.empty()) {
    runtime.remark(removal.is_tag()
                       ? fmt::format("these tags point at the image too and stay: {}", base::join(others, ", "))
                       : fmt::format("these tags go with it: {}", base::join(others, ", ")));
  }
  if (!removal.is_tag() && !removal.dependents.index_tags.empty()) {
    runtime.remark(
        fmt::format("an index lists it and would be incomplete: {}", base::join(removal.dependents.index_tags, ", ")));
  }
  if (!removal.is_tag() && !removal.dependents.referrers.empty()) {
    runtime.remark(fmt::format("what refers to it (SBOMs, signatures) stays, under these tags: {}",
                               base::join(removal.dependents.referrers, ", ")));
  }
  if (!removal.dependents.is_complete) {
    runtime.remark(fmt::format("only {} tags of the repository were looked at", images::most_tags_looked_at));
  }
}

// Where only manifests can be deleted, the words for it with what it would take along.
base::Error with_way_out(base::Error error, const Removal& removal) {
  if (error.code != base::ErrorCode::refused || !removal.is_tag()) {
    return error;
  }
  auto target = removal.reference.with_digest(removal.digest);
  target.tag.clear();
  const auto others = other_tags(removal);
  error.hint = fmt::format("'deployctl image delete {}' deletes the image itself{}", oci::to_familiar(target),
                           others.empty() ? "" : ", and with it the tags " + base::join(others, ", "));
  return error;
}

base::Status remove(const Removal& removal, ImageAccess& access) {
  const auto& ports = access.ports();
  const auto name = oci::to_familiar(removal.reference);
  execute::StepReport report(ports.events, ports.clock, "delete", "", "deleting " + name);
  const auto removed = access.registry().remove(removal.reference, ports.stop);
  if (!removed) {
    report.finish(events::StepFinished::Outcome::failed, removed.error().message);
    return with_way_out(removed.error(), removal).within("deleting {}", name);
  }
  report.finish(events::StepFinished::Outcome::done,
                fmt::format("{} is gone; the registry frees the space when it collects garbage", name));
  return {};
}

base::Status run(Runtime& runtime, const oci::Reference& reference, bool yes) {
  ImageAccess access(runtime);
  const auto removal = look_around(reference, access);
  if (!removal) {
    return removal.error();
  }
  tell_consequences(runtime, *removal);
  const auto question = removal->is_tag()
                            ? fmt::format("deleting {} ({})", oci::to_familiar(reference), removal->digest.text())
                            : fmt::format("deleting {}", oci::to_familiar(reference));
  if (const auto approved = confirm(runtime, question, yes); !approved) {
    return approved;
  }
  return remove(*removal, access);
}

int delete_image(Runtime& runtime, const DeleteOptions& options) {
  const auto reference = parse_target(options.image);
  if (!reference) {
    return runtime.fail(reference.error());
  }
  runtime.begin_run("image delete");
  return runtime.end_run(run(runtime, *reference, options.yes));
}

}  // namespace

Action declare_image_delete(CLI::App& parser) {
  auto options = std::make_shared<DeleteOptions>();
  add_location(parser, "image", options->image,
               "registry/repository:tag, or …@sha256:… for a manifest with all its tags");
  add_yes(parser, options->yes);
  return [options](Runtime& runtime) { return delete_image(runtime, *options); };
}

}  // namespace deployctl::cli
