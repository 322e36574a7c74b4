// Why an image cannot be pulled. Runtimes and registries only tell in prose, so the words are tried in an order in
// which the more telling win: "no matching manifest for linux/arm64 … not found" is about the platform.
#include "core/base/text.hpp"
#include "core/kube/signs.hpp"

#include <algorithm>
#include <array>

namespace deployctl::kube::verdict {
namespace {

struct PullFailure {
  std::string_view rule;
  std::array<std::string_view, 12> words;
};

constexpr auto pull_failures = std::to_array<PullFailure>({
    {"image-wrong-platform", {"no match for platform", "no matching manifest"}},
    {"image-not-found", {"manifest unknown", "not found", "repository does not exist", "name unknown"}},
    {"image-pull-denied",
     {"unauthorized", "denied", "403 forbidden", "status: 403", "insufficient_scope", "no basic auth",
      "authentication required", "401 unauthorized"}},
    {"image-registry-untrusted", {"x509", "certificate", "server gave http response to https client"}},
    {"image-pull-limited", {"toomanyrequests", "too many requests"}},
    {"image-registry-unreachable",
     {"timeout", "timed out", "no such host", "connection refused", "deadline exceeded", "connection reset",
      "no route to host", "500 internal", "502 bad", "503 service", "504 gateway", "registryunavailable"}},
    {"image-node-trouble", {"no space left", "unexpected digest", "unexpected size", "failed size validation"}},
});

// "registry:5000/shop/api" of "registry:5000/shop/api:1.2@sha256:…".
std::string_view repository_of(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto colon = image.rfind(':');
  const auto slash = image.rfind('/');
  return colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash) ? image.substr(0, colon)
                                                                                               : image;
}

}  // namespace

bool mentions(std::string_view text, std::initializer_list<std::string_view> words) {
  const auto lower = base::to_lower(text);
  return std::ranges::any_of(words, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string_view rule_for_pull_failure(std::string_view message, std::string_view image) {
  auto text = std::string(message);
  for (const auto name : {image, repository_of(image)}) {
    text = name.empty() ? text : base::replace_all(std::move(text), name, "");
  }
  const auto lower = base::to_lower(text);
  const auto is_told = [&](std::string_view word) { return !word.empty() && lower.find(word) != std::string::npos; };
  const auto found = std::ranges::find_if(
      pull_failures, [&](const PullFailure& failure) { return std::ranges::any_of(failure.words, is_told); });
  return found == pull_failures.end() ? "image-pull-fails" : found->rule;
}

}  // namespace deployctl::kube::verdict
