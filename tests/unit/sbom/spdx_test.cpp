// The document as a whole; whether it keeps the rules of SPDX is asked of check_spdx.py as well.
#include "core/sbom/spdx.hpp"

#include "core/json/value.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>

namespace deployctl::sbom {
namespace {

FileRecord file(std::string path, std::string_view content, std::optional<std::size_t> package = {}) {
  return {.path = std::move(path), .size = content.size(), .checksums = checksums_of(content), .package = package};
}

ImageContents sample_contents() {
  ImageContents contents;
  contents.system = {.id = "debian",
                     .version_id = "12",
                     .name = "Debian GNU/Linux",
                     .pretty_name = "Debian GNU/Linux 12 (bookworm)",
                     .home_url = "https://www.debian.org/"};
  contents.packages = {{.name = "libstdc++6",
                        .version = "12.2.0-14",
                        .architecture = "amd64",
                        .source = "gcc-12",
                        .source_version = "12.2.0-14",
                        .maintainer = "Debian GCC Maintainers <debian-gcc@lists.debian.org>",
                        .homepage = "http://gcc.gnu.org/"},
                       {.name = "empty",
                        .version = "1:1",
                        .architecture = "all",
                        .source = "empty",
                        .source_version = "1:1",
                        .maintainer = "",
                        .homepage = "not an address"}};
  contents.files = {file("app", "go"), file("old", "older"), file("usr/lib/libstdc++.so.6", "elf", 0)};
  contents.files[0].is_elf = true;
  contents.go_programs[0] = {.go_version = "go1.19.8",
                             .is_old = false,
                             .package = "example.com/shop/cmd/api",
                             .main = {.path = "example.com/shop", .version = "(devel)", .sum = "", .replaces = ""},
                             .dependencies = {{.path = "github.com/gin-gonic/gin",
                                               .version = "v1.9.1",
                                               .sum = "h1:4id=",
                                               .replaces = "example.com/gin v1.0.0"}},
                             .settings = {}};
  contents.go_programs[1] = {.is_old = true};
  contents.remarks = {"var/lib/dpkg/info/huge.list is too long to be read"};
  return contents;
}

SpdxSubject sample_subject() {
  return {.repository = *oci::Reference::parse("127.0.0.1:5000/shop/api"),
          .digest = oci::Digest::of("manifest"),
          .platform = {.os = "linux", .architecture = "amd64", .variant = ""},
          .created = "2024-05-01T10:00:00Z",
          .tool = "deployctl-0.1.0"};
}

json::Value sample_document() {
  return *json::parse(spdx_document(sample_contents(), sample_subject()), "the document");
}

TEST(Spdx, ReadsLikeTheRecordedDocument) {
  std::ostringstream recorded;
  recorded << std::ifstream(DEPLOYCTL_SOURCE_DIR "/tests/unit/sbom/sample.spdx.json").rdbuf();
  EXPECT_EQ(json::to_pretty_text(sample_document()), recorded.str());
}

TEST(Spdx, SaysWhatAGoProgramDoesNotTell) {
  auto contents = sample_contents();
  contents.go_programs[1] = {.go_version = "go1.19.8", .package = "github.com/docker/cli/cmd/docker"};
  const auto document = *json::parse(spdx_document(contents, sample_subject()), "the document");
  EXPECT_EQ(document["files"][1]["comment"],
            "5 bytes, a Go program built without modules from github.com/docker/cli/cmd/docker");
}

TEST(Spdx, IsTheSameForTheSameImage) {
  EXPECT_EQ(spdx_document(sample_contents(), sample_subject()), spdx_document(sample_contents(), sample_subject()));
}

TEST(Spdx, HasANamespaceOfItsOwnForEveryContent) {
  const auto before = sample_document();
  auto contents = sample_contents();
  contents.files[0].checksums = checksums_of("changed");
  const auto after = *json::parse(spdx_document(contents, sample_subject()), "the document");
  EXPECT_NE(before["documentNamespace"], after["documentNamespace"]);
  EXPECT_EQ(before["files"][1], after["files"][1]);
}

TEST(Spdx, OfAnEmptyImageAnalysesNoFiles) {
  const auto document = *json::parse(spdx_document({}, sample_subject()), "the document");
  EXPECT_EQ(document["packages"].size(), 1U);
  EXPECT_EQ(document["packages"][0]["filesAnalyzed"], false);
  EXPECT_EQ(document["files"].size(), 0U);
}

TEST(Spdx, PutsNoInvalidTextIntoTheDocument) {
  auto contents = sample_contents();
  contents.files[0].path = "bin/\xff\n\"x";
  const auto text = spdx_document(contents, sample_subject());
  const auto document = json::parse(text, "the document");
  ASSERT_TRUE(document);
  EXPECT_EQ((*document)["files"][0]["fileName"], "./bin/\xEF\xBF\xBD\n\"x");
}

}  // namespace
}  // namespace deployctl::sbom
