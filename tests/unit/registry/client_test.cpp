// The client's pushes and how it gets in, against a registry of a few lines.
#include "core/registry/client.hpp"

#include "tests/unit/registry/fake_registry.hpp"

#include <atomic>
#include <thread>

namespace deployctl::registry {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::ada;
using tests::error_body;
using tests::root;
using tests::status;

class ClientTest : public tests::RegistryTest {
 protected:
  std::map<std::string, std::string>& manifests() { return registry_.repositories["shop/api"]; }
  // The registry answers the first question no sooner than another one is asked.
  void be_far_away() {
    asked_ = 0;
    registry_.before_answer = [this] {
      for (bool is_first = ++asked_ == 1; is_first && asked_ < 2;) {
        std::this_thread::yield();
      }
    };
  }

 private:
  std::atomic<int> asked_ = 0;
};

TEST_F(ClientTest, PushesBlobsThenTheTagThenAsksForTheManifest) {
  const auto pushed = image({"one", "two"});
  const auto result = push(pushed);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->outcome, PushResult::Outcome::pushed);
  EXPECT_EQ(result->digest, pushed.digest);
  EXPECT_EQ(result->uploaded_blobs, 3);
  EXPECT_THAT(registry_.requests, ElementsAre("GET " + root + "manifests/1", "POST " + root + "blobs/uploads/",
                                              "PUT " + root + "blobs/uploads/1", "POST " + root + "blobs/uploads/",
                                              "PUT " + root + "blobs/uploads/1", "POST " + root + "blobs/uploads/",
                                              "PUT " + root + "blobs/uploads/1", "PUT " + root + "manifests/1",
                                              "HEAD " + root + "manifests/" + pushed.digest.text()));
  EXPECT_EQ(manifests()["1"], pushed.manifest);
}

TEST_F(ClientTest, NeedsOneRequestWhenNothingChanged) {
  ASSERT_TRUE(push(image({"one"})));
  registry_.requests.clear();
  files_.clear();
  const auto again = push(image({"one"}));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome, PushResult::Outcome::unchanged);
  EXPECT_THAT(registry_.requests, ElementsAre("GET " + root + "manifests/1"));
}

TEST_F(ClientTest, NeedsTwoRequestsAtMostWhenNothingChangedInALargeImage) {
  const auto large = image({std::string(1 << 20, 'x'), std::string(1 << 20, 'y')});
  ASSERT_TRUE(push(large));
  registry_.requests.clear();
  const auto again = push(large);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome, PushResult::Outcome::unchanged);
  EXPECT_LE(registry_.requests.size(), 2u) << "what the tag points at and, beside it, the largest layer";
}

