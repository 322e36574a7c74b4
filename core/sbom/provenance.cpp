#include "core/sbom/provenance.hpp"

#include "core/base/secret_words.hpp"
#include "core/base/text.hpp"
#include "core/json/value.hpp"
#include "core/oci/reference.hpp"
#include "core/sbom/package_url.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace deployctl::sbom {
namespace {

constexpr std::string_view statement_type = "https://in-toto.io/Statement/v1";
constexpr std::string_view home = "https://deployctl.dev/";
constexpr std::string_view blank = "***";

// "https://ada:pw@host/x" without what stands before the '@', wherever a text has such.
std::string without_credentials(std::string_view text) {
  std::string out;
  for (auto mark = text.find("://"); mark != std::string_view::npos; mark = text.find("://")) {
    out += text.substr(0, mark + 3);
    text.remove_prefix(mark + 3);
    const auto authority = text.substr(0, text.find_first_of("/?#, |\t\n"));
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
      out += blank;
      text.remove_prefix(at);
    }
  }
  return out.append(text);
}

json::Value digest_set(const oci::Digest& digest) {
  return {{std::string(digest.algorithm()), digest.encoded()}};
}

// Members that are empty are left out.
void put(json::Value& object, std::string_view name, json::Value value) {
  const bool is_empty = value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
                        (value.is_structured() && value.empty());
  if (!is_empty) {
    object[std::string(name)] = std::move(value);
  }
}

json::Value file_value(const std::string& name, const std::optional<oci::Digest>& digest) {
  json::Value value = json::Value::object();
  put(value, "name", name);
  if (digest) {
    value["digest"] = digest_set(*digest);
  }
  return value;
}

json::Value texts(const std::vector<std::string>& values) {
  return values;
}

json::Value public_arguments(const std::map<std::string, std::string>& arguments) {
  json::Value value = json::Value::object();
  for (const auto& [name, argument] : arguments) {
    value[name] = base::sounds_secret(name) ? std::string(blank) : without_credentials(argument);
  }
  return value;
}

json::Value external_parameters(const BuildFacts& facts) {
  json::Value value = json::Value::object();
  put(value, "project", facts.project);
  put(value, "service", facts.service);
  put(value, "environment", facts.environment);
  put(value, "projectManifest", file_value(facts.manifest_name, facts.manifest));
  put(value, "dockerfile", file_value(facts.dockerfile_name, facts.dockerfile));
  put(value, "stage", facts.stage);
  put(value, "platforms", texts(facts.platforms));
  put(value, "arguments", public_arguments(facts.arguments));
  put(value, "secrets", texts(facts.secrets));
  return value;
}

json::Value source_dependency(const SourceFacts& source) {
  json::Value value{{"name", "source"}};
  put(value, "uri", source.remote_url.empty() ? std::string() : "git+" + source.remote_url);  // as SLSA writes it
  value["digest"] = {{"gitCommit", source.commit}};
  value["annotations"] = {{"dirty", source.is_dirty}};
  return value;
}

PackageUrl image_url(const oci::Reference& reference, const std::optional<oci::Digest>& digest) {
  return {.type = "oci",
          .name_space = {},
          .name = base::to_lower(reference.repository.substr(reference.repository.rfind('/') + 1)),
          .version = digest ? digest->text() : std::string(),
          .qualifiers = {{"repository_url", reference.name()}, {"tag", reference.tag}}};
}

json::Value base_dependency(const BaseImage& image) {
  json::Value value{{"name", image.reference}};
  if (const auto reference = oci::Reference::parse(image.reference)) {
    value["uri"] = to_string(image_url(*reference, image.digest));
  }
  if (image.digest) {
    value["digest"] = digest_set(*image.digest);
  } else {
    value["annotations"] =
        image.image_id.empty() ? json::Value{{"digestKnown", false}} : json::Value{{"imageId", image.image_id}};
  }
  return value;
}

json::Value resolved_dependencies(const BuildFacts& facts) {
  auto dependencies = json::Value::array();
  if (facts.source) {
    dependencies.push_back(source_dependency(*facts.source));
  }
  for (const auto& image : facts.base_images) {
    dependencies.push_back(base_dependency(image));
  }
  return dependencies;
}

std::string build_type(BuildFacts::Builder builder) {
  return std::string(home) + (builder == BuildFacts::Builder::native ? "build/native/v1" : "build/engine/v1");
}

// "FROM --platform=linux/amd64 golang:1.22@sha256:… AS build": the words after FROM that are no option.
std::vector<std::string_view> from_words(std::string_view step) {
  const auto from = step.find("FROM ");
  const bool is_from = from == 0 || (from != std::string_view::npos && step.substr(0, from).ends_with("] "));
  std::vector<std::string_view> words;
  if (is_from) {
    for (const auto word : base::split(step.substr(from + 5), ' ')) {
      if (!word.empty() && !word.starts_with("--")) {
        words.push_back(word);
      }
    }
  }
  return words;
}

}  // namespace

std::string provenance_predicate(const BuildFacts& facts) {
  json::Value definition{{"buildType", build_type(facts.builder)}, {"externalParameters", external_parameters(facts)}};
  json::Value internal = json::Value::object();
  put(internal, "programs", json::Value(facts.programs));
  put(definition, "internalParameters", std::move(internal));
  put(definition, "resolvedDependencies", resolved_dependencies(facts));
  json::Value builder{{"id", std::string(home) + "deployctl@" + facts.tool_version},
                      {"version", {{"deployctl", facts.tool_version}}}};
  return json::to_compact_text(
      {{"buildDefinition", std::move(definition)}, {"runDetails", json::Value{{"builder", std::move(builder)}}}});
}

base::Result<std::string> provenance_statement(std::string_view predicate,
                                               const std::vector<StatementSubject>& subjects) {
  auto value = json::parse(predicate, "the provenance");
  if (!value) {
    return value.error();
  }
  if (!value->is_object()) {
    return base::Error::failed("the provenance is no JSON object");
  }
  auto about = json::Value::array();
  for (const auto& subject : subjects) {
    about.push_back({{"name", subject.name}, {"digest", digest_set(subject.digest)}});
  }
  return json::to_compact_text({{"_type", statement_type},
                                {"subject", std::move(about)},
                                {"predicateType", provenance_type},
                                {"predicate", std::move(*value)}});
}

std::vector<BaseImage> base_images(const std::vector<std::string>& steps) {
  std::vector<BaseImage> images;
  std::set<std::string> stages;
  for (const auto& step : steps) {
    const auto words = from_words(step);
    if (words.empty()) {
      continue;
    }
    const bool is_stage = stages.contains(std::string(words[0]));
    if (words.size() >= 3 && base::equals_ignoring_case(words[1], "AS")) {
      stages.emplace(words[2]);
    }
    const auto reference = oci::Reference::parse(words[0]);
    if (is_stage || words[0] == "scratch" || !reference) {
      continue;
    }
    auto named = *reference;
    named.digest.reset();
    BaseImage image{.reference = oci::to_string(named), .digest = reference->digest, .image_id = {}};
    if (std::ranges::find(images, image) == images.end()) {
      images.push_back(std::move(image));
    }
  }
  return images;
}

}  // namespace deployctl::sbom
