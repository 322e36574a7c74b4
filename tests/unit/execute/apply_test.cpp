#include "core/execute/apply.hpp"

#include "tests/unit/execute/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::execute {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string old_path = "/apis/policy/v1beta1/namespaces/shop/poddisruptionbudgets/api";
const std::string groups = R"({"groups":[{"name":"policy","versions":[{"version":"v1beta1"}]}]})";

kube::Object budget(const std::string& api_version, const std::string& managers = "[]") {
  const auto body = json::parse(R"({"apiVersion":")" + api_version +
                                    R"(","kind":"PodDisruptionBudget","metadata":{"name":"api","namespace":"shop",)" +
                                    R"("uid":"u","resourceVersion":"7","managedFields":)" + managers +
                                    R"(},"spec":{"maxUnavailable":1}})",
                                "a budget");
  EXPECT_TRUE(body);
  return {.body = body ? *body : json::Value()};
}

class ApplyTest : public ::testing::Test {
 protected:
  ApplyTest() { world_.transport.on("GET /apis", {{.body = groups}}); }

  void live(const std::string& managers) {
    world_.transport.on("GET " + old_path, {{.body = json::to_compact_text(budget("policy/v1beta1", managers).body)}});
    world_.transport.on("PATCH " + old_path, {{.body = json::to_compact_text(budget("policy/v1beta1").body)}});
  }

  void apply_by_force() {
    const auto client = world_.client();
    const auto applied = apply_object(*client, budget("policy/v1"),
                                      {.step = {}, .service = {}, .force = cluster::Force::yes}, world_.run_ports());
    ASSERT_TRUE(applied) << base::to_string(applied.error());
    EXPECT_EQ(applied->change, cluster::Change::unchanged);
  }

  PlayedWorld world_;
};

TEST_F(ApplyTest, ByForceLooksAtTheObjectInTheVersionThatTheServerHas) {
  live("[]");
  apply_by_force();
  EXPECT_THAT(world_.transport.requests(), Not(Contains(HasSubstr("policy/v1/"))));
}

TEST_F(ApplyTest, ByForceTakesOverWhatKubectlMade) {
  live(R"([{"manager":"kubectl-create","operation":"Update","apiVersion":"policy/v1beta1","fieldsV1":{"f:spec":{}}}])");
  apply_by_force();
  EXPECT_THAT(world_.transport.requests(), Contains(StartsWith("PATCH " + old_path)).Times(2));
}

}  // namespace
}  // namespace deployctl::execute
