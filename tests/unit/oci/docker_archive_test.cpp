// Archives as Docker 20.10, Docker 25 with its containerd store, and Podman write them, made here in memory.
#include "core/oci/docker_archive.hpp"

#include "core/oci/gzip.hpp"
#include "tests/support/tar_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <thread>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using namespace tar_bytes;

const std::string layer_one = file("hello.txt", "hello\n") + end();
const std::string layer_two = file("app", std::string(300'000, 'x')) + end();

std::string config_of(const std::vector<std::string>& layers) {
  std::string ids;
  for (const auto& layer : layers) {
    ids += (ids.empty() ? "\"" : ",\"") + Digest::of(layer).text() + "\"";
  }
  return R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[)" + ids + "]}}";
}

std::string hex(const std::string& bytes) {
  return std::string(Digest::of(bytes).encoded());
}

std::string legacy_archive() {
  const auto config = config_of({layer_one, layer_two, layer_one});
  return file("aaa/VERSION", "1.0") + file("aaa/json", "{}") + file("aaa/layer.tar", layer_one) +
         file("bbb/layer.tar", layer_two) + link("ccc/layer.tar", "../aaa/layer.tar") +
         file(hex(config) + ".json", config) +
         file("manifest.json",
              R"([{"Config":")" + hex(config) +
                  R"(.json","RepoTags":["x:1"],"Layers":["aaa/layer.tar","bbb/layer.tar","ccc/layer.tar"]}])") +
         file("repositories", "{}") + end();
}

std::string gzip(const std::string& bytes) {
  std::string out;
  auto writer = GzipWriter::make([&](std::string_view piece) {
    out += piece;
    return base::Status();
  });
  EXPECT_TRUE(writer->add(bytes));
  EXPECT_TRUE(writer->finish());
  return out;
}

class DockerArchive : public ::testing::Test {
 protected:
  DockerArchive() : directory_(::testing::TempDir() + "/archive-" + std::to_string(::getpid())), store_(directory_) {
    fs::remove_all(directory_);
  }
  ~DockerArchive() override { fs::remove_all(directory_); }

  base::Result<StoredImage> import(const std::string& archive, ImportOptions options = {}) {
    std::size_t at = 0;
    return import_docker_archive(
        [&](char* buffer, std::size_t size) -> base::Result<std::size_t> {
          const auto count = std::min({size, archive.size() - at, std::size_t{1000}});
          std::memcpy(buffer, archive.data() + at, count);
          at += count;
          return count;
        },
        store_, options);
  }

  std::string directory_;
  ImageStore store_;
};

TEST_F(DockerArchive, OfDocker20BecomesAnOciImage) {
  const auto image = import(legacy_archive());
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ(image->media_type, media_type::image_manifest);
  EXPECT_EQ(image->digest, Digest::of(image->manifest));
  EXPECT_EQ(image->config.digest, Digest::of(config_of({layer_one, layer_two, layer_one})));
  ASSERT_EQ(image->layers.size(), 3u);
  EXPECT_EQ(image->layers[0], image->layers[2]);
  EXPECT_EQ(image->layers[1].digest, Digest::of(gzip(layer_two)));
  EXPECT_EQ(image->platform.os, "linux");
  EXPECT_TRUE(store_.has_all_blobs(*image));
}

TEST_F(DockerArchive, IsNotCompressedAgainWhenItsLayersAreKnown) {
  const auto first = import(legacy_archive());
  ASSERT_TRUE(first);
  const auto path = store_.blob_path(first->layers[1].digest);
  struct stat before {};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  const auto second = import(legacy_archive());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->digest, first->digest);
  struct stat after {};
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "the blob was written again";
}

TEST_F(DockerArchive, IsFoundAgainByItsImageId) {
  const auto image = import(legacy_archive());
  ASSERT_TRUE(image);
  const auto found = store_.find_image(image->config.digest);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->manifest, image->manifest);
}

TEST_F(DockerArchive, MayBecomeADockerImage) {
  const auto image = import(legacy_archive(), {.format = ImportOptions::Format::docker, .on_read = {}, .stop = {}});
  ASSERT_TRUE(image);
  EXPECT_EQ(image->media_type, media_type::docker_manifest);
  EXPECT_EQ(image->config.media_type, media_type::docker_config);
  EXPECT_EQ(image->layers[0].media_type, media_type::docker_layer_gzip);
}

TEST_F(DockerArchive, WithPlainLayersInALayoutIsCompressed) {
  const auto config = config_of({layer_one});
  const auto archive = file("blobs/sha256/" + hex(layer_one), layer_one) + file("blobs/sha256/" + hex(config), config) +
                       file("index.json", "{}") +
                       file("manifest.json", R"([{"Config":"blobs/sha256/)" + hex(config) +
                                                 R"(","Layers":["blobs/sha256/)" + hex(layer_one) + R"("]}])") +
                       file("oci-layout", "{}") + end();
  const auto image = import(archive);
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ(image->layers.at(0).digest, Digest::of(gzip(layer_one)));
}

TEST_F(DockerArchive, WithCompressedLayersKeepsItsManifest) {
  const auto config = config_of({layer_one});
  const auto blob = gzip(layer_one);
  const auto manifest = R"({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
                        Digest::of(config).text() + R"(","size":)" + std::to_string(config.size()) +
                        R"(}, "layers": [{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":")" +
                        Digest::of(blob).text() + R"(","size":)" + std::to_string(blob.size()) + "}]}";
  const auto archive = file("blobs/sha256/" + hex(blob), blob) + file("blobs/sha256/" + hex(config), config) +
                       file("blobs/sha256/" + hex(manifest), manifest) +
                       file("manifest.json", R"([{"Config":"blobs/sha256/)" + hex(config) +
                                                 R"(","Layers":["blobs/sha256/)" + hex(blob) + R"("]}])") +
                       end();
  const auto image = import(archive);
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ(image->digest, Digest::of(manifest));
}

