// What the client does besides pushing one image: fetching, several platforms, referrers, copying, listing, deleting.
#include "tests/unit/registry/fake_registry.hpp"

namespace deployctl::registry {
namespace {

using base::ErrorCode;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using tests::error_body;
using tests::root;
using tests::status;

class ContentTest : public tests::RegistryTest {
 protected:
  std::map<std::string, std::string>& manifests(const std::string& repository = "shop/api") {
    return registry_.repositories[repository];
  }
  static oci::Reference reference(const std::string& text) { return *oci::Reference::parse(text); }
  oci::Descriptor hold(const std::string& bytes) {
    const oci::Descriptor blob{.media_type = std::string(oci::media_type::layer_gzip),
                               .digest = oci::Digest::of(bytes),
                               .size = bytes.size(),
                               .platform = {},
                               .annotations = {}};
    registry_.blobs[blob.digest.text()] = bytes;
    return blob;
  }
  base::Status fetch(const oci::Descriptor& blob, std::string& bytes) {
    auto with = client();
    return with.fetch_blob(reference("r.example/shop/api"), blob, [&](std::string_view piece) {
      bytes += piece;
      return base::Status();
    });
  }
};

const std::string some_bytes = "The quick brown fox jumps over the lazy dog, again and again and again.";

TEST_F(ContentTest, FetchesABlob) {
  std::string bytes;
  ASSERT_TRUE(fetch(hold(some_bytes), bytes));
  EXPECT_EQ(bytes, some_bytes);
}

TEST_F(ContentTest, ResumesABrokenTransferAtItsByte) {
  registry_.cuts = {21, 0, 14};
  std::string bytes;
  ASSERT_TRUE(fetch(hold(some_bytes), bytes));
  EXPECT_EQ(bytes, some_bytes);
  EXPECT_THAT(registry_.ranges, ElementsAre("", "bytes=21-", "bytes=21-", "bytes=35-"));
}

TEST_F(ContentTest, SkipsWhatItHasWhenTheRegistryBeginsAgain) {
  registry_.cuts = {21, 30};
  registry_.heeds_ranges = false;
  std::string bytes;
  ASSERT_TRUE(fetch(hold(some_bytes), bytes));
  EXPECT_EQ(bytes, some_bytes);
}

TEST_F(ContentTest, GivesUpOnATransferThatKeepsBreaking) {
  registry_.cuts = std::vector<std::uint64_t>(20, 7);
  std::string bytes;
  const auto fetched = fetch(hold(some_bytes + some_bytes), bytes);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, ErrorCode::unreachable);
  EXPECT_THAT(fetched.error().message, HasSubstr("from r.example/shop/api: the connection broke"));
  EXPECT_EQ(registry_.requests.size(), 5u);
}

TEST_F(ContentTest, GivesUpOnATransferThatStallsEveryTime) {
  registry_.cuts = std::vector<std::uint64_t>(50, 0);
  registry_.before_answer = [this] { clock_.advance(std::chrono::seconds(61)); };
  std::string bytes;
  EXPECT_FALSE(fetch(hold(some_bytes), bytes));
  EXPECT_EQ(registry_.requests.size(), 5u);
}

TEST_F(ContentTest, NoticesABlobThatIsNotWhatItsDigestSays) {
  struct Row {
    std::string held;
    std::string reason;
  };
  const Row rows[] = {
      {"The quick brown cat jumps over the lazy dog, again and again and again.", "arrived damaged"},
      {some_bytes + "!", "with 72 bytes instead of 71"},
      {"short", "with 5 bytes instead of 71"},
  };
  for (const auto& row : rows) {
    const auto blob = hold(some_bytes);
    registry_.blobs[blob.digest.text()] = row.held;
    std::string bytes;
    const auto fetched = fetch(blob, bytes);
    ASSERT_FALSE(fetched) << row.held;
    EXPECT_THAT(fetched.error().message, HasSubstr(row.reason));
  }
}

TEST_F(ContentTest, SaysWhichBlobIsMissing) {
  const auto blob = hold(some_bytes);
  registry_.blobs.clear();
  std::string bytes;
  const auto fetched = fetch(blob, bytes);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, ErrorCode::not_found);
}

TEST_F(ContentTest, EndsAFetchWithTheSinksError) {
  const auto blob = hold(some_bytes);
  auto with = client();
  const auto fetched = with.fetch_blob(reference("r.example/shop/api"), blob, [](std::string_view) -> base::Status {
    return base::Error::failed("the disk is full");
  });
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().message, "the disk is full");
  EXPECT_EQ(registry_.requests.size(), 1u);
}