TEST_F(ClientTest, TakesTheBlobsOfTheImageBeforeAsThere) {
  ASSERT_TRUE(push(image({"one", "two", "three"})));
  registry_.requests.clear();
  const auto result = push(image({"one", "two", "changed"}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->uploaded_blobs, 2);
  EXPECT_EQ(registry_.requests.size(), 7u);
}

TEST_F(ClientTest, AsksForLargeBlobsBeforeItSendsThem) {
  ASSERT_TRUE(push(image({"one"})));
  const std::string large(1 << 20, 'x');
  registry_.blobs[oci::Digest::of(large).text()] = large;
  registry_.requests.clear();
  const auto result = push(image({large}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->uploaded_blobs, 1) << "only the configuration";
  EXPECT_THAT(registry_.requests, ::testing::Contains("HEAD " + root + "blobs/" + oci::Digest::of(large).text()));
}

TEST_F(ClientTest, AsksForTwoBlobsOnlyInARepositoryThatDoesNotExist) {
  for (const std::string code : {"MANIFEST_UNKNOWN", "NAME_UNKNOWN"}) {
    registry_.interventions["GET " + root + "manifests/1"] = {status(404, {}, error_body(code))};
    registry_.requests.clear();
    ASSERT_TRUE(push(image({std::string(1 << 20, code[0]), std::string(1 << 20, 'y'), std::string(1 << 20, 'z')})));
    EXPECT_THAT(registry_.requests, ::testing::Contains("GET " + root + "tags/list").Times(code[0] == 'M' ? 1 : 0));
    EXPECT_THAT(registry_.requests, ::testing::Contains(::testing::StartsWith("HEAD " + root + "blobs")).Times(2))
        << "the configuration and the largest layer, which an interrupted push would have left";
    registry_.repositories.clear();
    registry_.blobs.clear();
  }
}

TEST_F(ClientTest, AsksForOneSmallBlobAtMostInARepositoryThatDoesNotExist) {
  registry_.interventions["GET " + root + "manifests/1"] = {status(404, {}, error_body("NAME_UNKNOWN"))};
  ASSERT_TRUE(push(image({std::string(200 << 10, 'x'), std::string(200 << 10, 'y')})));
  EXPECT_THAT(registry_.requests,
              ::testing::Contains(::testing::StartsWith("HEAD " + root + "blobs")).Times(::testing::Le(1u)));
}

TEST_F(ClientTest, AsksForTheOnlyLayerAndNothingElse) {
  registry_.interventions["GET " + root + "manifests/1"] = {status(404, {}, error_body("MANIFEST_UNKNOWN"))};
  ASSERT_TRUE(push(image({std::string(2 << 20, 'x')})));
  EXPECT_EQ(registry_.requests.size(), 8u) << "tag, layer, POST and PUT of two blobs, tag, digest";
}

TEST_F(ClientTest, AsksForNoTagsWhereTheLargestLayerIsThere) {
  const std::string large(2 << 20, 'x');
  ASSERT_TRUE(push(image({large, std::string(1 << 20, 'y')})));
  registry_.requests.clear();
  be_far_away();
  const auto result = push(image({large, std::string(1 << 20, 'z')}), "r.example/shop/api:2");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->uploaded_blobs, 2) << "a layer and the configuration";
  EXPECT_THAT(registry_.requests, Not(::testing::Contains("GET " + root + "tags/list")));
}

TEST_F(ClientTest, AsksAgainForABlobThatItCouldNotAskForBeside) {
  ASSERT_TRUE(push(image({"one"})));
  const auto pushed = image({std::string(1 << 20, 'x')});
  registry_.interventions["HEAD " + root + "blobs/" + pushed.layers[0].digest.text()] = {
      status(500), status(503, {{"Retry-After", "1"}})};
  be_far_away();
  ASSERT_TRUE(push(pushed));
  EXPECT_THAT(clock_.sleeps(), ::testing::Contains(::testing::Ge(std::chrono::seconds(1))).Times(1))
      << "only the second question, whose answer is needed, is asked again";
}

TEST_F(ClientTest, MountsLayersFromTheRepositoryOfItsBase) {
  const std::string base_layer(1 << 20, 'x');
  registry_.blobs[oci::Digest::of(base_layer).text()] = base_layer;
  auto pushed = image({base_layer, "two"});
  const std::string config = R"({"architecture":"amd64","os":"linux","config":{"Labels":)"
                             R"({"org.opencontainers.image.base.name":"r.example/base/go:1"}}})";
  pushed.config.digest = oci::Digest::of(config);
  pushed.config.size = config.size();
  files_[pushed.blob_path(pushed.config.digest)] = config;
  registry_.interventions["HEAD " + root + "blobs/" + pushed.layers[0].digest.text()] = {status(404)};
  const auto result = push(pushed);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->uploaded_blobs, 2) << "the other layer and the configuration";
}

TEST_F(ClientTest, SendsWhatAnInterruptedFirstPushHasNotSent) {
  const std::vector<std::string> layers{std::string(3 << 20, 'x'), std::string(2 << 20, 'y'),
                                        std::string(1 << 20, 'z')};
  for (const auto* arrived : {&layers[0], &layers[2]}) {
    registry_.blobs[oci::Digest::of(*arrived).text()] = *arrived;
  }
  const auto result = push(image(layers));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->uploaded_blobs, 2) << "a layer and the configuration";
}

TEST_F(ClientTest, AsksForBlobsOfANewTagInARepositoryThatExists) {
  const std::string large(1 << 20, 'x');
  ASSERT_TRUE(push(image({large, "one"})));
  registry_.requests.clear();
  const auto result = push(image({large, std::string(1 << 20, 'y')}), "r.example/shop/api:2");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->uploaded_blobs, 2) << "a layer and the configuration";
}

