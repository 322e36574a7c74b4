#include "core/engine/image.hpp"

#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::engine {
namespace {

using json::Reader;

constexpr std::string_view answer_name = "what the engine says about the image";

std::vector<std::string> strings(const Reader& list) {
  std::vector<std::string> texts;
  for (const auto& element : list.elements()) {
    texts.push_back(element.string_or());
  }
  return texts;
}

std::vector<std::string> keys(const Reader& object) {
  std::vector<std::string> names;
  for (const auto& member : object.members()) {
    names.push_back(member.key);
  }
  return names;
}

std::map<std::string, std::string> texts_by_key(const Reader& object) {
  std::map<std::string, std::string> texts;
  for (const auto& member : object.members()) {
    texts[member.key] = member.value.string_or();
  }
  return texts;
}

// podman leaves the algorithm out.
std::string with_algorithm(std::string id) {
  return id.empty() || id.find(':') != std::string::npos ? id : "sha256:" + id;
}

void read_config(const Reader& config, ImageFacts& facts) {
  facts.user = config.at("User").string_or();
  facts.exposed_ports = keys(config.at("ExposedPorts"));
  facts.entrypoint = strings(config.at("Entrypoint"));
  facts.command = strings(config.at("Cmd"));
  facts.labels = texts_by_key(config.at("Labels"));
}

ImageFacts read_docker(const Reader& image) {
  ImageFacts facts;
  facts.id = with_algorithm(image.at("Id").string_or());
  facts.created = image.at("Created").string_or();
  facts.size = static_cast<std::uint64_t>(image.at("Size").integer_or());
  facts.os = image.at("Os").string_or();
  facts.architecture = image.at("Architecture").string_or();
  facts.variant = image.at("Variant").string_or();
  facts.tags = strings(image.at("RepoTags"));
  facts.repo_digests = strings(image.at("RepoDigests"));
  facts.diff_ids = strings(image.at("RootFS", "Layers"));
  read_config(image.at("Config"), facts);
  return facts;
}

// buildah shows the image configuration itself, under the name of its format, and knows no size.
ImageFacts read_buildah(const Reader& image) {
  const auto configuration = image.at("OCIv1");
  ImageFacts facts;
  facts.id = with_algorithm(image.at("FromImageID").string_or());
  facts.created = configuration.at("created").string_or();
  facts.os = configuration.at("os").string_or();
  facts.architecture = configuration.at("architecture").string_or();
  facts.variant = configuration.at("variant").string_or();
  facts.diff_ids = strings(configuration.at("rootfs", "diff_ids"));
  read_config(configuration.at("config"), facts);
  return facts;
}

}  // namespace

std::string ImageFacts::platform() const {
  return os + "/" + architecture + (variant.empty() ? std::string() : "/" + variant);
}

base::Result<ImageFacts> parse_image_inspection(std::string_view text) {
  const auto value = json::parse(text, answer_name);
  if (!value) {
    return value.error();
  }
  const Reader answer(*value);
  const auto facts = answer.is_array() ? read_docker(answer.at(0)) : read_buildah(answer);
  if (facts.id.empty() || facts.os.empty()) {
    return base::Error::failed("{} is not understood: it has no id or no operating system", answer_name);
  }
  return facts;
}

}  // namespace deployctl::engine