TEST_F(ContentTest, PushesEveryImageBeforeTheIndexToItsTag) {
  const auto pushed = index({{"one", "shared"}, {"two", "shared"}});
  auto with = client();
  const auto result =
      with.push(pushed, reference("r.example/shop/api:1"), {.parallel = 1, .on_progress = {}, .stop = {}});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->digest, pushed.digest);
  EXPECT_EQ(result->uploaded_blobs, 5) << "what both have goes once";
  EXPECT_EQ(manifests()["1"], pushed.bytes);
  EXPECT_EQ(manifests()[pushed.images[0].digest.text()], pushed.images[0].manifest);
  const std::vector<std::string> last(registry_.requests.end() - 4, registry_.requests.end());
  EXPECT_THAT(last, ElementsAre("PUT " + root + "manifests/" + pushed.images[0].digest.text(),
                                "PUT " + root + "manifests/" + pushed.images[1].digest.text(),
                                "PUT " + root + "manifests/1", "HEAD " + root + "manifests/" + pushed.digest.text()));
}

TEST_F(ContentTest, GivesUpOnAnIndexWhoseImagesTheRegistryNeverSees) {
  const auto pushed = index({{"one"}, {"two"}});
  const auto put = "PUT " + root + "manifests/1";
  registry_.interventions[put].assign(50, status(400, {}, error_body("MANIFEST_BLOB_UNKNOWN")));
  auto with = client();
  EXPECT_FALSE(with.push(pushed, reference("r.example/shop/api:1")));
  EXPECT_EQ(std::ranges::count(registry_.requests, put), 4);
  EXPECT_FALSE(manifests().contains("1"));
}

TEST_F(ContentTest, PushesOnlyTheImageOfAnIndexThatChanged) {
  auto with = client();
  const auto to = reference("r.example/shop/api:1");
  ASSERT_TRUE(with.push(index({{"one"}, {"two"}}), to));
  registry_.requests.clear();
  const auto again = with.push(index({{"one"}, {"two"}}), to);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome, PushResult::Outcome::unchanged);
  EXPECT_EQ(registry_.requests.size(), 1u);

  const auto changed = index({{"one"}, {"three"}});
  const auto result = with.push(changed, to);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->uploaded_blobs, 2);
  EXPECT_THAT(registry_.requests, Not(Contains("PUT " + root + "manifests/" + changed.images[0].digest.text())));
}

TEST_F(ContentTest, KeepsAnIndexOfReferrersWhereTheRegistryHasNone) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto subject = image({"one"});
  ASSERT_TRUE(with.push(subject, repository.with_tag("1")));
  const auto sbom = image({"sbom"}, subject.digest);
  const auto attached = with.attach(sbom, repository);
  ASSERT_TRUE(attached) << to_string(attached.error());
  EXPECT_TRUE(attached->by_fallback_tag);
  EXPECT_EQ(attached->digest, sbom.digest);
  ASSERT_TRUE(with.attach(image({"provenance"}, subject.digest), repository));
  ASSERT_TRUE(with.attach(sbom, repository)) << "once more changes nothing";

  const auto found = with.referrers(repository, subject.digest);
  ASSERT_TRUE(found) << to_string(found.error());
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->front().digest, sbom.digest);
  EXPECT_EQ(found->front().artifact_type, "application/spdx+json");
  EXPECT_THAT(found->front().annotations, ElementsAre(std::pair("made-by", "test")));
  EXPECT_THAT(*with.referrers(repository, subject.digest, "text/other"), IsEmpty());
}

TEST_F(ContentTest, LeavesTheIndexToARegistryThatHasTheApi) {
  registry_.has_referrers_api = true;
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto subject = image({"one"});
  ASSERT_TRUE(with.push(subject, repository.with_tag("1")));
  const auto attached = with.attach(image({"sbom"}, subject.digest), repository);
  ASSERT_TRUE(attached);
  EXPECT_FALSE(attached->by_fallback_tag);
  EXPECT_EQ(with.referrers(repository, subject.digest)->size(), 1u);
  EXPECT_THAT(*with.referrers(repository, subject.digest, "text/other"), IsEmpty());
}

TEST_F(ContentTest, PutsItsReferrerBackWhenAnotherOverwroteTheIndex) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto subject = image({"one"});
  ASSERT_TRUE(with.push(subject, repository.with_tag("1")));
  const auto tag = "sha256-" + std::string(subject.digest.encoded());
  const auto others = oci::index_bytes({.media_type = std::string(oci::media_type::image_index), .manifests = {}});
  const auto lost = status(200, {{"Content-Type", std::string(oci::media_type::image_index)}}, others);
  registry_.interventions["GET " + root + "manifests/" + tag] = {status(404), lost};
  ASSERT_TRUE(with.attach(image({"sbom"}, subject.digest), repository));
  EXPECT_EQ(with.referrers(repository, subject.digest)->size(), 1u);
}