TEST_F(DockerArchive, OfPodmanBecomesAnOciImage) {
  const auto config = config_of({layer_one});
  const auto archive = file(hex(layer_one) + ".tar", layer_one) + file(hex(config) + ".json", config) +
                       file("manifest.json", R"([{"Config":")" + hex(config) + R"(.json","Layers":[")" +
                                                 hex(layer_one) + R"(.tar"]}])") +
                       end();
  EXPECT_TRUE(import(archive));
}

TEST_F(DockerArchive, IsRefusedWhenALayerIsNotTheOneTheConfigurationNames) {
  const auto config = config_of({layer_two});
  const auto archive = file("aaa/layer.tar", layer_one) + file("c.json", config) +
                       file("manifest.json", R"([{"Config":"c.json","Layers":["aaa/layer.tar"]}])") + end();
  const auto image = import(archive);
  ASSERT_FALSE(image);
  EXPECT_EQ(to_string(image.error()), "layer 1 of the archive is not the one its image configuration names");
}

TEST_F(DockerArchive, IsRefusedWhenItIsCutShort) {
  const auto archive = legacy_archive();
  for (const auto length : {archive.size() / 4, archive.size() / 2, archive.size() - 3000}) {
    EXPECT_FALSE(import(archive.substr(0, length))) << length;
  }
}

TEST_F(DockerArchive, SaysSoWhenItIsSomethingElse) {
  EXPECT_THAT(to_string(import(file("a.txt", "a") + end()).error()), HasSubstr("it is not what `docker save` writes"));
  EXPECT_FALSE(import("Error response from daemon: no such image"));
}

std::string archive_of_two(const std::string& first_names, const std::string& second_names) {
  const auto one = config_of({layer_one});
  const auto two = config_of({layer_two});
  return file("aaa/layer.tar", layer_one) + file("bbb/layer.tar", layer_two) + file("1.json", one) +
         file("2.json", two) +
         file("manifest.json", R"([{"Config":"1.json","RepoTags":)" + first_names +
                                   R"(,"Layers":["aaa/layer.tar"]},{"Config":"2.json","RepoTags":)" + second_names +
                                   R"(,"Layers":["bbb/layer.tar"]}])") +
         end();
}

TEST_F(DockerArchive, WithSeveralImagesAsksWhichOneIsMeant) {
  const auto image = import(archive_of_two(R"(["shop/api:v1","shop/api:v2"])", R"(["shop/web:v1"])"));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, base::ErrorCode::not_found);
  EXPECT_EQ(image.error().message,
            "which image is meant is not said: the archive holds shop/api:v1, shop/api:v2, shop/web:v1");
  EXPECT_EQ(image.error().hint, "add the name of the one that is meant: docker-archive:FILE:shop/api:v1");
}

TEST_F(DockerArchive, GivesTheOneOfSeveralImagesThatIsNamed) {
  const auto archive = archive_of_two(R"(["shop/api:v1"])", "null");
  const auto config_named = [&](const std::string& name) {
    const auto image = import(archive, {.name = name, .on_read = {}, .stop = {}});
    return image ? image->config.digest.text() : to_string(image.error());
  };
  const auto first = Digest::of(config_of({layer_one})).text();
  EXPECT_EQ(config_named("shop/api:v1"), first);
  EXPECT_EQ(config_named("docker.io/shop/api:v1"), first);
  EXPECT_EQ(config_named("@0"), first);
  EXPECT_EQ(config_named("@1"), Digest::of(config_of({layer_two})).text());
  EXPECT_EQ(config_named("shop/web:v1"), "the archive holds no image 'shop/web:v1': it has shop/api:v1, @1");
}

TEST_F(DockerArchive, GivesTheSourcesErrorNotItsOwn) {
  const auto image = import_docker_archive(
      [](char*, std::size_t) -> base::Result<std::size_t> { return base::Error::failed("docker save: no such image"); },
      store_);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().message, "docker save: no such image");
}

TEST_F(DockerArchive, ComesThroughAPipeFromAnotherThread) {
  const auto archive = legacy_archive();
  BytePipe pipe(4096);
  std::jthread writer([&] {
    for (std::size_t at = 0; at < archive.size(); at += 10'000) {
      pipe.write(std::string_view(archive).substr(at, 10'000));
    }
    pipe.close_writer();
  });
  EXPECT_TRUE(import_docker_archive(pipe.reader(), store_));
}

TEST(BytePipe, TellsTheWriterThatTheReaderHasGone) {
  BytePipe pipe(16);
  std::jthread reader([&] { pipe.close_reader(); });
  EXPECT_FALSE(pipe.write(std::string(1000, 'x')));
}

TEST(BytePipe, GivesTheWritersErrorAfterItsBytes) {
  BytePipe pipe;
  pipe.write("ab");
  pipe.close_writer(base::Error::failed("exit code 1"));
  char buffer[8];
  EXPECT_EQ(*pipe.read(buffer, 8), 2u);
  EXPECT_EQ(pipe.read(buffer, 8).error().message, "exit code 1");
}

}  // namespace
}  // namespace deployctl::oci
