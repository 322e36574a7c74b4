// What each command below `deployctl image` declares, and what they share.
#pragma once

#include "cli/command.hpp"
#include "core/execute/ports.hpp"
#include "core/execute/world.hpp"
#include "core/images/source.hpp"
#include "core/json/value.hpp"
#include "core/oci/platform.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace deployctl::cli {

// Every command below `image`, in the order of its help page.
std::span<const Command> image_commands();

Action declare_image_inspect(CLI::App& parser);
Action declare_image_tags(CLI::App& parser);
Action declare_image_sbom(CLI::App& parser);
Action declare_image_diff(CLI::App& parser);
Action declare_image_verify(CLI::App& parser);
Action declare_image_copy(CLI::App& parser);
Action declare_image_export(CLI::App& parser);
Action declare_image_import(CLI::App& parser);
Action declare_image_delete(CLI::App& parser);

// Registry, cache and progress of one command, connected when first used.
class ImageAccess {
 public:
  explicit ImageAccess(Runtime& runtime);

  [[nodiscard]] const execute::Ports& ports() const { return ports_; }
  // For core/images; progress goes to the step of that name.
  [[nodiscard]] images::Ports images(const std::string& step);
  [[nodiscard]] registry::Client& registry() { return registry_->client; }

 private:
  execute::Ports ports_;
  std::unique_ptr<execute::RegistryAccess> registry_;
  oci::ImageStore store_;
};

// "--platform linux/arm64"
void add_platform(CLI::App& parser, std::optional<oci::Platform>& platform, const std::string& help);
// A positional location of an image: a registry's, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE.
void add_location(CLI::App& parser, const std::string& name, std::string& text, const std::string& help);

std::string short_digest(const oci::Digest& digest);  // "sha256:3f4a8b21c0de"
json::Value descriptor_json(const oci::Descriptor& descriptor);

}  // namespace deployctl::cli
