// What the nodes of a cluster will get when they pull: the cluster's secrets and the registry's answers are played.
#include "core/execute/image_access.hpp"

#include "core/base/text.hpp"
#include "tests/unit/execute/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::execute {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Answer = ImageAccess::Answer;

const std::string digest = "sha256:" + std::string(64, 'a');
const std::string image = "r.example/shop/api:v1@" + digest;
const std::string question = "HEAD /v2/shop/api/manifests/" + digest;
const std::string service_account = "GET /api/v1/namespaces/shop/serviceaccounts/default";

std::string pull_secret(const std::string& registry, const std::string& user) {
  const auto document = R"({"auths":{")" + registry + R"(":{"auth":")" + base::base64_encode(user + ":pw") + R"("}}})";
  return R"({"kind":"Secret","metadata":{"name":")" + user + R"("},"type":"kubernetes.io/dockerconfigjson",)" +
         R"("data":{".dockerconfigjson":")" + base::base64_encode(document) + R"("}})";
}

class PullSecretsOfANamespace : public ::testing::Test {
 protected:
  PullSecrets read(const std::vector<std::string>& names = {}) {
    auto secrets = read_pull_secrets(*client_, {.name_space = "shop", .names = names}, {});
    EXPECT_TRUE(secrets);
    return secrets ? *secrets : PullSecrets();
  }
  static std::vector<std::string> names(const PullSecrets& secrets) {
    std::vector<std::string> names;
    for (const auto& document : secrets.documents) {
      names.push_back(document.name);
    }
    return names;
  }

  PlayedWorld world_;
  std::unique_ptr<cluster::Client> client_ = world_.client();
};

TEST_F(PullSecretsOfANamespace, AreThoseOfTheServiceAccount) {
  world_.transport.on(service_account, {{.body = R"({"imagePullSecrets":[{"name":"one"},{"name":"two"}]})"}});
  world_.transport.on("GET /api/v1/namespaces/shop/secrets/one", {{.body = pull_secret("r.example", "one")}});
  world_.transport.on("GET /api/v1/namespaces/shop/secrets/two", {{.body = pull_secret("r.example", "two")}});
  const auto secrets = read();
  EXPECT_THAT(names(secrets), ElementsAre("one", "two"));
  EXPECT_THAT(secrets.problems, IsEmpty());
}

TEST_F(PullSecretsOfANamespace, AreThePodsOwnWhereItNamesSome) {
  world_.transport.on("GET /api/v1/namespaces/shop/secrets/two", {{.body = pull_secret("r.example", "two")}});
  EXPECT_THAT(names(read({"two"})), ElementsAre("two"));
  EXPECT_THAT(world_.transport.requests(), ElementsAre("GET /api/v1/namespaces/shop/secrets/two"));
}

TEST_F(PullSecretsOfANamespace, ThatCannotBeUsedAreSaidInWords) {
  world_.transport.on("GET /api/v1/namespaces/shop/secrets/tls",
                      {{.body = R"({"metadata":{"name":"tls"},"type":"kubernetes.io/tls","data":{}})"}});
  world_.transport.on("GET /api/v1/namespaces/shop/secrets/hidden",
                      {{.status = 403, .body = R"({"kind":"Status","reason":"Forbidden","message":"no","code":403})"}});
  world_.transport.on("GET /api/v1/namespaces/shop/secrets/gone",
                      {{.status = 404, .body = R"({"kind":"Status","reason":"NotFound","message":"no","code":404})"}});
  const auto secrets = read({"tls", "hidden", "gone"});
  EXPECT_THAT(secrets.documents, IsEmpty());
  EXPECT_THAT(secrets.problems,
              ElementsAre("the Secret tls is no pull secret: its type is kubernetes.io/tls",
                          "we may not read the pull secret hidden", "there is no Secret gone in namespace shop"));
}