TEST_F(ContentTest, PutsItsReferrerBackWhenAnotherOverwritesTheIndexLater) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto subject = image({"one"});
  ASSERT_TRUE(with.push(subject, repository.with_tag("1")));
  const auto tag = "sha256-" + std::string(subject.digest.encoded());
  int overwritten = 0;
  clock_.while_asleep = [&] {
    if (overwritten++ == 0) {
      manifests()[tag] = oci::index_bytes({.media_type = std::string(oci::media_type::image_index), .manifests = {}});
    }
  };
  ASSERT_TRUE(with.attach(image({"sbom"}, subject.digest), repository));
  EXPECT_GT(overwritten, 0);
  EXPECT_EQ(with.referrers(repository, subject.digest)->size(), 1u);
}

TEST_F(ContentTest, DoesNotBelieveAnIndexOfReferrers) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto subject = image({"one"});
  const auto other = image({"two"});
  ASSERT_TRUE(with.push(subject, repository.with_tag("1")));
  ASSERT_TRUE(with.push(other, repository.with_tag("2")));
  const auto tag = "sha256-" + std::string(subject.digest.encoded());
  const oci::Descriptor claim{.media_type = other.media_type,
                              .digest = other.digest,
                              .size = other.manifest.size(),
                              .platform = {},
                              .annotations = {}};
  manifests()[tag] = oci::index_bytes({.media_type = std::string(oci::media_type::image_index), .manifests = {claim}});
  EXPECT_THAT(*with.referrers(repository, subject.digest), IsEmpty());
}

TEST_F(ContentTest, DoesNotOverwriteATagThatIsSomethingElse) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto subject = image({"one"});
  const auto tag = "sha256-" + std::string(subject.digest.encoded());
  ASSERT_TRUE(with.push(image({"else"}), repository.with_tag(tag)));
  const auto attached = with.attach(image({"sbom"}, subject.digest), repository);
  ASSERT_FALSE(attached);
  EXPECT_THAT(attached.error().message, HasSubstr("is not an index of referrers"));
}

TEST_F(ContentTest, RefusesToAttachWhatHasNoSubject) {
  auto with = client();
  EXPECT_FALSE(with.attach(image({"one"}), reference("r.example/shop/api")));
  EXPECT_THAT(registry_.requests, IsEmpty());
}

TEST_F(ContentTest, ListsTagsPageByPage) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  EXPECT_EQ(with.tags(repository).error().code, ErrorCode::not_found);
  registry_.interventions["GET " + root + "tags/list"] = {
      status(200, {{"Link", R"(</v2/shop/api/tags/list?n=2&last=b>; rel="next")"}}, R"({"tags":["a","b"]})"),
      status(200, {}, R"({"tags":["c"]})"), status(200, {}, R"({"tags":null})"),
      status(200, {{"Link", R"(<https://evil.example/v2/>; rel="next")"}}, R"({"tags":["a"]})")};
  EXPECT_THAT(*with.tags(repository), ElementsAre("a", "b", "c"));
  EXPECT_THAT(*with.tags(repository), IsEmpty());
  EXPECT_THAT(with.tags(repository).error().message, HasSubstr("names a next page that cannot be"));
}

TEST_F(ContentTest, DeletesAManifestAndItsPlaceAmongTheReferrers) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto subject = image({"one"});
  ASSERT_TRUE(with.push(subject, repository.with_tag("1")));
  const auto sbom = image({"sbom"}, subject.digest);
  ASSERT_TRUE(with.attach(sbom, repository));
  ASSERT_TRUE(with.remove(repository.with_digest(sbom.digest)));
  EXPECT_THAT(*with.referrers(repository, subject.digest), IsEmpty());
  EXPECT_THAT(manifests()["sha256-" + std::string(subject.digest.encoded())], HasSubstr(R"("manifests":[])"));
  EXPECT_EQ(with.remove(repository.with_digest(sbom.digest)).error().code, ErrorCode::not_found);
}

TEST_F(ContentTest, NeverTakesATagForItsDigestWhenDeleting) {
  auto with = client();
  const auto to = reference("r.example/shop/api:1");
  ASSERT_TRUE(with.push(image({"one"}), to));
  const auto removed = with.remove(to);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::refused);
  EXPECT_EQ(removed.error().message, "r.example does not delete a tag without its manifest");
  EXPECT_TRUE(manifests().contains("1"));
}

