#include "cli/commands/image/image_commands.hpp"
#include "cli/runtime.hpp"
#include "core/base/text.hpp"
#include "core/images/tag_order.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

struct TagsOptions {
  std::string repository;
  bool all = false;
};

std::string as_text(const images::Tags& tags, bool all) {
  std::string lines;
  for (const auto& tag : tags.names) {
    lines += base::printable(tag) + "\n";
  }
  for (const auto& tag : all ? tags.referrers : std::vector<std::string>()) {
    lines += base::printable(tag) + "\n";
  }
  return lines;
}

void tell_left_out(Runtime& runtime, std::size_t count) {
  runtime.remark(count == 1 ? "1 tag of what refers to images (SBOMs, signatures) is left out: --all shows it"
                            : fmt::format("{} tags of what refers to images (SBOMs, signatures) are left out: --all "
                                          "shows them",
                                          count));
}

int list_tags(Runtime& runtime, const TagsOptions& options) {
  const auto& repository = options.repository;
  const auto reference = oci::Reference::parse(repository);
  if (!reference) {
    return runtime.fail(reference.error());
  }
  if (!reference->tag.empty() || reference->digest) {
    return runtime.fail(base::Error::usage("'{}' is one image, not a repository", base::printable(repository))
                            .with_hint("leave out what follows {}", reference->name()));
  }
  ImageAccess access(runtime);
  const auto listed = access.registry().tags(*reference, access.ports().stop);
  if (!listed) {
    return runtime.fail(listed.error().within("listing the tags of {}", reference->name()));
  }
  const auto tags = images::in_order(*listed);
  if (runtime.wants_json()) {
    runtime.print(json::to_pretty_text(
        {{"repository", reference->name()}, {"tags", tags.names}, {"referrerTags", tags.referrers}}));
    return 0;
  }
  runtime.print(as_text(tags, options.all));
  if (!options.all && !tags.referrers.empty()) {
    tell_left_out(runtime, tags.referrers.size());
  }
  return 0;
}

}  // namespace

Action declare_image_tags(CLI::App& parser) {
  auto options = std::make_shared<TagsOptions>();
  parser.add_option("repository", options->repository, "registry/repository, without a tag")
      ->type_name("NAME")
      ->required();
  parser.add_flag("--all", options->all, "also the tags that SBOMs and signatures are kept under (sha256-…)");
  return [options](Runtime& runtime) { return list_tags(runtime, *options); };
}

}  // namespace deployctl::cli
