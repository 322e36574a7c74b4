// Whose pull secrets the registries are asked with: those of the account that the pods have.
#include "core/base/text.hpp"
#include "core/execute/preflight_images.hpp"
#include "core/execute/registry_word.hpp"
#include "tests/unit/execute/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::execute {
namespace {

using ::testing::Contains;
using ::testing::Not;

const std::string digest = "sha256:" + std::string(64, 'a');
const std::string image = "r.example/shop/api:v1@" + digest;
const std::string default_account = "GET /api/v1/namespaces/shop/serviceaccounts/default";

class PullSecretsOfAnAccount : public ::testing::Test {
 protected:
  PullSecretsOfAnAccount() {
    project::Service api{.name = {"api", {}}, .image = {"r.example/shop/api", {}}};
    api.service_account = "builder";
    target_.project = {"shop", {}};
    target_.name_space = "shop";
    target_.services = {api};
    const auto document =
        base::base64_encode(R"({"auths":{"r.example":{"auth":")" + base::base64_encode("ada:pw") + R"("}}})");
    world_.transport.on("GET /api/v1/namespaces/shop/serviceaccounts/builder",
                        {{.body = R"({"imagePullSecrets":[{"name":"own"}]})"}});
    world_.transport.on(
        "GET /api/v1/namespaces/shop/secrets/own",
        {{.body = R"({"type":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":")" + document + R"("}})"}});
    world_.transport.on("GET /v2/", {{}});
    world_.transport.on("HEAD /v2/shop/api/manifests/" + digest, {{}});
  }

  static plan::Plan plan() {
    const json::Value pod = {{"serviceAccountName", "builder"}, {"containers", {{{"name", "api"}, {"image", image}}}}};
    const kube::Object deployment{{{"apiVersion", "apps/v1"},
                                   {"kind", "Deployment"},
                                   {"metadata", {{"name", "api"}, {"namespace", "shop"}}},
                                   {"spec", {{"template", {{"spec", pod}}}}}}};
    plan::Plan plan;
    plan.name_space = "shop";
    plan.steps = {{.id = "apply", .service = "api", .action = plan::ApplyObject{deployment}}};
    return plan;
  }

  PlayedWorld world_;
  std::unique_ptr<cluster::Client> client_ = world_.client();
  project::Target target_;
};

TEST_F(PullSecretsOfAnAccount, AreThoseThatPreflightAsksWith) {
  const auto found =
      look_up_images({.plan = plan(), .target = target_, .settled = {{"api", image}}}, *client_, world_.run_ports());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->images.at("api").answer, ImageAccess::Answer::exists);
  EXPECT_TRUE(found->images.at("api").has_credentials);
  EXPECT_THAT(world_.transport.requests(), Not(Contains(default_account)));
}

TEST_F(PullSecretsOfAnAccount, AreThoseThatAVerdictAsksWith) {
  const auto ports = world_.run_ports();
  const auto ask = registry_word(*client_, "shop", target_, ports);
  EXPECT_EQ(ask(image, {}), kube::verdict::ImageAnswer::exists);
  EXPECT_THAT(world_.transport.requests(), Contains("GET /api/v1/namespaces/shop/secrets/own"));
  EXPECT_THAT(world_.transport.requests(), Not(Contains(default_account)));
}

}  // namespace
}  // namespace deployctl::execute