TEST_F(ContentTest, CopiesByMountingWithinARegistry) {
  auto with = client();
  const auto source = index({{"one", "shared"}, {"two", "shared"}});
  ASSERT_TRUE(with.push(source, reference("r.example/shop/api:1")));
  registry_.requests.clear();
  const auto copied = with.copy(reference("r.example/shop/api:1"), reference("r.example/prod/api:9"),
                                {.platform = {}, .parallel = 1, .on_progress = {}, .stop = {}});
  ASSERT_TRUE(copied) << to_string(copied.error());
  EXPECT_EQ(copied->digest, source.digest);
  EXPECT_EQ(copied->mounted_blobs, 5);
  EXPECT_EQ(copied->uploaded_blobs, 0);
  EXPECT_EQ(copied->manifests, 3);
  EXPECT_EQ(manifests("prod/api")["9"], source.bytes);
  EXPECT_THAT(registry_.requests, Contains(HasSubstr("PUT https://r.example/v2/prod/api/manifests/9")));
  EXPECT_THAT(registry_.requests,
              Not(Contains(HasSubstr("PUT https://r.example/v2/prod/api/manifests/" + source.digest.text()))))
      << "straight to its tag";
  EXPECT_EQ(with.copy(reference("r.example/shop/api:1"), reference("r.example/prod/api:9"))->outcome,
            PushResult::Outcome::unchanged);
}

TEST_F(ContentTest, StreamsBetweenRegistries) {
  auto with = client();
  const auto source = image({"one", some_bytes});
  ASSERT_TRUE(with.push(source, reference("r.example/shop/api:1")));
  registry_.requests.clear();
  registry_.cuts = {7, 14};
  const auto copied = with.copy(reference("r.example/shop/api:1"), reference("other.example/prod/api:1"));
  ASSERT_TRUE(copied) << to_string(copied.error());
  EXPECT_EQ(copied->uploaded_blobs, 3);
  EXPECT_EQ(copied->mounted_blobs, 0);
}

TEST_F(ContentTest, CopiesKindsOfManifestsThatNobodyKnows) {
  const std::string bytes = "what it is about";
  const auto blob = oci::Digest::of(bytes).text();
  registry_.blobs[blob] = bytes;
  const std::string kind = "application/vnd.example.manifest.v9+json";
  const auto unknown =
      fmt::format(R"({{"mediaType":"{}","blobs":[{{"mediaType":"x/y","size":{},"digest":"{}"}}],"new":{{"a":1}}}})",
                  kind, bytes.size(), blob);
  manifests()[oci::Digest::of(unknown).text()] = unknown;
  manifests()["1"] = fmt::format(
      R"({{"schemaVersion":2,"manifests":[{{"mediaType":"{}","size":{},"digest":"{}","new":[]}}],"new":2}})", kind,
      unknown.size(), oci::Digest::of(unknown).text());
  const auto copied = client().copy(reference("r.example/shop/api:1"), reference("other.example/prod/api:1"));
  ASSERT_TRUE(copied) << to_string(copied.error());
  EXPECT_EQ(copied->uploaded_blobs, 1);
  EXPECT_EQ(registry_.repositories["prod/api"]["1"], manifests()["1"]) << "with all that is new";
  EXPECT_EQ(registry_.repositories["prod/api"][oci::Digest::of(unknown).text()], unknown);
}

TEST_F(ContentTest, GivesAnotherTagWithinARepositoryWithoutTouchingBlobs) {
  auto with = client();
  ASSERT_TRUE(with.push(image({"one"}), reference("r.example/shop/api:1")));
  registry_.requests.clear();
  const auto copied = with.copy(reference("r.example/shop/api:1"), reference("r.example/shop/api:2"));
  ASSERT_TRUE(copied);
  EXPECT_EQ(manifests()["2"], image({"one"}).manifest);
  EXPECT_THAT(registry_.requests, Not(Contains(HasSubstr("blobs"))));
}

TEST_F(ContentTest, CopiesOnePlatformWhenAsked) {
  auto with = client();
  const auto source = index({{"one"}, {"two"}});
  ASSERT_TRUE(with.push(source, reference("r.example/shop/api:1")));
  const auto copied = with.copy(reference("r.example/shop/api:1"), reference("r.example/prod/api:1"),
                                {.platform = oci::Platform{"linux", "cpu1", ""}, .on_progress = {}, .stop = {}});
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->digest, source.images[1].digest);
  const auto missing = with.copy(reference("r.example/shop/api:1"), reference("r.example/prod/api:1"),
                                 {.platform = oci::Platform{"linux", "s390x", ""}, .on_progress = {}, .stop = {}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "r.example/shop/api has no image for linux/s390x");
}

