#include "core/kube/signs.hpp"

#include <gtest/gtest.h>

namespace deployctl::kube::verdict {
namespace {

struct Row {
  std::string_view message;
  std::string_view rule;
};

TEST(PullFailure, IsToldFromTheWordsOfRuntimesAndRegistries) {
  const Row rows[] = {
      {"manifest for shop/api:2 not found: manifest unknown: manifest unknown", "image-not-found"},
      {"failed to resolve reference \"shop/api:2\": shop/api:2: not found", "image-not-found"},
      {"no matching manifest for linux/arm64/v8 in the manifest list entries: not found", "image-wrong-platform"},
      {"no match for platform in manifest: not found", "image-wrong-platform"},
      {"pull access denied for shop/api, repository does not exist or may require 'docker login'", "image-not-found"},
      {"unexpected status code [manifests 2]: 401 Unauthorized", "image-pull-denied"},
      {"no basic auth credentials", "image-pull-denied"},
      {"x509: certificate signed by unknown authority", "image-registry-untrusted"},
      {"http: server gave HTTP response to HTTPS client", "image-registry-untrusted"},
      {"toomanyrequests: You have reached your pull rate limit", "image-pull-limited"},
      {"dial tcp: lookup registry on 10.0.0.2:53: no such host", "image-registry-unreachable"},
      {"net/http: request canceled (Client.Timeout exceeded while awaiting headers)", "image-registry-unreachable"},
      {"write /var/lib/docker/tmp/x: no space left on device", "image-node-trouble"},
      {"Back-off pulling image \"shop/api:2\"", "image-pull-fails"},
      {"", "image-pull-fails"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(rule_for_pull_failure(row.message, "shop/api:2"), row.rule) << row.message;
  }
}

TEST(PullFailure, IsNotToldFromTheNameOfTheImage) {
  EXPECT_EQ(rule_for_pull_failure("Error pulling reg:5000/denied/timeout: connection refused",
                                  "reg:5000/denied/timeout:1@sha256:00"),
            "image-registry-unreachable");
}

}  // namespace
}  // namespace deployctl::kube::verdict
