#include "core/generate/kubernetes.hpp"
#include "tests/unit/generate/sample.hpp"

#include <gmock/gmock.h>

namespace deployctl::generate {
namespace {

using testing::ElementsAre;

std::vector<std::string> lines_of(const std::vector<Reference>& references) {
  std::vector<std::string> lines;
  for (const auto& reference : references) {
    lines.push_back(fmt::format("{}/{} {} -> {}/{}{}", reference.from.kind, reference.from.name, reference.path,
                                reference.kind, reference.name, reference.port.empty() ? "" : ":" + reference.port));
  }
  return lines;
}

TEST(References, AreFoundInEveryObjectThatMakesThem) {
  auto target = tests::shop();
  target.pull_secret = "pull";
  auto objects = *kubernetes_objects(target, target.services[0], tests::shop_inputs(), {});
  const auto config = objects[0].body["metadata"]["name"].get<std::string>();
  const auto files = objects[1].body["metadata"]["name"].get<std::string>();
  const std::string pod = "Deployment/api spec.template.spec";
  EXPECT_THAT(lines_of(references(objects)),
              ElementsAre(pod + ".imagePullSecrets[0].name -> Secret/pull",
                          pod + ".containers[0].envFrom[0].configMapRef.name -> ConfigMap/" + config,
                          pod + ".containers[0].env[0].valueFrom.secretKeyRef.name -> Secret/api-secrets",
                          pod + ".containers[0].env[1].valueFrom.secretKeyRef.name -> Secret/api-secrets",
                          pod + ".volumes[1].persistentVolumeClaim.claimName -> PersistentVolumeClaim/api-uploads",
                          pod + ".volumes[2].configMap.name -> ConfigMap/" + files,
                          "HorizontalPodAutoscaler/api spec.scaleTargetRef.name -> Deployment/api",
                          "Ingress/api spec.tls[0].secretName -> Secret/api-tls",
                          "Ingress/api spec.rules[0].http.paths[0].backend.service.name -> Service/api:http"));
}

TEST(References, AllButSecretsAreMetByTheServicesOwnObjects) {
  const auto target = tests::shop();
  for (const auto& service : target.services) {
    const auto objects = *kubernetes_objects(target, service, tests::shop_inputs());
    for (const auto& reference : references(objects)) {
      const auto is_meant = [&](const kube::Object& object) {
        return object.body["kind"] == reference.kind && object.body["metadata"]["name"] == reference.name;
      };
      EXPECT_TRUE(reference.kind == "Secret" || std::ranges::any_of(objects, is_meant)) << reference.path;
    }
  }
}

TEST(References, ObjectsOfOtherShapesHaveNone) {
  EXPECT_TRUE(references(std::vector<kube::Object>{{json::Value::object()},
                                                   {json::Value{{"kind", "Deployment"}}},
                                                   {json::Value{{"kind", "Ingress"}, {"spec", "text"}}}})
                  .empty());
}

}  // namespace
}  // namespace deployctl::generate
