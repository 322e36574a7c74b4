#include "core/kube/release.hpp"

#include "core/oci/digest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace deployctl::kube {
namespace {

using json::Value;

struct StateWord {
  ReleaseState state;
  std::string_view word;
};
constexpr std::array state_words{
    StateWord{ReleaseState::pending, "pending"},       StateWord{ReleaseState::deployed, "deployed"},
    StateWord{ReleaseState::failed, "failed"},         StateWord{ReleaseState::rolled_back, "rolled-back"},
    StateWord{ReleaseState::superseded, "superseded"}, StateWord{ReleaseState::interrupted, "interrupted"},
    StateWord{ReleaseState::continued, "continued"},
};

}  // namespace

std::string_view to_string(ReleaseState state) {
  return std::ranges::find(state_words, state, &StateWord::state)->word;
}

std::optional<ReleaseState> parse_release_state(std::string_view text) {
  const auto found = std::ranges::find(state_words, text, &StateWord::word);
  return found == state_words.end() ? std::nullopt : std::optional(found->state);
}

Value to_json(const std::map<std::string, TwoSides>& two_sides) {
  auto listed = Value::object();
  for (const auto& [service, sides] : two_sides) {
    listed[service] = {{"other", sides.other_deployment}, {"keep_ms", sides.keep.count()}};
  }
  return listed;
}

std::string content_digest(const Release& release) {
  std::map<ObjectKey, std::string> by_key;
  for (const auto& object : release.objects) {
    by_key[object.key()] = json::to_canonical_text(object.body);
  }
  oci::Hasher hasher;
  for (const auto& [key, text] : by_key) {
    hasher.add(text);
  }
  for (const auto& name : std::set<std::string>(release.secrets.begin(), release.secrets.end())) {
    hasher.add("\n" + name);
  }
  hasher.add("\n" + json::to_compact_text(to_json(release.two_sides)));
  return hasher.digest().text();
}

std::vector<ObjectKey> inventory(const Release& release, std::string_view name_space) {
  std::vector<ObjectKey> keys;
  for (const auto& object : release.objects) {
    keys.push_back(object.key());
  }
  for (const auto& name : release.secrets) {
    keys.push_back({"v1", "Secret", std::string(name_space), name});
  }
  for (const auto& [service, sides] : release.two_sides) {
    keys.push_back({"apps/v1", "Deployment", std::string(name_space), sides.other_deployment});
  }
  return keys;
}

}  // namespace deployctl::kube