TEST_F(ClientTest, SendsABlobOnceThatIsThereTwice) {
  const auto result = push(image({"one", "one", "one"}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->uploaded_blobs, 2);
}

TEST_F(ClientTest, UploadsAgainWhatTheManifestPutMisses) {
  const auto pushed = image({"one"});
  registry_.interventions["PUT " + root + "manifests/1"] = {status(400, {}, error_body("MANIFEST_BLOB_UNKNOWN"))};
  ASSERT_TRUE(push(pushed));
  EXPECT_EQ(manifests()["1"], pushed.manifest);
}

TEST_F(ClientTest, BelievesTheTagMoreThanTheDigestInTheAnswer) {
  const auto pushed = image({"one"});
  const auto put = "PUT " + root + "manifests/1";
  const auto stored_other = status(201, {{"Docker-Content-Digest", oci::Digest::of("other").text()}});
  registry_.interventions[put] = {stored_other};
  ASSERT_TRUE(push(pushed)) << "sent again as the tag does not show it";
  EXPECT_EQ(std::ranges::count(registry_.requests, put), 2);

  const auto next = image({"two"});
  registry_.interventions[put] = {stored_other};
  registry_.interventions["GET " + root + "manifests/1"] = {
      status(404), status(200, {{"Content-Type", next.media_type}}, next.manifest)};
  registry_.requests.clear();
  manifests()[next.digest.text()] = next.manifest;
  ASSERT_TRUE(push(next)) << "the tag shows it";
  EXPECT_EQ(std::ranges::count(registry_.requests, put), 1);
}

TEST_F(ClientTest, SaysSoWhenTheTagNamesSomethingElseAfterwards) {
  const auto other = oci::Digest::of("other").text();
  registry_.interventions["PUT " + root + "manifests/1"].assign(9, status(201, {{"Docker-Content-Digest", other}}));
  const auto pushed = image({"one"});
  const auto result = push(pushed);
  ASSERT_FALSE(result);
  EXPECT_EQ(to_string(result.error()), "pushing r.example/shop/api:1: r.example stored the image manifest as " + other +
                                           " instead of " + pushed.digest.text());
  EXPECT_EQ(result.error().hint, "it was changed on its way and the tag 1 names what arrived: push again");
}

TEST_F(ClientTest, BeginsABlobAgainWhenItsSessionIsLost) {
  registry_.interventions["PUT " + root + "blobs/uploads/1"] = {Error::unreachable("the connection broke"),
                                                                status(404, {}, error_body("BLOB_UPLOAD_INVALID"))};
  const auto result = push(image({"one"}));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(registry_.blobs.size(), 2u);
  EXPECT_THAT(notices_.at(0), HasSubstr("r.example: layer " + std::string(image({"one"}).layers[0].digest.brief()) +
                                        " (1 of 1): the connection broke; trying again in "));
}

TEST_F(ClientTest, TellsATagThatMustNotBeMovedFromOtherRefusals) {
  for (const int code : {400, 409, 412}) {
    registry_.interventions["PUT " + root + "manifests/1"] = {
        status(code, {}, R"({"errors":[{"code":"DENIED","message":"Tag '1' is IMMUTABLE"}]})")};
    const auto result = push(image({"one"}));
    ASSERT_FALSE(result) << code;
    EXPECT_EQ(result.error().code, ErrorCode::conflict) << code;
    EXPECT_THAT(result.error().hint, HasSubstr("push under a new tag")) << code;
  }
}

TEST_F(ClientTest, GoesOnWithAnUploadThatTheRegistryHasKept) {
  const auto pushed = image({std::string(3 << 20, 'x')});
  registry_.keeps_sessions = true;
  registry_.upload_cuts = {2 << 20};
  const auto result = push(pushed);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(registry_.content_ranges, ElementsAre("", "2097152-3145727", ""));
  EXPECT_THAT(registry_.blobs, ::testing::Contains(::testing::Key(pushed.layers[0].digest.text())));
}

TEST_F(ClientTest, SendsChunksWhereOneRequestIsTooLarge) {
  const auto pushed = image({std::string(9 << 20, 'x')});
  registry_.most_in_a_request = 4 << 20;
  const auto result = push(pushed);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(registry_.content_ranges, ElementsAre("", "0-4194303", "4194304-8388607", "8388608-9437183", ""));
  EXPECT_THAT(notices_, ::testing::IsEmpty());
}

TEST_F(ClientTest, RemembersThatARegistryWantsChunks) {
  registry_.most_in_a_request = 4 << 20;
  auto with = client();
  for (const std::string target : {"r.example/shop/api:1", "r.example/shop/web:1"}) {
    registry_.content_ranges.clear();
    const auto pushed = image({std::string(5 << 20, target == "r.example/shop/api:1" ? 'x' : 'y')});
    ASSERT_TRUE(with.push(pushed, *oci::Reference::parse(target), {.parallel = 1, .on_progress = {}, .stop = {}}));
  }
  EXPECT_THAT(registry_.content_ranges, ElementsAre("0-4194303", "4194304-5242879", "")) << "without a refusal";
}

TEST_F(ClientTest, SendsChunksAsLongAsTheRegistryWants) {
  const auto pushed = image({std::string(9 << 20, 'x')});
  registry_.upload_fields = {{"OCI-Chunk-Min-Length", "6291456"}};
  ASSERT_TRUE(push(pushed));
  EXPECT_THAT(registry_.content_ranges, ElementsAre("0-6291455", "6291456-9437183", ""));
}

TEST_F(ClientTest, GivesUpTheUploadSessionThatItLeaves) {
  const auto session = root + "blobs/uploads/1";
  registry_.interventions["PUT " + session] = {status(403, {}, error_body("DENIED"))};
  ASSERT_FALSE(push(image({"one"})));
  EXPECT_EQ(registry_.requests.back(), "DELETE " + session);
}

TEST_F(ClientTest, SaysSoWhenEvenChunksAreTooLarge) {
  registry_.most_in_a_request = 1 << 20;
  const auto result = push(image({std::string(9 << 20, 'x')}));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("it answered 413"));
  EXPECT_EQ(result.error().hint, "a proxy in front of the registry limits the size of uploads");
}

