// Releases as Secrets and back, and what is refused on the way back.
#include "core/kube/release_secret.hpp"

#include "core/base/text.hpp"
#include "core/oci/digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace deployctl::kube {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const LedgerScope scope{.project = "shop", .environment = "prod", .name_space = "web"};

Object object(std::string_view api_version, std::string_view kind, std::string_view name,
              std::string_view name_space = "web") {
  return {
      .body = {{"apiVersion", api_version}, {"kind", kind}, {"metadata", {{"name", name}, {"namespace", name_space}}}}};
}

Release release() {
  return {.number = 12,
          .project = "shop",
          .environment = "prod",
          .commit = std::string(40, 'a'),
          .tag = "v1.4",
          .actor = "ada@laptop",
          .action = "rollout",
          .tool_version = "0.1.0",
          .started = "2026-11-21T08:53:00Z",
          .epoch = 7,
          .services = {"api"},
          .images = {{"api", "registry.example.com/shop/api:v1.4@sha256:00"}},
          .objects = {object("v1", "ConfigMap", "api-config-1a2b3c4d"), object("apps/v1", "Deployment", "api")},
          .secrets = {"api-secrets-5e6f7a8b"},
          .two_sides = {},
          .depends_on = {{"api", {"mysql", "redis"}}}};
}

// Text that does not get smaller, so that a release fills several Secrets.
std::string noise(std::size_t bytes) {
  std::string text;
  std::uint64_t state = 1;
  while (text.size() < bytes) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    text += fmt::format("{:016x}", state);
  }
  return text;
}

Release large_release() {
  auto large = release();
  large.objects.front().body["data"] = {{"blob", noise(4u << 20u)}};
  return large;
}

std::vector<Object> secrets_of(const Release& made) {
  auto secrets = to_secrets(made, scope);
  EXPECT_TRUE(secrets) << to_string(secrets.error());
  return secrets ? *secrets : std::vector<Object>();
}

base::Result<Release> read_back(std::vector<Object> secrets) {
  const auto head = secrets.back();
  secrets.pop_back();
  return read_release(head, secrets, scope);
}

TEST(ReleaseSecrets, AreOneImmutableSecretWithTheFactsInLabels) {
  const auto secrets = secrets_of(release());
  ASSERT_THAT(secrets, SizeIs(1));
  const auto& body = secrets.front().body;
  EXPECT_EQ(secrets.front().key(), release_key(scope, 12));
  EXPECT_EQ(body["metadata"]["name"], "deployctl.shop.prod.v12");
  EXPECT_EQ(body["type"], "deployctl.dev/release.v1");
  EXPECT_EQ(body["immutable"], true);
  EXPECT_EQ(json::to_compact_text(body["metadata"]["labels"]),
            R"({"app.kubernetes.io/managed-by":"deployctl","deployctl.dev/project":"shop",)"
            R"("deployctl.dev/release":"12","deployctl.dev/environment":"prod","deployctl.dev/state":"pending"})");
}

TEST(ReleaseSecrets, GiveTheSameReleaseBack) {
  const auto read = read_back(secrets_of(release()));
  ASSERT_TRUE(read) << to_string(read.error());
  const auto original = release();
  EXPECT_EQ(read->number, 12);
  EXPECT_EQ(read->commit, original.commit);
  EXPECT_EQ(read->tag, "v1.4");
  EXPECT_EQ(read->actor, "ada@laptop");
  EXPECT_EQ(read->action, "rollout");
  EXPECT_EQ(read->epoch, 7);
  EXPECT_EQ(read->services, original.services);
  EXPECT_EQ(read->images, original.images);
  EXPECT_EQ(read->objects, original.objects);
  EXPECT_EQ(read->secrets, original.secrets);
}

TEST(ReleaseSecrets, AreSeveralForALargeReleaseWithTheHeadLast) {
  const auto secrets = secrets_of(large_release());
  ASSERT_GT(secrets.size(), 2u);
  for (const auto& secret : secrets) {
    EXPECT_LT(base::base64_decode(secret.body["data"]["release"].get<std::string>())->size(), 1'000'000u);
    EXPECT_EQ(is_release_head(secret), &secret == &secrets.back());
    EXPECT_EQ(release_number(secret), 12);
  }
  EXPECT_EQ(secrets.front().name(), "deployctl.shop.prod.v12.c1");
  const auto chunks = release_chunks(secrets.back(), scope);
  ASSERT_TRUE(chunks);
  ASSERT_THAT(*chunks, SizeIs(secrets.size() - 1));
  EXPECT_EQ(chunks->front(), secrets.front().key());
  const auto read = read_back(secrets);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->objects, large_release().objects);
}

