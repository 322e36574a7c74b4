#include "tests/fuzz/targets.hpp"

#include "core/base/url.hpp"
#include "core/json/value.hpp"
#include "core/yaml/convert.hpp"
#include "core/yaml/emit.hpp"
#include "core/yaml/parse.hpp"
#include "tests/fuzz/require.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace deployctl::fuzz {
namespace {

yaml::Node parse_yaml(std::string_view bytes, base::Diagnostics& diagnostics, yaml::ParseLimits limits) {
  return yaml::parse(std::make_shared<base::SourceFile>("fuzzed.yaml", std::string(bytes)), diagnostics, limits);
}

}  // namespace

void yaml(std::string_view bytes) {
  base::Diagnostics diagnostics;
  const auto node = parse_yaml(bytes, diagnostics, {.nodes = 10'000});
  for (const auto& finding : diagnostics.sorted()) {
    require(!base::render(finding).empty(), "a finding has a text");
  }
  if (diagnostics.has_errors()) {
    require(yaml::is_null(node), "errors come without a tree");
    return;
  }
  const auto value = yaml::to_json(node);
  base::Diagnostics none;
  const yaml::ParseLimits roomy{.bytes = 64u << 20u, .nodes = 1'000'000, .depth = 128, .scalar_bytes = 64u << 20u};
  const auto again = yaml::to_json(parse_yaml(yaml::emit(value), none, roomy));
  require(!none.has_errors(), "what we emit is valid");
  require(json::to_compact_text(again) == json::to_compact_text(value), "what we emit means the same");
}

void url(std::string_view bytes) {
  const auto parsed = base::Url::parse(bytes);
  if (parsed) {
    const auto again = base::Url::parse(base::to_string(*parsed));
    require(static_cast<bool>(again) && *again == *parsed, "a URL that is printed parses to itself");
  }
  const auto resolved = base::Url::parse("https://host/a/b?c")->resolve(bytes);
  if (resolved) {
    require(!resolved->host.empty(), "what is resolved has a host");
  }
}

void json(std::string_view bytes) {
  const auto parsed = json::parse(bytes, "the text");
  if (!parsed) {
    return;
  }
  for (const auto& text :
       {json::to_compact_text(*parsed), json::to_pretty_text(*parsed), json::to_canonical_text(*parsed)}) {
    const auto again = json::parse(text, "our own text");
    require(static_cast<bool>(again), "what we write is valid");
    require(json::to_canonical_text(*again) == json::to_canonical_text(*parsed), "what we write means the same");
  }
  require(json::diff(*parsed, *parsed).empty(), "a value does not differ from itself");
}

std::span<const Target> targets() {
  static constexpr std::array table{
      Target{"yaml", yaml},
      Target{"url", url},
      Target{"json", json},
      Target{"challenge", challenge},
      Target{"link", link},
      Target{"warning", warning},
      Target{"retry_after", retry_after},
      Target{"credentials", credentials},
      Target{"reference", reference},
      Target{"image_document", image_document},
      Target{"image_config", image_config},
      Target{"signature", signature},
      Target{"layer", layer},
      Target{"docker_archive", docker_archive},
      Target{"go_program", go_program},
      Target{"dpkg", dpkg},
  };
  return table;
}

}  // namespace deployctl::fuzz