TEST_F(ContentTest, CopiesReferrersWhenAsked) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto source = image({"one"});
  ASSERT_TRUE(with.push(source, repository.with_tag("1")));
  const auto sbom = image({"sbom"}, source.digest);
  ASSERT_TRUE(with.attach(sbom, repository));
  const auto target = reference("other.example/prod/api");
  ASSERT_TRUE(with.copy(repository.with_tag("1"), target.with_tag("1")));
  EXPECT_FALSE(manifests("prod/api").contains(sbom.digest.text()));
  const auto copied = with.copy(repository.with_tag("1"), target.with_tag("1"),
                                {.platform = {}, .with_referrers = true, .on_progress = {}, .stop = {}});
  ASSERT_TRUE(copied) << to_string(copied.error());
  EXPECT_EQ(copied->manifests, 1);
  const auto found = with.referrers(target, source.digest);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().digest, sbom.digest);
}

TEST_F(ContentTest, CopiesSignaturesThatAreFoundByTheirTagsOnly) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  const auto pushed = index({{"one"}, {"two"}});
  ASSERT_TRUE(with.push(pushed, repository.with_tag("1")));
  const auto tag_of = [](const oci::Digest& digest) { return "sha256-" + std::string(digest.encoded()) + ".sig"; };
  const auto of_all = image({"signature of all"});
  const auto of_one = image({"signature of one"});
  ASSERT_TRUE(with.push(of_all, repository.with_tag(tag_of(pushed.digest))));
  ASSERT_TRUE(with.push(of_one, repository.with_tag(tag_of(pushed.images[1].digest))));
  const auto target = reference("other.example/prod/api:1");
  const CopyOptions options{.platform = {}, .with_referrers = true, .on_progress = {}, .stop = {}};
  ASSERT_TRUE(with.copy(repository.with_tag("1"), target));
  EXPECT_FALSE(manifests("prod/api").contains(tag_of(pushed.digest)));
  const auto copied = with.copy(repository.with_tag("1"), target, options);
  ASSERT_TRUE(copied) << to_string(copied.error());
  EXPECT_EQ(copied->outcome, PushResult::Outcome::pushed);
  EXPECT_EQ(manifests("prod/api")[tag_of(pushed.digest)], of_all.manifest);
  EXPECT_EQ(manifests("prod/api")[tag_of(pushed.images[1].digest)], of_one.manifest);
  EXPECT_EQ(with.copy(repository.with_tag("1"), target, options)->outcome, PushResult::Outcome::unchanged);
}

TEST_F(ContentTest, FollowsReferrersOfReferrersOnlySoFar) {
  auto with = client();
  const auto repository = reference("r.example/shop/api");
  auto subject = image({"one"});
  ASSERT_TRUE(with.push(subject, repository.with_tag("1")));
  const auto copy = [&] {
    return with.copy(repository.with_tag("1"), reference("other.example/prod/api:1"),
                     {.platform = {}, .with_referrers = true, .on_progress = {}, .stop = {}});
  };
  for (int depth = 1; depth <= 5; ++depth) {
    subject = image({"about it " + std::to_string(depth)}, subject.digest);
    ASSERT_TRUE(with.attach(subject, repository));
  }
  const auto copied = copy();
  ASSERT_TRUE(copied) << to_string(copied.error());
  EXPECT_EQ(copied->manifests, 6);
  ASSERT_TRUE(with.attach(image({"one too many"}, subject.digest), repository));
  const auto refused = copy();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("more than 5 deep"));
}

TEST_F(ContentTest, AsksForTheRightsThatItNeeds) {
  registry_.challenge = R"(Bearer realm="https://auth.example/token",service="r")";
  registry_.allowed = {"Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4"};
  auto with = client(tests::ada());
  EXPECT_FALSE(with.copy(reference("r.example/shop/api:1"), reference("r.example/prod/api:1")));
  EXPECT_FALSE(with.remove(reference("r.example/shop/api:1")));
  ASSERT_TRUE(with.push(image({"one"}), reference("r.example/shop/api:1")));
  ASSERT_TRUE(with.copy(reference("r.example/shop/api:1"), reference("r.example/prod/api:1")));
  EXPECT_THAT(registry_.queries,
              ElementsAre("service=r&scope=repository:shop/api:pull", "service=r&scope=repository:shop/api:pull,delete",
                          "service=r&scope=repository:shop/api:pull,push",
                          "service=r&scope=repository:prod/api:pull,push&scope=repository:shop/api:pull"));
}

}  // namespace
}  // namespace deployctl::registry