TEST_F(ClientTest, SaysSoWhenARegistryDoesNotGiveOutWhatItTook) {
  const auto pushed = image({"one"});
  registry_.interventions["HEAD " + root + "manifests/" + pushed.digest.text()] =
      std::vector<Result<http::Response>>(9, status(404));
  const auto result = push(pushed);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("but does not give it out"));
}

TEST_F(ClientTest, WaitsAsTheRegistryAsks) {
  registry_.interventions["POST " + root + "blobs/uploads/"] = {status(429, {{"Retry-After", "9"}})};
  ASSERT_TRUE(push(image({"one"})));
  EXPECT_THAT(clock_.sleeps(), ElementsAre(std::chrono::seconds(9)));
}

TEST_F(ClientTest, NoticesALayerThatChangedOnDisk) {
  const auto pushed = image({"one"});
  files_[pushed.blob_path(pushed.layers[0].digest)] = "two";
  const auto result = push(pushed);
  ASSERT_FALSE(result);
  const auto layer = pushed.layers[0].digest;
  EXPECT_EQ(result.error().message, "layer " + std::string(layer.brief()) + " (1 of 1) has changed on disk: " +
                                        pushed.blob_path(layer) + " no longer holds " + layer.text());
  EXPECT_FALSE(manifests().contains("1"));
}

