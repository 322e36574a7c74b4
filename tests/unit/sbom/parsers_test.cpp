#include "core/sbom/checksums.hpp"
#include "core/sbom/debian.hpp"
#include "core/sbom/os_release.hpp"
#include "core/sbom/package_url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::sbom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Checksums, AreThoseOfTheWholeFileHoweverItIsCut) {
  FileHasher hasher;
  hasher.add("a");
  hasher.add("");
  hasher.add("bc");
  const auto sums = hasher.checksums();
  EXPECT_EQ(sums.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sums.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(checksums_of("abc"), sums);
}

TEST(DpkgStatus, GivesTheInstalledPackages) {
  const auto packages = parse_dpkg_status(
      "Package: libssl3\n"
      "Status: install ok installed\n"
      "Maintainer: Debian OpenSSL Team <pkg-openssl@alioth.example>\n"
      "Architecture: amd64\n"
      "Source: openssl (3.0.19-1)\n"
      "Version: 3.0.19-1~deb12u2\n"
      "Description: toolkit\n"
      " Version: 9 is only prose here\n"
      " .\n"
      "Homepage: https://www.openssl.org/\n"
      "\n"
      "\n"
      "Package: gone\n"
      "Status: deinstall ok config-files\n"
      "Version: 1\n"
      "\n"
      "package: login\r\n"
      "status: hold ok installed\r\n"
      "VERSION: 1:4.13+dfsg1-1\r\n"
      "Architecture: amd64\r\n");
  EXPECT_THAT(packages, ElementsAre(DebianPackage{.name = "libssl3",
                                                  .version = "3.0.19-1~deb12u2",
                                                  .architecture = "amd64",
                                                  .source = "openssl",
                                                  .source_version = "3.0.19-1",
                                                  .maintainer = "Debian OpenSSL Team <pkg-openssl@alioth.example>",
                                                  .homepage = "https://www.openssl.org/"},
                                    DebianPackage{.name = "login",
                                                  .version = "1:4.13+dfsg1-1",
                                                  .architecture = "amd64",
                                                  .source = "login",
                                                  .source_version = "1:4.13+dfsg1-1",
                                                  .maintainer = "",
                                                  .homepage = ""}));
}

TEST(DpkgStatus, OfDistrolessHasNoStatusField) {
  const auto packages = parse_dpkg_status("Package: base-files\nVersion: 12.4\nArchitecture: amd64");
  ASSERT_EQ(packages.size(), 1U);
  EXPECT_EQ(packages[0].name, "base-files");
}

TEST(DpkgStatus, LeavesOutWhatItCannotRead) {
  EXPECT_THAT(parse_dpkg_status(""), IsEmpty());
  EXPECT_THAT(parse_dpkg_status("Package: half\n\nVersion: 1\n\n:\n \n"), IsEmpty());
}

TEST(DpkgLists, NamePathsBelowTheRoot) {
  EXPECT_THAT(parse_dpkg_list("/.\n/bin\n/bin/bash\n/usr/share/doc/with space\n"),
              ElementsAre("bin", "bin/bash", "usr/share/doc/with space"));
  EXPECT_THAT(parse_md5sums("7210080490f9fd139c1b44fa0f730988  bin/bash\n"
                            "12c7981c8fed81743552e47dd4b1483e  ./usr/bin/a b\n"
                            "short  x\n"),
              ElementsAre("bin/bash", "usr/bin/a b"));
  EXPECT_EQ(package_of_list("libssl3:amd64.list"), "libssl3");
  EXPECT_EQ(package_of_list("base-files.md5sums"), "base-files");
  EXPECT_EQ(package_of_list("base"), "base");
}

TEST(OsRelease, ReadsQuotedAndPlainValues) {
  const auto release = parse_os_release(
      "# a comment\n"
      "PRETTY_NAME=\"Debian \\\"12\\\" (bookworm)\"\n"
      "NAME='Debian GNU/Linux'\n"
      "VERSION_ID=12\n"
      "nonsense\n"
      "ID=debian\n");
  EXPECT_EQ(release, (OsRelease{.id = "debian",
                                .version_id = "12",
                                .name = "Debian GNU/Linux",
                                .pretty_name = "Debian \"12\" (bookworm)",
                                .home_url = ""}));
}

struct UrlRow {
  PackageUrl url;
  std::string text;
};

TEST(PackageUrl, IsPercentEncoded) {
  const DebianPackage login{.name = "login",
                            .version = "1:4.13+dfsg1-1~deb12u1",
                            .architecture = "amd64",
                            .source = "shadow",
                            .source_version = "1:4.13",
                            .maintainer = "",
                            .homepage = ""};
  auto own_source = login;
  own_source.source = login.name;
  own_source.source_version = login.version;
  const UrlRow rows[] = {
      {package_url(login, "debian", "12"),
       "pkg:deb/debian/login@1%3A4.13%2Bdfsg1-1~deb12u1?arch=amd64&distro=debian-12&upstream=shadow%401:4.13"},
      {package_url(own_source, "", ""), "pkg:deb/debian/login@1%3A4.13%2Bdfsg1-1~deb12u1?arch=amd64"},
      {go_module_url("github.com/Gin-Gonic/gin", "v1.9.1"), "pkg:golang/github.com/gin-gonic/gin@v1.9.1"},
      {go_module_url("github.com/docker/docker", "v24.0.7+incompatible"),
       "pkg:golang/github.com/docker/docker@v24.0.7%2Bincompatible"},
      {go_module_url("miniapp", "(devel)"), "pkg:golang/miniapp"},
      {{.type = "oci",
        .name_space = "",
        .name = "api",
        .version = "sha256:12",
        .qualifiers = {{"repository_url", "127.0.0.1:5000/shop/api"}, {"arch", "amd64"}}},
       "pkg:oci/api@sha256%3A12?arch=amd64&repository_url=127.0.0.1:5000/shop/api"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(to_string(row.url), row.text);
  }
}

}  // namespace
}  // namespace deployctl::sbom
