// Which cluster an environment belongs to, over several runs of one user.
#include "core/execute/identity.hpp"

#include "core/base/text.hpp"
#include "core/oci/digest.hpp"
#include "tests/unit/execute/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::execute {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string record = "/home/me/.local/state/deployctl/clusters/shop.prod.json";
const std::string uid = "6f1c2d9e-0b1a-4c5d-8e7f-102938475665";
const std::string other_uid = "00000000-0b1a-4c5d-8e7f-102938475665";
const std::string authority = "sha256:" + std::string(64, 'a');
const std::string other_authority = "sha256:" + std::string(64, 'b');

class Bindings : public ::testing::Test {
 protected:
  Bindings() {
    target_.project = {"shop", {}};
    target_.environment = "prod";
    target_.name_space = "shop";
  }

  base::Result<Binding> check(const kube::ClusterIdentity& seen, Record remember = Record::yes) {
    return check_binding(target_, seen, client_->connection(), remember, world_.run_ports());
  }

  PlayedWorld world_;
  std::unique_ptr<cluster::Client> client_ = world_.client();
  project::Target target_;
};

TEST_F(Bindings, AreMadeByTheFirstUse) {
  EXPECT_EQ(*check({uid, {authority}}), Binding::first_use);
  EXPECT_EQ(*check({uid, {authority}}), Binding::known);
  EXPECT_EQ(world_.files.stat(record).mode, 0600U);
}

TEST_F(Bindings, AreNotMadeByALook) {
  EXPECT_EQ(*check({uid, {authority}}, Record::no), Binding::first_use);
  EXPECT_EQ(*check({other_uid, {authority}}, Record::no), Binding::first_use);
}

TEST_F(Bindings, RefuseAnotherClusterAndNameBoth) {
  ASSERT_TRUE(check({uid, {authority}}));
  const auto refused = check({other_uid, {other_authority}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::refused);
  EXPECT_EQ(refused.error().message,
            "prod of shop belongs to another cluster than the one that answers: it is another cluster\n"
            "meant: https://k8s:6443/ (context dev of ~/.kube/config), kube-system " +
                uid + ", CA " + authority + ", since 2026-01-01T00:00:00Z\n" +
                "this: https://k8s:6443/ (context dev of ~/.kube/config), kube-system " + other_uid + ", CA " +
                other_authority);
  EXPECT_THAT(refused.error().hint, HasSubstr("'deployctl doctor -e prod --accept-cluster'"));
}

TEST_F(Bindings, CanBeMovedToAnotherCluster) {
  ASSERT_TRUE(check({uid, {authority}}));
  ASSERT_TRUE(accept_cluster(target_, {other_uid, {authority}}, client_->connection(), world_.run_ports()));
  EXPECT_EQ(*check({other_uid, {authority}}), Binding::known);
  EXPECT_FALSE(check({uid, {authority}}));
}

TEST_F(Bindings, FollowARotationOfTheAuthority) {
  ASSERT_TRUE(check({uid, {authority}}));
  ASSERT_TRUE(check({uid, {authority, other_authority}}));
  EXPECT_EQ(*check({uid, {other_authority}}), Binding::known);
}

TEST_F(Bindings, OfAUserWhoMayReadLittleStandOnTheAuthority) {
  EXPECT_EQ(*check({"", {authority}}), Binding::first_use);
  EXPECT_FALSE(check({"", {other_authority}}));
  EXPECT_EQ(*check({uid, {authority}}), Binding::known);
  EXPECT_FALSE(check({other_uid, {authority}})) << "what is seen later is remembered as well";
}

TEST_F(Bindings, AreNotMadeWithWhatTellsNothing) {
  EXPECT_EQ(*check({"", {}}), Binding::first_use);
  EXPECT_EQ(*check({uid, {}}), Binding::first_use);
}

TEST_F(Bindings, OfAnotherEnvironmentAreItsOwn) {
  ASSERT_TRUE(check({uid, {authority}}));
  target_.environment = "test";
  EXPECT_EQ(*check({other_uid, {other_authority}}), Binding::first_use);
}

TEST_F(Bindings, ThatCannotBeReadAreNotPassedOver) {
  world_.files.put(record, "{}");
  const auto refused = check({uid, {authority}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(base::to_string(refused.error()), HasSubstr(record));
}

TEST_F(Bindings, AreThoseOfTheProjectManifestWhereItPins) {
  ASSERT_TRUE(check({other_uid, {authority}}));
  target_.cluster = project::ClusterPin{.uid = uid, .authority = "", .span = {}};
  EXPECT_EQ(*check({uid, {authority}}), Binding::pinned);
  EXPECT_FALSE(check({other_uid, {authority}}));
  const auto unseen = check({"", {authority}});
  ASSERT_FALSE(unseen) << "a pin that can be compared with nothing assures nothing";
  EXPECT_EQ(unseen.error().code, base::ErrorCode::refused);
  target_.cluster->authority = authority;
  EXPECT_EQ(*check({"", {authority}}), Binding::pinned);
  EXPECT_FALSE(check({uid, {other_authority}}));
}

TEST_F(Bindings, AreReadFromTheClusterInOneRequest) {
  world_.transport.on("GET /api/v1/namespaces/kube-system", {{.body = R"({"metadata":{"uid":")" + uid + "\"}}"}});
  const auto seen = read_identity(*client_, {});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->uid, uid);
  EXPECT_THAT(seen->authorities, IsEmpty());
  EXPECT_THAT(world_.transport.requests(), SizeIs(1));
}

TEST_F(Bindings, DoWithoutTheUidWhereItMayNotBeRead) {
  world_.transport.on("GET /api/v1/namespaces/kube-system",
                      {{.status = 403, .body = R"({"kind":"Status","reason":"Forbidden","message":"no","code":403})"}});
  const auto seen = read_identity(*client_, {});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->uid, "");
}

TEST(CertificateDigests, AreOfTheBytesBehindThePem) {
  const auto pem = [](const std::string& der) {
    return "-----BEGIN CERTIFICATE-----\n" + base::base64_encode(der) + "\n-----END CERTIFICATE-----\n";
  };
  const auto one = oci::Digest::of("one").text();
  const auto two = oci::Digest::of("two").text();
  EXPECT_THAT(certificate_digests("# a comment\n" + pem("one")), ElementsAre(one));
  EXPECT_THAT(certificate_digests(pem("one") + pem("two") + pem("one")),
              ElementsAre(std::min(one, two), std::max(one, two)));
  EXPECT_THAT(certificate_digests("-----BEGIN CERTIFICATE-----\nAAAA"), IsEmpty());
  EXPECT_THAT(certificate_digests(""), IsEmpty());
}

}  // namespace
}  // namespace deployctl::execute
