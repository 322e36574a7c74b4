#include "cli/commands/image/image_commands.hpp"
#include "cli/runtime.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <array>

namespace deployctl::cli {
namespace {

constexpr std::string_view look_group = "Look";
constexpr std::string_view move_group = "Change";

constexpr std::array image_table{
    Command{"inspect", look_group, "show an image's platforms, settings, layers, sizes and what refers to it",
            "  deployctl image inspect registry.example.com/team/api:v1\n"
            "  deployctl image inspect registry.example.com/team/api:v1 --platform linux/arm64\n"
            "  deployctl image inspect oci:build/api --output json",
            declare_image_inspect, nullptr, Prints::results},
    Command{"tags", look_group, "list the tags of a repository", "  deployctl image tags registry.example.com/team/api",
            declare_image_tags, nullptr, Prints::results},
    Command{"sbom", look_group, "print what is in an image as an SPDX document: files, packages, modules",
            "  deployctl image sbom registry.example.com/team/api:v1 > api.spdx.json\n"
            "  deployctl image sbom docker-archive:api.tar | jq '.packages[].name'",
            declare_image_sbom, nullptr, Prints::results},
    Command{"diff", look_group, "show what changed between two images, by setting, layer and file",
            "  deployctl image diff registry.example.com/team/api:v1 registry.example.com/team/api:v2\n"
            "  deployctl image diff docker-archive:before.tar docker-archive:after.tar --all",
            declare_image_diff, nullptr, Prints::results},
    Command{"verify", look_group, "check that an image is signed with a key (cosign's signatures)",
            "  deployctl image verify registry.example.com/team/api:v1 --key cosign.pub\n"
            "  image=$(deployctl image verify registry.example.com/team/api:v1 --key cosign.pub) &&\n"
            "    deployctl rollout --image api=$image",
            declare_image_verify, nullptr, Prints::results},
    Command{"copy", move_group, "copy an image between registries, tags, layouts and archives",
            "  deployctl image copy registry.example.com/team/api:v1 registry.example.com/team/api:stable\n"
            "  deployctl image copy staging.example.com/api:v1 prod.example.com/api:v1 --with-referrers",
            declare_image_copy},
    Command{"export", move_group, "write an image to a folder or an archive",
            "  deployctl image export registry.example.com/team/api:v1 oci:api\n"
            "  deployctl image export registry.example.com/team/api:v1 docker-archive:api.tar\n"
            "  docker load -i api.tar",
            declare_image_export},
    Command{"import", move_group, "push an image out of a folder or an archive to a registry",
            "  deployctl image import oci:api registry.example.com/team/api:v1\n"
            "  deployctl image import docker-archive:api.tar registry.example.com/team/api:v1",
            declare_image_import},
    Command{"delete", move_group, "delete a tag or an image from a registry",
            "  deployctl image delete registry.example.com/team/api:old\n"
            "  deployctl image delete registry.example.com/team/api@sha256:… --yes",
            declare_image_delete},
};

}  // namespace

std::span<const Command> image_commands() {
  return image_table;
}

ImageAccess::ImageAccess(Runtime& runtime)
    : ports_(runtime.ports()),
      registry_(execute::open_registry(ports_)),
      store_(execute::open_image_store(ports_.environment)) {}

images::Ports ImageAccess::images(const std::string& step) {
  return {
      .registry = registry_->client,
      .store = store_,
      .on_progress =
          [&events = ports_.events, step](const registry::Progress& progress) {
            events.emit(events::TransferProgress{
                .step = step, .service = {}, .what = progress.what, .done = progress.done, .total = progress.total});
          },
      .stop = ports_.stop};
}

void add_platform(CLI::App& parser, std::optional<oci::Platform>& platform, const std::string& help) {
  parser
      .add_option_function<std::string>(
          "--platform",
          [&platform](const std::string& text) {
            const auto parsed = oci::parse_platform(text);
            if (!parsed) {
              throw CLI::ValidationError("--platform", parsed.error().message);
            }
            platform = *parsed;
          },
          help)
      ->type_name("OS/ARCH");
}

void add_location(CLI::App& parser, const std::string& name, std::string& text, const std::string& help) {
  parser.add_option(name, text, help)->type_name("IMAGE")->required();
}

std::string short_digest(const oci::Digest& digest) {
  return fmt::format("{}:{}", digest.algorithm(), digest.brief());
}

json::Value descriptor_json(const oci::Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type}, {"digest", descriptor.digest.text()}, {"size", descriptor.size}};
}

}  // namespace deployctl::cli