TEST(ReleaseSecrets, AreRefusedWhenThereIsMoreThanAReleaseMayBe) {
  auto huge = release();
  huge.objects.front().body["data"] = {{"blob", std::string(65u << 20u, 'x')}};
  const auto secrets = to_secrets(huge, scope);
  ASSERT_FALSE(secrets);
  EXPECT_EQ(secrets.error().message, "the record of the release is 65.0 MiB, more than deployctl keeps");
}

TEST(ReleaseSecrets, OfAProjectWithoutEnvironmentsAreNamedAfterTheProject) {
  const LedgerScope plain{.project = "shop", .environment = "", .name_space = "web"};
  EXPECT_EQ(release_key(plain, 1).name, "deployctl.shop.v1");
  EXPECT_EQ(ledger_selector(plain),
            "app.kubernetes.io/managed-by=deployctl,deployctl.dev/project=shop,!deployctl.dev/environment");
  EXPECT_EQ(ledger_selector(scope),
            "app.kubernetes.io/managed-by=deployctl,deployctl.dev/project=shop,deployctl.dev/environment=prod");
}

TEST(ReleaseSecrets, OfAnEnvironmentThatCannotBeANameAreKeptApartByAHash) {
  const LedgerScope one{.project = "shop", .environment = "Prod EU", .name_space = "web"};
  const LedgerScope other{.project = "shop", .environment = "prod_eu", .name_space = "web"};
  EXPECT_THAT(ledger_name(one), ::testing::MatchesRegex("deployctl.shop.e-prod-eu-[0-9a-f]+"));
  EXPECT_NE(ledger_name(one), ledger_name(other));
}

TEST(ReleaseSummary, TellsWhatAListOfHeadsTells) {
  auto head = secrets_of(release()).back();
  head.body["metadata"]["resourceVersion"] = "77";
  head.body.erase("data");
  const auto summary = read_release_summary(head, scope);
  ASSERT_TRUE(summary) << to_string(summary.error());
  EXPECT_EQ(summary->number, 12);
  EXPECT_EQ(summary->state, ReleaseState::pending);
  EXPECT_EQ(summary->commit, std::string(40, 'a'));
  EXPECT_EQ(summary->actor, "ada@laptop");
  EXPECT_EQ(summary->started, "2026-11-21T08:53:00Z");
  EXPECT_EQ(summary->epoch, 7);
  EXPECT_EQ(summary->images.at("api"), "registry.example.com/shop/api:v1.4@sha256:00");
  EXPECT_EQ(summary->resource_version, "77");
  ASSERT_TRUE(summary->inventory);
  EXPECT_EQ(*summary->inventory, inventory(release(), "web"));
}

TEST(ReleaseSummary, HasNoInventoryWhenThereAreTooManyObjects) {
  auto many = release();
  for (int i = 0; i < 3000; ++i) {
    many.objects.push_back(object("v1", "ConfigMap", fmt::format("config-number-{}", i)));
  }
  const auto head = secrets_of(many).back();
  EXPECT_LT(json::to_compact_text(head.body["metadata"]).size(), 200'000u);
  const auto summary = read_release_summary(head, scope);
  ASSERT_TRUE(summary);
  EXPECT_FALSE(summary->inventory);
}

TEST(ReleaseSummary, KnowsEveryState) {
  for (const auto state : {ReleaseState::pending, ReleaseState::deployed, ReleaseState::failed,
                           ReleaseState::rolled_back, ReleaseState::superseded, ReleaseState::interrupted}) {
    EXPECT_EQ(parse_release_state(to_string(state)), state);
  }
  EXPECT_FALSE(parse_release_state("lost"));
}

TEST(ReleasePatch, NamesTheVersionItWasMadeFor) {
  const auto patch = release_patch(
      {.state = ReleaseState::deployed, .outcome = "done\nin 3s", .finished = "2026-11-21T08:54:00Z", .epoch = 8},
      "77");
  EXPECT_EQ(json::to_compact_text(patch),
            R"({"metadata":{"resourceVersion":"77","labels":{"deployctl.dev/state":"deployed"},)"
            "\"annotations\":{\"deployctl.dev/outcome\":\"done\uFFFDin 3s\","
            R"("deployctl.dev/finished":"2026-11-21T08:54:00Z","deployctl.dev/epoch":"8"}}})");
}

TEST(ReleasePatch, IsReadBackFromTheHead) {
  auto head = secrets_of(release()).back();
  head.body.merge_patch(release_patch({.state = ReleaseState::interrupted,
                                       .outcome = "its run ended without saying how",
                                       .progress = json::Value{{"step", "apply:service/api"}},
                                       .contracts = std::vector<std::string>{"api/clean-up", "web/drop"}},
                                      "1"));
  const auto summary = read_release_summary(head, scope);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->state, ReleaseState::interrupted);
  EXPECT_EQ(summary->outcome, "its run ended without saying how");
  EXPECT_EQ(summary->progress["step"], "apply:service/api");
  EXPECT_EQ(summary->contracts, (std::vector<std::string>{"api/clean-up", "web/drop"}));
}

