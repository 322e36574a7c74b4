#include "core/oci/oci_archive.hpp"

#include "core/oci/archive_file.hpp"
#include "core/oci/gzip.hpp"
#include "tests/support/tar_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace deployctl::oci {
namespace {

namespace fs = std::filesystem;
using namespace tar_bytes;
using ::testing::HasSubstr;

const std::string config = R"({"architecture":"amd64","os":"linux"})";

std::string blob_entry(const std::string& content) {
  return file("blobs/sha256/" + std::string(Digest::of(content).encoded()), content);
}

std::string index_entry(const std::string& name = "index.json") {
  ImageIndex index{.media_type = std::string(media_type::image_index)};
  index.manifests.push_back(
      {.media_type = std::string(media_type::image_manifest), .digest = Digest::of(config), .size = config.size()});
  return file(name, index_bytes(index));
}

class OciArchiveTest : public ::testing::Test {
 protected:
  ~OciArchiveTest() override {
    fs::remove_all(directory_);
    fs::remove(path_);
  }

  base::Result<ImageIndex> read(const std::string& archive) {
    std::ofstream(path_, std::ios::binary) << archive;
    const auto reader = open_archive_file(path_);
    return reader ? import_oci_archive(*reader, store_) : reader.error();
  }

  const std::string directory_ = ::testing::TempDir() + "/deployctl-oci-archive-test";
  const std::string path_ = ::testing::TempDir() + "/deployctl-oci-archive-test.tar";
  ImageStore store_{directory_};
};

TEST_F(OciArchiveTest, GoesIntoTheStore) {
  const auto index = read(directory("blobs/") + blob_entry(config) + index_entry() + file("oci-layout", "{}") + end());
  ASSERT_TRUE(index) << base::to_string(index.error());
  ASSERT_EQ(index->manifests.size(), 1u);
  EXPECT_TRUE(store_.has_blob(index->manifests.front()));
}

TEST_F(OciArchiveTest, MayBeCompressed) {
  std::string compressed;
  auto gzip = GzipWriter::make([&](std::string_view piece) {
    compressed += piece;
    return base::Status();
  });
  ASSERT_TRUE(gzip && gzip->add(blob_entry(std::string(300'000, 'x')) + index_entry("./index.json") + end()) &&
              gzip->finish());
  const auto index = read(compressed);
  ASSERT_TRUE(index) << base::to_string(index.error());
  EXPECT_TRUE(store_.has_blob({.digest = Digest::of(std::string(300'000, 'x')), .size = 300'000}));
}

TEST_F(OciArchiveTest, IsRefusedWhenABlobIsDamaged) {
  auto entry = blob_entry(config);
  entry[512] = '[';
  EXPECT_THAT(read(entry + index_entry() + end()).error().message,
              HasSubstr("the blob " + Digest::of(config).text() + " is damaged"));
}

TEST_F(OciArchiveTest, IsRefusedWhenItIsCutShort) {
  const auto archive = blob_entry(std::string(5000, 'x')) + index_entry() + end();
  EXPECT_EQ(read(archive.substr(0, 3000)).error().message, "the archive is cut short");
  EXPECT_TRUE(fs::is_empty(directory_ + "/blobs/sha256"));
}

TEST_F(OciArchiveTest, SaysSoWhenItIsSomethingElse) {
  EXPECT_THAT(read(file("hello.txt", "hi") + end()).error().message, HasSubstr("it holds no index.json"));
  EXPECT_THAT(read("no archive at all" + std::string(600, '.')).error().message, HasSubstr("this is no tar archive"));
  EXPECT_EQ(open_archive_file("/nonexistent/a.tar").error().code, base::ErrorCode::not_found);
}

}  // namespace
}  // namespace deployctl::oci
