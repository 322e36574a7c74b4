#include "core/oci/blob_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace deployctl::oci {
namespace {

using ::testing::HasSubstr;

class BlobFileTest : public ::testing::Test {
 protected:
  BlobFileTest() { std::ofstream(path_, std::ios::binary) << content_; }
  ~BlobFileTest() override { std::filesystem::remove(path_); }

  base::Status read(const Descriptor& blob, std::stop_token stop = {}) {
    return read_blob_file(
        path_, blob,
        [&](std::string_view piece) {
          got_ += piece;
          return base::Status();
        },
        stop);
  }

  const std::string content_ = std::string(700'000, 'x') + "end";
  const std::string path_ = ::testing::TempDir() + "/deployctl-blob-file-test";
  Descriptor blob_{.digest = Digest::of(content_), .size = content_.size()};
  std::string got_;
};

TEST_F(BlobFileTest, GivesAllBytesInOrder) {
  ASSERT_TRUE(read(blob_));
  EXPECT_EQ(got_, content_);
}

TEST_F(BlobFileTest, RefusesAnotherSizeBeforeReading) {
  blob_.size -= 1;
  EXPECT_THAT(read(blob_).error().message, HasSubstr("is not the 700002 bytes its descriptor says"));
  EXPECT_EQ(got_, "");
}

TEST_F(BlobFileTest, FindsDamage) {
  blob_.digest = Digest::of("other");
  EXPECT_THAT(read(blob_).error().message, HasSubstr("is damaged: its content has the digest sha256:"));
}

TEST_F(BlobFileTest, SaysWhenThereIsNoFile) {
  std::filesystem::remove(path_);
  EXPECT_EQ(read(blob_).error().code, base::ErrorCode::not_found);
}

TEST_F(BlobFileTest, HeedsAStop) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(read(blob_, stop.get_token()).error().code, base::ErrorCode::interrupted);
}

}  // namespace
}  // namespace deployctl::oci