TEST(ContentDigest, IsTheSameForTheSameWish) {
  auto other = release();
  other.number = 13;
  other.actor = "bob@build-7";
  std::ranges::reverse(other.objects);
  EXPECT_EQ(content_digest(other), content_digest(release()));
  other.objects.front().body["spec"]["replicas"] = 3;
  EXPECT_NE(content_digest(other), content_digest(release()));
}

struct Forgery {
  std::string_view name;
  std::function<void(Release&)> change;
  std::string_view complaint;
};

class ForgedRelease : public testing::TestWithParam<Forgery> {};

TEST_P(ForgedRelease, IsRefused) {
  auto forged = release();
  GetParam().change(forged);
  const auto read = read_back(secrets_of(forged));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    Release, ForgedRelease,
    testing::Values(
        Forgery{"AKindThatGivesRights",
                [](Release& r) { r.objects.push_back(object("rbac.authorization.k8s.io/v1", "RoleBinding", "me")); },
                "it holds an object of kind RoleBinding (rbac.authorization.k8s.io/v1)"},
        Forgery{"AClusterRoleBinding",
                [](Release& r) {
                  r.objects.push_back(object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "me", ""));
                },
                "it holds an object of kind ClusterRoleBinding"},
        Forgery{"ASecret", [](Release& r) { r.objects.push_back(object("v1", "Secret", "token")); },
                "it holds an object of kind Secret (v1)"},
        Forgery{"AKindOfAnotherGroup",
                [](Release& r) { r.objects.push_back(object("evil.example.com/v1", "Deployment", "api")); },
                "it holds an object of kind Deployment (evil.example.com/v1)"},
        Forgery{"AnotherNamespace",
                [](Release& r) { r.objects.push_back(object("v1", "Service", "dns", "kube-system")); },
                "it holds service/dns of namespace 'kube-system'"},
        Forgery{"ANameThatIsAPath", [](Release& r) { r.objects.push_back(object("v1", "Service", "../../x")); },
                "it holds a Service named '../../x'"},
        Forgery{"AnotherProject", [](Release& r) { r.project = "bank"; },
                "it is of project 'bank', environment 'prod'"}),
    [](const auto& forgery) { return std::string(forgery.param.name); });

TEST(DamagedRelease, IsToldFromAnotherNumber) {
  auto head = secrets_of(release()).back();
  head.body["metadata"]["labels"]["deployctl.dev/release"] = "13";
  const auto read = read_release(head, {}, scope);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "the record deployctl.shop.prod.v12 cannot be read: it says that it is release 12");
}

TEST(DamagedRelease, IsToldByItsChecksum) {
  auto secrets = secrets_of(large_release());
  secrets.front().body["data"]["release"] = base::base64_encode("something else");
  const auto read = read_back(secrets);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("its checksum is wrong"));
  EXPECT_THAT(read.error().hint, HasSubstr("kubectl delete secret deployctl.shop.prod.v12"));
}

TEST(DamagedRelease, IsToldByAMissingChunk) {
  const auto secrets = secrets_of(large_release());
  const auto read = read_release(secrets.back(), {}, scope);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("its checksum is wrong"));
}

TEST(DamagedRelease, MayNotClaimManyChunks) {
  auto head = secrets_of(release()).back();
  head.body["data"]["index"] = base::base64_encode(R"({"chunks":1000000,"digest":"sha256:0"})");
  const auto chunks = release_chunks(head, scope);
  ASSERT_FALSE(chunks);
  EXPECT_THAT(chunks.error().message, HasSubstr("it says that it has 1000000 chunks"));
}

TEST(DamagedRelease, MayNotUnpackWithoutEnd) {
  auto huge = release();
  huge.objects.front().body["data"] = {{"blob", std::string(33u << 20u, 'x')}};
  auto secrets = secrets_of(huge);
  ASSERT_THAT(secrets, SizeIs(1));
  auto& data = secrets.back().body["data"];
  auto bytes = *base::base64_decode(data["release"].get<std::string>());
  bytes += bytes;  // frames after one another are one stream: twice as much comes out
  data["release"] = base::base64_encode(bytes);
  data["index"] =
      base::base64_encode(json::to_compact_text({{"chunks", 1}, {"digest", oci::Digest::of(bytes).text()}}));
  const auto read = read_back(secrets);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("it is larger than any release"));
}

TEST(DamagedRelease, IsNoneWithoutItsLabels) {
  auto head = secrets_of(release()).back();
  head.body["metadata"]["labels"]["deployctl.dev/release"] = "-3";
  EXPECT_EQ(release_number(head), std::nullopt);
  EXPECT_FALSE(read_release_summary(head, scope));
}

}  // namespace
}  // namespace deployctl::kube
