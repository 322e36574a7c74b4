// Pushing to real registries: one that lets everybody in, and one with passwords; by libcurl, and by the transport that
// needs no library.
#include "core/oci/image_store.hpp"
#include "core/platform/curl_transport.hpp"
#include "core/platform/file_body.hpp"
#include "core/platform/plain_transport.hpp"
#include "core/platform/system_clock.hpp"
#include "core/registry/client.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <unistd.h>

namespace deployctl::registry {
namespace {

using base::ErrorCode;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

class CountingTransport final : public http::Transport {
 public:
  explicit CountingTransport(std::unique_ptr<http::Transport> next) : next_(std::move(next)) {}

  base::Result<http::Response> send(const http::Request& request, const http::Exchange& exchange) override {
    ++requests;
    return next_->send(request, exchange);
  }
  std::atomic<int> requests = 0;

 private:
  std::unique_ptr<http::Transport> next_;
};

enum class Way { curl, plain };

std::unique_ptr<http::Transport> transport_of(Way way) {
  if (way == Way::curl) {
    return std::make_unique<platform::CurlTransport>();
  }
  return std::make_unique<platform::PlainTransport>();
}

class RegistryLab : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (variable("DEPLOYCTL_LAB_REGISTRY").empty()) {
      GTEST_SKIP() << "the lab is not up";
    }
  }
  ~RegistryLab() override { std::filesystem::remove_all(directory_); }

  // A repository nobody else has.
  [[nodiscard]] oci::Reference target(const std::string& registry) const {
    return *oci::Reference::parse(registry + "/registry-lab/r" + std::to_string(seed_) + ":1");
  }
  // The layers are no tars; a registry does not look into them.
  oci::StoredImage image(const std::vector<std::string>& layers) {
    oci::ImageManifest manifest{
        .media_type = std::string(oci::media_type::image_manifest),
        .config = *store_.add_blob("{\"seed\":" + std::to_string(seed_) + "}", oci::media_type::image_config),
        .layers = {}};
    for (const auto& layer : layers) {
      manifest.layers.push_back(*store_.add_blob(layer, oci::media_type::layer_gzip));
    }
    auto bytes = oci::manifest_bytes(manifest);
    const auto digest = oci::Digest::of(bytes);
    return {.manifest = std::move(bytes),
            .media_type = manifest.media_type,
            .digest = digest,
            .config = manifest.config,
            .layers = manifest.layers,
            .platform = {},
            .blobs = store_.blobs()};
  }
  std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (auto& byte : bytes) {
      byte = static_cast<char>(generator_());
    }
    return bytes;
  }
  Client client(std::optional<Credentials> credentials = std::nullopt) {
    store_of_credentials_ = std::make_unique<FixedCredentials>(std::move(credentials));
    return Client({transport_, clock_, *store_of_credentials_,
                   [](const std::string& path) { return platform::open_file_body(path); }});
  }

  std::mt19937 generator_{std::random_device{}()};
  unsigned seed_ = generator_();
  std::string directory_ = ::testing::TempDir() + "/registry-lab-" + std::to_string(::getpid());
  oci::ImageStore store_{directory_};
  CountingTransport transport_{transport_of(GetParam())};
  platform::SystemClock clock_;
  std::unique_ptr<CredentialStore> store_of_credentials_;
};

TEST_P(RegistryLab, TakesAnImageOnceAndIsAskedOnceAfterwards) {
  const auto to = target(variable("DEPLOYCTL_LAB_REGISTRY"));
  const auto pushed = image({random_bytes(3 << 20), random_bytes(1000), random_bytes(200'000)});
  auto with = client();
  std::uint64_t last = 0;
  const auto first = with.push(
      pushed, to, {.parallel = 4, .on_progress = [&](const Progress& progress) { last = progress.done; }, .stop = {}});
  ASSERT_TRUE(first) << to_string(first.error());
  EXPECT_EQ(first->uploaded_blobs, 4);
  EXPECT_EQ(last, pushed.total_size());
  EXPECT_EQ(*with.resolve(to), pushed.digest);

  transport_.requests = 0;
  const auto again = with.push(pushed, to);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome, PushResult::Outcome::unchanged);
  EXPECT_LE(transport_.requests, 2)
      << "the tag; a registry that takes its time is asked for the largest layer meanwhile";
}

TEST_P(RegistryLab, TakesAChangedLayerWithFewRequests) {
  const auto to = target(variable("DEPLOYCTL_LAB_REGISTRY"));
  std::vector<std::string> layers;
  for (int i = 0; i < 20; ++i) {
    layers.push_back(random_bytes(2000));
  }
  auto with = client();
  ASSERT_TRUE(with.push(image(layers), to));
  layers.back() = random_bytes(2000);
  transport_.requests = 0;
  const auto changed = with.push(image(layers), to);
  ASSERT_TRUE(changed) << to_string(changed.error());
  EXPECT_EQ(changed->uploaded_blobs, 1);
  EXPECT_LE(transport_.requests, 8);
}

TEST_P(RegistryLab, GivesAnotherTagToWhatItHas) {
  const auto to = target(variable("DEPLOYCTL_LAB_REGISTRY"));
  const auto pushed = image({random_bytes(1 << 20)});
  auto with = client();
  ASSERT_TRUE(with.push(pushed, to));
  const auto tagged = with.push(pushed, to.with_tag("2"));
  ASSERT_TRUE(tagged) << to_string(tagged.error());
  EXPECT_EQ(*with.resolve(to.with_tag("2")), pushed.digest);
  EXPECT_EQ(*with.resolve(to.with_digest(pushed.digest)), pushed.digest);
  EXPECT_FALSE(*with.exists(to.with_tag("3")));
  EXPECT_EQ(with.resolve(to.with_tag("3")).error().code, ErrorCode::not_found);
}

TEST_P(RegistryLab, LetsInWhoHasThePassword) {
  const auto to = target(variable("DEPLOYCTL_LAB_AUTH_REGISTRY"));
  const auto pushed = image({random_bytes(100'000)});
  const auto login = [](std::string password) {
    return Credentials{.username = variable("DEPLOYCTL_LAB_AUTH_REGISTRY_USER"),
                       .password = base::Secret(std::move(password)),
                       .identity_token = {},
                       .source = "the test"};
  };
  const auto nobody = client().push(pushed, to);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::unauthorized);
  const auto wrong = client(login("wrong")).push(pushed, to);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::unauthorized);
  EXPECT_THAT(wrong.error().message, ::testing::HasSubstr("as user deployctl from the test"));
  auto allowed = client(login(variable("DEPLOYCTL_LAB_AUTH_REGISTRY_PASSWORD")));
  const auto right = allowed.push(pushed, to);
  ASSERT_TRUE(right) << to_string(right.error());
  EXPECT_EQ(allowed.push(pushed, to)->outcome, PushResult::Outcome::unchanged);
}

TEST_P(RegistryLab, IsFoundToBeDownWithinSeconds) {
  const auto start = std::chrono::steady_clock::now();
  const auto result = client().push(image({"x"}), target("127.0.0.1:1"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
}

INSTANTIATE_TEST_SUITE_P(Over, RegistryLab, ::testing::Values(Way::curl, Way::plain),
                         [](const auto& way) { return way.param == Way::curl ? "Libcurl" : "PlainHttp"; });

}  // namespace
}  // namespace deployctl::registry
