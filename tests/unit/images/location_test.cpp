#include "core/images/location.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::images {
namespace {

TEST(Location, IsReadInSkopeosWords) {
  struct Row {
    const char* text;
    Location::Kind kind;
    const char* path;
    const char* name;
    const char* canonical;
  };
  const std::string digest = "@sha256:" + std::string(64, 'a');
  const std::string by_digest = "oci:build" + digest;
  const Row rows[] = {
      {"alpine", Location::Kind::registry, "", "", "alpine"},
      {"docker://localhost:5000/team/api:v1", Location::Kind::registry, "", "", "localhost:5000/team/api:v1"},
      {"oci:build/api", Location::Kind::layout, "build/api", "", "oci:build/api"},
      {"oci:build/api:v1", Location::Kind::layout, "build/api", "v1", "oci:build/api:v1"},
      {by_digest.c_str(), Location::Kind::layout, "build", digest.c_str(), by_digest.c_str()},
      {"oci-archive:a.tar:v1", Location::Kind::oci_archive, "a.tar", "v1", "oci-archive:a.tar:v1"},
      {"docker-archive:/tmp/a.tar:localhost:5000/x:1", Location::Kind::docker_archive, "/tmp/a.tar",
       "localhost:5000/x:1", "docker-archive:/tmp/a.tar:localhost:5000/x:1"},
      {"docker-archive:a.tar:@1", Location::Kind::docker_archive, "a.tar", "@1", "docker-archive:a.tar:@1"},
  };
  for (const auto& row : rows) {
    const auto location = parse_location(row.text);
    ASSERT_TRUE(location) << row.text;
    EXPECT_EQ(location->kind, row.kind) << row.text;
    EXPECT_EQ(location->path, row.path) << row.text;
    EXPECT_EQ(location->name, row.name) << row.text;
    EXPECT_EQ(to_string(*location), row.canonical);
  }
}

TEST(Location, SaysWhatIsWrongWithIt) {
  EXPECT_EQ(parse_location("oci:").error().message, "'oci:' does not say where the image is: write oci:DIR[:NAME]");
  EXPECT_EQ(parse_location("docker-daemon:api:v1").error().message,
            "'docker-daemon:api:v1' is a place deployctl does not read images from");
  for (const auto* path : {"/tmp/x.tar", "./x.tar", "../x", "~/x.tar"}) {
    const auto location = parse_location(path);
    ASSERT_FALSE(location);
    EXPECT_EQ(location.error().message, fmt::format("'{}' does not say what is there", path));
    EXPECT_EQ(location.error().hint, fmt::format("write docker-archive:{0} or oci-archive:{0} for an archive, oci:{0} "
                                                 "for a layout's folder",
                                                 path));
  }
  const auto wrong = parse_location("Team/API");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, base::ErrorCode::usage);
}

}  // namespace
}  // namespace deployctl::images