class AnImage : public ::testing::Test {
 protected:
  ImageAccess look_up(WithPlatforms with_platforms = WithPlatforms::no) {
    auto access = look_up_image(image, secrets_, with_platforms, {}, world_.run_ports());
    EXPECT_TRUE(access);
    return access ? *access : ImageAccess();
  }
  void has_secret(const std::string& name, const std::string& registry) {
    const auto document =
        R"({"auths":{")" + registry + R"(":{"auth":")" + base::base64_encode(name + ":pw") + R"("}}})";
    secrets_.documents.push_back({.name = name, .text = base::Secret(document)});
  }
  void registry_wants_basic() {
    world_.transport.on("GET /v2/", {{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"registry\""}}}});
    world_.transport.on(question, {{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"registry\""}}}});
  }

  PlayedWorld world_;
  PullSecrets secrets_;
};

TEST_F(AnImage, ThatIsThereMayBePulledByEverybody) {
  world_.transport.on("GET /v2/", {{}});
  world_.transport.on(question, {{}});
  const auto access = look_up();
  EXPECT_EQ(access.answer, Answer::exists);
  EXPECT_EQ(access.words, "r.example has shop/api@" + digest);
  EXPECT_FALSE(access.has_credentials);
}

TEST_F(AnImage, ThatIsNotThereIsMissing) {
  world_.transport.on("GET /v2/", {{}});
  world_.transport.on(question, {{.status = 404}});
  const auto access = look_up();
  EXPECT_EQ(access.answer, Answer::missing);
  EXPECT_EQ(access.words, "r.example has no shop/api@" + digest);
}

TEST_F(AnImage, IsDeniedToThoseWithoutCredentials) {
  registry_wants_basic();
  has_secret("other", "elsewhere.example");
  const auto access = look_up();
  EXPECT_EQ(access.answer, Answer::denied);
  EXPECT_EQ(access.words, "r.example does not let shop/api@" + digest + " be pulled without credentials");
  EXPECT_FALSE(access.has_credentials);
}

TEST_F(AnImage, IsAskedForWithEachPullSecretThatKnowsTheRegistry) {
  registry_wants_basic();
  has_secret("stale", "r.example");
  has_secret("other", "elsewhere.example");
  has_secret("fresh", "r.example/shop");
  const auto access = look_up();
  EXPECT_EQ(access.answer, Answer::denied);
  EXPECT_EQ(access.words, "r.example does not let shop/api@" + digest + " be pulled with the pull secret fresh");
  EXPECT_TRUE(access.has_credentials);
}

TEST_F(AnImage, OfARegistryThatDoesNotAnswerIsNotKnown) {
  world_.transport.on("GET /v2/", {cluster::unreachable_answer()});
  world_.transport.on(question, {cluster::unreachable_answer()});
  const auto access = look_up();
  EXPECT_EQ(access.answer, Answer::unreachable);
  EXPECT_THAT(access.words, StartsWith("r.example cannot be asked from here: "));
}

TEST_F(AnImage, TellsThePlatformsOfItsIndex) {
  const std::string index = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
                            R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:)" +
                            std::string(64, 'b') + R"(","size":2,"platform":{"os":"linux","architecture":"arm64"}},)" +
                            R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:)" +
                            std::string(64, 'c') +
                            R"(","size":2,"platform":{"os":"unknown","architecture":"unknown"}}]})";
  const auto indexed = "r.example/shop/api@" + oci::Digest::of(index).text();
  world_.transport.on("GET /v2/", {{}});
  world_.transport.on("GET /v2/shop/api/manifests/" + oci::Digest::of(index).text(),
                      {{.body = index, .headers = {{"Content-Type", "application/vnd.oci.image.index.v1+json"}}}});
  const auto access = look_up_image(indexed, secrets_, WithPlatforms::yes, {}, world_.run_ports());
  ASSERT_TRUE(access);
  EXPECT_EQ(access->answer, Answer::exists) << access->words;
  EXPECT_THAT(access->platforms, ElementsAre(oci::Platform{.os = "linux", .architecture = "arm64", .variant = ""}));
}

TEST_F(AnImage, ThatIsNoReferenceIsAnError) {
  EXPECT_FALSE(look_up_image("not a reference", secrets_, WithPlatforms::no, {}, world_.run_ports()));
}

}  // namespace
}  // namespace deployctl::execute
