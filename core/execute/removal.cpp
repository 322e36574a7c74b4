// A patch, because it takes out exactly what was found and needs no list positions, which may have moved meanwhile.
#include "core/execute/removal.hpp"

#include "core/base/text.hpp"
#include "core/kube/dropped_fields.hpp"
#include "core/templating/quoting.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::execute {
namespace {

// The server knows how to merge lists of its own kinds only.
bool is_custom(const kube::ObjectKey& key) {
  return key.kind == "HTTPRoute" || key.kind == "VirtualService";
}

bool is_in_list(const kube::FieldPath& path) {
  return std::ranges::any_of(path, [](const auto& step) { return std::holds_alternative<kube::ElementKey>(step); });
}

bool is_in_pod_template(const kube::FieldPath& path) {
  return kube::to_string(path).starts_with("spec.template.");
}

}  // namespace

std::optional<Removal> removal_of(const kube::ObjectKey& key, const std::vector<kube::FieldPath>& added,
                                  const std::string& context) {
  if (added.empty() || (is_custom(key) && std::ranges::any_of(added, is_in_list))) {
    return std::nullopt;
  }
  const auto object = kube::to_string(key);
  std::vector<std::string> words{"kubectl", "patch", object, "-n", key.name_space};
  if (!context.empty()) {
    words.insert(words.end(), {"--context", context});
  }
  if (is_custom(key)) {
    words.emplace_back("--type=merge");
  }
  words.insert(words.end(), {"-p", json::to_compact_text(kube::patch_removing(added))});
  for (auto& word : words) {
    auto quoted = templating::shell_word(word);
    if (!quoted) {
      return std::nullopt;
    }
    word = *std::move(quoted);
  }
  return Removal{.object = object,
                 .command = base::join(words, " "),
                 .replaces_pods = std::ranges::any_of(added, is_in_pod_template)};
}

}  // namespace deployctl::execute
