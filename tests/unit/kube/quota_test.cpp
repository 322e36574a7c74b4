#include "core/kube/quota.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

Quotas quotas(const std::string& pods, const std::string& used, const std::string& cpu = "1") {
  const json::Value body = {
      {"spec", {{"hard", {{"pods", "100"}}}}},
      {"status",
       {{"hard", {{"pods", pods}, {"requests.cpu", cpu}}}, {"used", {{"pods", used}, {"requests.cpu", "900m"}}}}}};
  return {{"small", Quota::from_json(body)}};
}

TEST(Quota, IsRelievedOnceItIsGoneOrHasRoomForAllThatItRefused) {
  const std::string pods =
      R"(Error creating: pods "api-2-a" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1)";
  const std::string both =
      R"(pods "api-2-a" is forbidden: exceeded quota: small, requested: pods=1,requests.cpu=200m, used: pods=1,requests.cpu=900m, limited: pods=1,requests.cpu=1)";
  struct Row {
    const char* what;
    std::string refusal;
    Quotas quotas;
    bool is_relieved;
  };
  const Row rows[] = {
      {"gone", pods, {}, true},
      {"as full as it was", pods, quotas("1", "1"), false},
      {"raised", pods, quotas("2", "1"), true},
      {"a pod has gone", pods, quotas("1", "0"), true},
      {"raised and full again", pods, quotas("2", "2"), false},
      {"one of two raised", both, quotas("2", "1"), false},
      {"both raised", both, quotas("2", "1", "1100m"), true},
      {"lowered further", both, quotas("2", "1", "0.5"), false},
      {"without an amount", "exceeded quota: small", quotas("2", "1"), false},
      {"of another resource", "exceeded quota: small, requested: secrets=1, used: secrets=1", quotas("2", "1"), false},
      {"no amount at all", "exceeded quota: small, requested: pods=x, used: pods=1", quotas("2", "1"), false},
      {"no status yet", pods, {{"small", Quota()}}, false},
      {"no refusal", "is forbidden", {}, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(is_relieved(row.refusal, row.quotas), row.is_relieved) << row.what;
  }
}

}  // namespace
}  // namespace deployctl::kube
