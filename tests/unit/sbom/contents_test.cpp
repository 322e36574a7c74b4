#include "core/sbom/contents.hpp"

#include "tests/unit/sbom/go_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::sbom {
namespace {

using Kind = oci::LayerEntry::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

// One layer, written entry by entry.
class Layer {
 public:
  explicit Layer(ContentsReader& reader) : visitor_(reader.next_layer()) {}

  Layer& file(std::string path, std::string_view content) {
    EXPECT_TRUE(visitor_.on_entry({.kind = Kind::file, .path = std::move(path), .size = content.size()}));
    EXPECT_TRUE(visitor_.on_content(content.substr(0, content.size() / 2)));
    EXPECT_TRUE(visitor_.on_content(content.substr(content.size() / 2)));
    EXPECT_TRUE(visitor_.on_end());
    return *this;
  }
  Layer& entry(Kind kind, std::string path, std::string target = {}) {
    EXPECT_TRUE(visitor_.on_entry({.kind = kind, .path = std::move(path), .link_target = std::move(target)}));
    return *this;
  }

 private:
  oci::LayerVisitor visitor_;
};

std::vector<std::string> paths(const ImageContents& contents) {
  std::vector<std::string> out;
  for (const auto& file : contents.files) {
    out.push_back(file.path);
  }
  return out;
}

// "path: package", for the files that came in one.
std::vector<std::string> owners(const ImageContents& contents) {
  std::vector<std::string> out;
  for (const auto& file : contents.files) {
    if (file.package) {
      out.push_back(file.path + ": " + contents.packages[*file.package].name);
    }
  }
  return out;
}

TEST(Contents, AreTheFilesThatTheTopmostLayersLeave) {
  ContentsReader reader;
  Layer(reader).file("etc/a", "one").file("etc/b", "b").file("opt/old/x", "x").file("opt/old/y", "y").file("srv/f", "");
  Layer(reader)
      .file("etc/a", "two")
      .entry(Kind::whiteout, "etc/b")
      .file("opt/old/z", "z")
      .entry(Kind::opaque, "opt/old")
      .entry(Kind::directory, "srv/f")
      .file("srv/f/g", "g");
  const auto contents = reader.contents();
  EXPECT_THAT(paths(contents), ElementsAre("etc/a", "opt/old/z", "srv/f/g"));
  EXPECT_EQ(contents.files[0].checksums, checksums_of("two"));
  EXPECT_EQ(contents.files[0].size, 3U);
}

TEST(Contents, KnowAFileInPlaceOfADirectory) {
  ContentsReader reader;
  Layer(reader).entry(Kind::directory, "d").file("d/x", "x");
  Layer(reader).entry(Kind::symlink, "d", "elsewhere");
  EXPECT_THAT(paths(reader.contents()), IsEmpty());
}

TEST(Contents, CountAHardLinkAsAFileOfItsOwn) {
  ContentsReader reader;
  Layer(reader).file("usr/bin/perl", "#!perl");
  Layer(reader).entry(Kind::hard_link, "usr/bin/perl5", "usr/bin/perl").entry(Kind::hard_link, "x", "nowhere");
  const auto contents = reader.contents();
  EXPECT_THAT(paths(contents), ElementsAre("usr/bin/perl", "usr/bin/perl5"));
  EXPECT_EQ(contents.files[1].checksums, checksums_of("#!perl"));
}

TEST(Contents, KnowTheDebianPackageOfAFile) {
  ContentsReader reader;
  Layer(reader)
      .entry(Kind::symlink, "bin", "usr/bin")
      .file("usr/bin/bash", "bash")
      .file("usr/lib/libc.so", "libc")
      .file("app", "ours")
      .file("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
      .entry(Kind::symlink, "etc/os-release", "../usr/lib/os-release")
      .file("var/lib/dpkg/info/bash.list", "/.\n/bin\n/bin/bash\n/usr/share/doc/gone\n")
      .file("var/lib/dpkg/info/libc6:amd64.list", "/usr/lib/libc.so\n")
      .file("var/lib/dpkg/status",
            "Package: libc6\nStatus: install ok installed\nVersion: 2\nArchitecture: amd64\n\n"
            "Package: bash\nStatus: install ok installed\nVersion: 5\nArchitecture: amd64\n");
  const auto contents = reader.contents();
  EXPECT_THAT(owners(contents), ElementsAre("usr/bin/bash: bash", "usr/lib/libc.so: libc6"));
  EXPECT_EQ(contents.system.id, "debian");
  EXPECT_THAT(contents.packages,
              ElementsAre(testing::Field(&DebianPackage::name, "bash"), testing::Field(&DebianPackage::name, "libc6")));
}

TEST(Contents, KnowThePackagesOfDistroless) {
  ContentsReader reader;
  Layer(reader)
      .file("etc/ssl/certs/ca.crt", "pem")
      .file("var/lib/dpkg/status.d/ca-certificates", "Package: ca-certificates\nVersion: 2023\nArchitecture: all\n")
      .file("var/lib/dpkg/status.d/ca-certificates.md5sums",
            "7210080490f9fd139c1b44fa0f730988  etc/ssl/certs/ca.crt\n");
  EXPECT_THAT(owners(reader.contents()), ElementsAre("etc/ssl/certs/ca.crt: ca-certificates"));
}

TEST(Contents, TakeNoPackagesFromAStatusThatIsGone) {
  ContentsReader reader;
  Layer(reader).file("var/lib/dpkg/status", "Package: a\nVersion: 1\n");
  Layer(reader).entry(Kind::whiteout, "var/lib/dpkg");
  EXPECT_THAT(reader.contents().packages, IsEmpty());
}

TEST(Contents, SayWhichListWasTooLong) {
  ContentsReader reader;
  auto visitor = reader.next_layer();
  EXPECT_TRUE(visitor.on_entry({.kind = Kind::file, .path = "var/lib/dpkg/status", .size = 64u << 20u}));
  EXPECT_TRUE(visitor.on_content("Package: a\nVersion: 1\n"));
  EXPECT_TRUE(visitor.on_end());
  const auto contents = reader.contents();
  EXPECT_THAT(contents.packages, IsEmpty());
  EXPECT_THAT(contents.remarks, ElementsAre("var/lib/dpkg/status is too long to be read"));
}

TEST(Contents, KnowGoPrograms) {
  ContentsReader reader;
  Layer(reader).file("app", go_program(go_record("go1.19.8", "mod\tshop\t(devel)\n"), {})).file("b", "text");
  const auto contents = reader.contents();
  ASSERT_EQ(contents.go_programs.size(), 1U);
  EXPECT_EQ(contents.go_programs.at(0).main.path, "shop");
  EXPECT_TRUE(contents.files[0].is_elf);
  EXPECT_FALSE(contents.files[1].is_elf);
}

}  // namespace
}  // namespace deployctl::sbom
