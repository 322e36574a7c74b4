#include "cli/commands/image/image_commands.hpp"
#include "cli/runtime.hpp"
#include "core/base/text.hpp"
#include "core/images/signatures.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

constexpr std::uint64_t longest_key = 64u << 10u;

struct VerifyOptions {
  std::string image;
  std::string key;
};

base::Result<oci::PublicKey> read_key(const std::string& path, const execute::Ports& ports) {
  const auto pem = ports.files.read(path, longest_key);
  const auto key = pem ? oci::PublicKey::from_pem(*pem) : pem.error();
  return key ? key : key.error().within("reading the key {}", base::printable(path));
}

base::Result<oci::Reference> parse_signed(const std::string& text) {
  const auto location = images::parse_location(text);
  if (!location) {
    return location.error();
  }
  if (location->kind != images::Location::Kind::registry) {
    return base::Error::usage("signatures lie in registries, and '{}' names files", base::printable(text));
  }
  return location->reference;
}

std::string_view to_string(images::Signature::Layout layout) {
  return layout == images::Signature::Layout::tag ? "tag" : "bundle";
}

json::Value to_json(const images::SignedImage& image, const oci::Reference& pinned) {
  auto signatures = json::Value::array();
  for (const auto& signature : image.signatures) {
    signatures.push_back({{"layout", to_string(signature.layout)},
                          {"manifest", signature.manifest.text()},
                          {"problem", signature.problem.empty() ? json::Value() : json::Value(signature.problem)}});
  }
  return {{"image", oci::to_string(pinned)},
          {"digest", image.digest.text()},
          {"verified", image.is_verified()},
          {"signatures", std::move(signatures)}};
}

base::Error not_verified(const images::SignedImage& image, const oci::Reference& pinned, const std::string& key) {
  const auto name = oci::to_familiar(pinned);
  return image.signatures.empty()
             ? base::Error::refused("{} is not signed", name)
             : base::Error::refused("{} has no signature that was made with {}", name, base::printable(key));
}

// The document says it all: there is no failure beside it.
int print_as_json(Runtime& runtime, const images::SignedImage& image, const oci::Reference& pinned) {
  runtime.print(json::to_pretty_text(to_json(image, pinned)));
  return image.is_verified() ? 0 : base::exit_code(base::ErrorCode::refused);
}

int print_as_text(Runtime& runtime, const images::SignedImage& image, const oci::Reference& pinned,
                  const VerifyOptions& options) {
  for (const auto& signature : image.signatures) {
    if (!signature.problem.empty()) {
      runtime.remark(
          fmt::format("the signature in {} does not count: {}", short_digest(signature.manifest), signature.problem));
    }
  }
  if (!image.is_verified()) {
    return runtime.fail(not_verified(image, pinned, options.key));
  }
  runtime.print(oci::to_string(pinned) + "\n");
  return 0;
}

int verify(Runtime& runtime, const VerifyOptions& options) {
  const auto reference = parse_signed(options.image);
  if (!reference) {
    return runtime.fail(reference.error());
  }
  ImageAccess access(runtime);
  const auto key = read_key(options.key, access.ports());
  if (!key) {
    return runtime.fail(key.error());
  }
  const auto found = images::read_signatures(*reference, *key, access.registry(), access.ports().stop);
  if (!found) {
    return runtime.fail(found.error());
  }
  const auto pinned = reference->with_digest(found->digest);
  return runtime.wants_json() ? print_as_json(runtime, *found, pinned)
                              : print_as_text(runtime, *found, pinned, options);
}

}  // namespace

Action declare_image_verify(CLI::App& parser) {
  auto options = std::make_shared<VerifyOptions>();
  add_location(parser, "image", options->image, "a registry's image: registry/repository:tag or @sha256:…");
  parser.add_option("--key", options->key, "the public key, a PEM file (cosign.pub)")->type_name("FILE")->required();
  return [options](Runtime& runtime) { return verify(runtime, *options); };
}

}  // namespace deployctl::cli
