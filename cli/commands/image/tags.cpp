#include "cli/commands/image/image_commands.hpp"
#include "cli/runtime.hpp"
#include "core/base/text.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

int list_tags(Runtime& runtime, const std::string& repository) {
  const auto reference = oci::Reference::parse(repository);
  if (!reference) {
    return runtime.fail(reference.error());
  }
  if (!reference->tag.empty() || reference->digest) {
    return runtime.fail(base::Error::usage("'{}' is one image, not a repository", base::printable(repository))
                            .with_hint("leave out what follows {}", reference->name()));
  }
  ImageAccess access(runtime);
  const auto tags = access.registry().tags(*reference, access.ports().stop);
  if (!tags) {
    return runtime.fail(tags.error().within("listing the tags of {}", reference->name()));
  }
  if (runtime.wants_json()) {
    runtime.print(json::to_pretty_text({{"repository", reference->name()}, {"tags", *tags}}));
    return 0;
  }
  std::string lines;
  for (const auto& tag : *tags) {
    lines += base::printable(tag) + "\n";
  }
  runtime.print(lines);
  return 0;
}

}  // namespace

Action declare_image_tags(CLI::App& parser) {
  auto repository = std::make_shared<std::string>();
  parser.add_option("repository", *repository, "registry/repository, without a tag")->type_name("NAME")->required();
  return [repository](Runtime& runtime) { return list_tags(runtime, *repository); };
}

}  // namespace deployctl::cli