TEST_F(ClientTest, GivesUpSoonWhenNobodyAnswers) {
  const auto line = "GET " + root + "manifests/1";
  registry_.interventions[line] =
      std::vector<Result<http::Response>>(20, Error::unreachable("cannot reach r.example:443: connection refused"));
  const auto start = clock_.now();
  const auto result = push(image({"one"}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unreachable);
  EXPECT_EQ(to_string(result.error()), "pushing r.example/shop/api:1: cannot reach r.example:443: connection refused");
  EXPECT_EQ(result.error().hint, "is the registry running, and is r.example its address?");
  EXPECT_LT(clock_.now() - start, std::chrono::seconds(10));
}

TEST_F(ClientTest, FetchesATokenForItsRepositoryAndUsesItForAll) {
  registry_.challenge = R"(Bearer realm="https://auth.example/token?x=1",service="r",scope="repository:shop/api:pull")";
  registry_.allowed = {"Bearer t1"};
  auto with = client(ada());
  const auto result = with.push(image({"one"}), *oci::Reference::parse("r.example/shop/api:1"),
                                {.parallel = 1, .on_progress = {}, .stop = {}});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(registry_.queries, ElementsAre("x=1&service=r&scope=repository:shop/api:pull,push"));
  EXPECT_EQ(registry_.authorizations[0], "");
  EXPECT_EQ(registry_.authorizations[1], "Basic " + base::base64_encode("ada:pw"));
  EXPECT_EQ(registry_.authorizations[2], "Bearer t1");
}

TEST_F(ClientTest, RenewsATokenBeforeItEnds) {
  registry_.challenge = R"(Bearer realm="https://auth.example/token")";
  registry_.allowed = {"Bearer t1", "Bearer t2"};
  auto with = client();
  ASSERT_TRUE(with.ping("r.example"));
  clock_.advance(std::chrono::seconds(79));
  ASSERT_TRUE(with.ping("r.example"));
  EXPECT_EQ(registry_.queries.size(), 1u);
  clock_.advance(std::chrono::seconds(2));
  ASSERT_TRUE(with.ping("r.example"));
  EXPECT_EQ(registry_.queries.size(), 2u);
  EXPECT_EQ(registry_.authorizations.back(), "Bearer t2");
}

TEST_F(ClientTest, RenewsATokenThatWouldEndWithinAnUpload) {
  registry_.challenge = R"(Bearer realm="https://auth.example/token")";
  registry_.allowed = {"Bearer t1", "Bearer t2"};
  auto with = client();
  const auto target = *oci::Reference::parse("r.example/shop/api:1");
  ASSERT_TRUE(with.points_at(target, oci::Digest::of("any")));
  clock_.advance(std::chrono::seconds(70));
  ASSERT_TRUE(with.push(image({"small"}), target, {.parallel = 1, .on_progress = {}, .stop = {}}));
  EXPECT_EQ(registry_.queries.size(), 1u) << "30 of 100 seconds are left";
  ASSERT_TRUE(with.push(image({std::string(40 << 20, 'x')}), target, {.parallel = 1, .on_progress = {}, .stop = {}}));
  EXPECT_EQ(registry_.queries.size(), 2u) << "and 40 MiB may take 40";
}

TEST_F(ClientTest, ExchangesAnIdentityTokenForAToken) {
  registry_.challenge = R"(Bearer realm="https://auth.example/token",service="r")";
  registry_.allowed = {"Bearer t1"};
  auto login = ada();
  login.username = "<token>";
  login.password = base::Secret();
  login.identity_token = base::Secret("id/1");
  ASSERT_TRUE(client(login).points_at(*oci::Reference::parse("r.example/shop/api:1"), oci::Digest::of("any")));
  EXPECT_THAT(registry_.queries,
              ElementsAre("grant_type=refresh_token&refresh_token=id/1&service=r&client_id=deployctl&"
                          "scope=repository:shop/api:pull,push"));
}

TEST_F(ClientTest, AsksAnOlderTokenServiceInTheOldWay) {
  registry_.challenge = R"(Bearer realm="https://auth.example/token",service="r")";
  registry_.allowed = {"Bearer t1"};
  registry_.interventions["POST https://auth.example/token"] = {status(404)};
  auto login = ada();
  login.identity_token = base::Secret("id/1");
  ASSERT_TRUE(client(login).points_at(*oci::Reference::parse("r.example/shop/api:1"), oci::Digest::of("any")));
  EXPECT_THAT(registry_.queries, ElementsAre("service=r&scope=repository:shop/api:pull,push"));
  EXPECT_EQ(registry_.authorizations[2], "Basic " + base::base64_encode("ada:pw"));
}

TEST_F(ClientTest, SendsNothingOfAnImageWhoseManifestNoRegistryTakes) {
  auto pushed = image({"one"});
  pushed.manifest.append((4 << 20) + 1 - pushed.manifest.size(), ' ');
  pushed.digest = oci::Digest::of(pushed.manifest);
  const auto result = push(pushed);
  ASSERT_FALSE(result);
  EXPECT_EQ(to_string(result.error()),
            "pushing r.example/shop/api:1: the image manifest has 4194305 bytes, and registries take 4.0 MiB at most");
  EXPECT_THAT(registry_.requests, ::testing::IsEmpty());
}

TEST_F(ClientTest, NamesTheUserWhoWasRefusedButNotThePassword) {
  registry_.challenge = R"(Basic realm="r")";
  auto with = client(ada());
  const auto result = with.push(image({"one"}), *oci::Reference::parse("r.example/shop/api:1"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unauthorized);
  EXPECT_EQ(to_string(result.error()),
            "pushing r.example/shop/api:1: cannot push to r.example/shop/api as user ada from "
            "/home/ada/.docker/config.json: it answered 401 UNAUTHORIZED: words");
  EXPECT_EQ(result.error().hint, "check them with `docker login r.example`");
  EXPECT_EQ(registry_.requests.size(), 2u);
}

TEST_F(ClientTest, SaysSoWhenItHasNoCredentials) {
  registry_.challenge = R"(Basic realm="r")";
  const auto result = push(image({"one"}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unauthorized);
  EXPECT_EQ(result.error().hint, "log in with `docker login r.example`");
}

struct RealmRow {
  std::string realm;
  std::string reason;
};

TEST_F(ClientTest, DoesNotSendAPasswordWhereARegistryMustNotLead) {
  const RealmRow rows[] = {
      {"http://auth.example/token", "which is not https: a password would be sent in clear"},
      {"https://169.254.169.254/token", "an address inside a private network"},
      {"https://[fd00::1]/token", "an address inside a private network"},
      {"https://localhost/token", "an address inside a private network"},
      {"token", "which is no URL"},
  };
  for (const auto& row : rows) {
    registry_.challenge = "Bearer realm=\"" + row.realm + "\"";
    registry_.requests.clear();
    auto with = client(ada());
    const auto result = with.ping("r.example");
    ASSERT_FALSE(result) << row.realm;
    EXPECT_THAT(result.error().message, ::testing::EndsWith(row.reason));
    EXPECT_EQ(registry_.requests.size(), 1u);
  }
}

TEST_F(ClientTest, LeavesItsCredentialsBehindWhenAnUploadLeadsElsewhere) {
  registry_.challenge = R"(Basic realm="r")";
  registry_.allowed = {"Basic " + base::base64_encode("ada:pw"), ""};
  registry_.interventions["GET " + root + "manifests/1"] = {status(401, {{"WWW-Authenticate", registry_.challenge}})};
  registry_.upload_location = "https://storage.example/upload/1?sig=secret";
  auto with = client(ada());
  const auto result = with.push(image({"one"}), *oci::Reference::parse("r.example/shop/api:1"),
                                {.parallel = 1, .on_progress = {}, .stop = {}});
  ASSERT_TRUE(result) << to_string(result.error());
  for (std::size_t i = 0; i < registry_.requests.size(); ++i) {
    const bool is_elsewhere = registry_.requests[i].find("storage.example") != std::string::npos;
    EXPECT_EQ(registry_.authorizations[i].empty(), is_elsewhere || i == 0) << registry_.requests[i];
  }
}

TEST_F(ClientTest, RefusesToSendABodyInClearAfterHttps) {
  registry_.upload_location = "http://r.example/v2/shop/api/blobs/uploads/1";
  const auto result = push(image({"one"}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::refused);
  EXPECT_THAT(result.error().message, HasSubstr("leads from https to plain http"));
}

TEST_F(ClientTest, IsNotLedToServicesInsideThisMachineOrACloud) {
  for (const auto* place :
       {"https://169.254.169.254/latest", "https://2852039166/x", "https://[::ffff:169.254.169.254]/x",
        "https://127.0.0.1:2375/x", "https://localhost/x", "https://[fe80::1]/x"}) {
    registry_.upload_location = place;
    registry_.requests.clear();
    const auto result = push(image({"one"}));
    ASSERT_FALSE(result) << place;
    EXPECT_EQ(result.error().code, ErrorCode::refused);
    EXPECT_THAT(result.error().message, HasSubstr("an address that keeps no blobs")) << place;
    EXPECT_THAT(registry_.requests, ::testing::Each(HasSubstr("r.example"))) << place;
  }
}

TEST_F(ClientTest, SpeaksPlainHttpOnlyToThisMachine) {
  auto with = client();
  ASSERT_TRUE(with.ping("127.0.0.1:5000"));
  EXPECT_THAT(registry_.requests, ElementsAre("GET http://127.0.0.1:5000/v2/"));
  registry_.interventions["GET http://localhost:5000/v2/"] = {
      status(400, {}, "Client sent an HTTP request to an HTTPS server.\n")};
  ASSERT_TRUE(with.ping("localhost:5000"));
  EXPECT_EQ(registry_.requests.back(), "GET https://localhost:5000/v2/");
}

TEST_F(ClientTest, AsksForTheWordsThatAnAnswerToHeadHasNot) {
  const std::string manifest = "localhost:5000/v2/shop/api/manifests/1";
  registry_.interventions["HEAD http://" + manifest] = {status(400, {}, "")};
  registry_.interventions["GET http://localhost:5000/v2/"] = {
      status(400, {}, "Client sent an HTTP request to an HTTPS server.\n")};
  auto with = client();
  (void)with.exists(*oci::Reference::parse("localhost:5000/shop/api:1"));
  EXPECT_THAT(registry_.requests,
              ElementsAre("HEAD http://" + manifest, "GET http://localhost:5000/v2/", "HEAD https://" + manifest));
}

TEST_F(ClientTest, FollowsRedirectsAFewTimes) {
  const auto line = "GET " + root + "manifests/1";
  manifests()["1"] = "{}";
  registry_.interventions[line] = {status(307, {{"Location", "/v2/shop/api/manifests/1"}})};
  auto with = client();
  EXPECT_TRUE(with.resolve(*oci::Reference::parse("r.example/shop/api:1")));
  registry_.interventions[line] =
      std::vector<Result<http::Response>>(9, status(302, {{"Location", "/v2/shop/api/manifests/1"}}));
  EXPECT_EQ(with.resolve(*oci::Reference::parse("r.example/shop/api:1")).error().message,
            "r.example redirects more than 5 times");
}

TEST_F(ClientTest, TakesADocumentForWhatItSaysItIsWhereTheRegistrySaysNothing) {
  const auto served = index({{"one"}}).bytes;
  registry_.interventions["GET " + root + "manifests/1"] = {status(200, {}, served)};
  const auto document = client().manifest(*oci::Reference::parse("r.example/shop/api:1"));
  ASSERT_TRUE(document);
  EXPECT_EQ(document->media_type, oci::media_type::image_index);
}

TEST_F(ClientTest, SaysHowLongARegistryWantsToBeLeftAlone) {
  for (const int code : {429, 503}) {
    registry_.interventions["GET " + root + "manifests/1"] = {status(code, {{"Retry-After", "86400"}})};
    const auto result = client().manifest(*oci::Reference::parse("r.example/shop/api:1"));
    ASSERT_FALSE(result) << code;
    EXPECT_EQ(result.error().hint, "the registry asks to wait: 86400 (seconds or a date)") << code;
  }
}

TEST_F(ClientTest, ResolvesToTheDigestOfTheBytes) {
  manifests()["1"] = image({"one"}).manifest;
  auto with = client();
  EXPECT_EQ(*with.resolve(*oci::Reference::parse("r.example/shop/api:1")), image({"one"}).digest);
  EXPECT_EQ(with.resolve(*oci::Reference::parse("r.example/shop/api:2")).error().code, ErrorCode::not_found);
  EXPECT_TRUE(*with.exists(*oci::Reference::parse("r.example/shop/api:1")));
  EXPECT_FALSE(*with.exists(*oci::Reference::parse("r.example/shop/api:2")));
}

}  // namespace
}  // namespace deployctl::registry
