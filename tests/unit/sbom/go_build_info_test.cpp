#include "core/sbom/go_build_info.hpp"

#include "tests/unit/sbom/go_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::sbom {
namespace {

constexpr std::string_view modules =
    "path\texample.com/shop/cmd/api\n"
    "mod\texample.com/shop\t(devel)\t\n"
    "dep\tgithub.com/gin-gonic/gin\tv1.9.1\th1:4idEAncQnU5cB7BeOkPtxjfCSye0AAm1R0RVIqJ+Jmg=\n"
    "dep\tgithub.com/old/thing\tv1.0.0\n"
    "=>\tgithub.com/new/thing\tv1.1.0\th1:abc=\n"
    "build\t-compiler=gc\n"
    "build\tvcs.revision=0123abc\n"
    "build\t-ldflags=\"-s -w\"\n";

GoBuildInfo expected() {
  return {.go_version = "go1.19.8",
          .is_old = false,
          .package = "example.com/shop/cmd/api",
          .main = {.path = "example.com/shop", .version = "(devel)", .sum = "", .replaces = ""},
          .dependencies = {{.path = "github.com/gin-gonic/gin",
                            .version = "v1.9.1",
                            .sum = "h1:4idEAncQnU5cB7BeOkPtxjfCSye0AAm1R0RVIqJ+Jmg=",
                            .replaces = ""},
                           {.path = "github.com/new/thing",
                            .version = "v1.1.0",
                            .sum = "h1:abc=",
                            .replaces = "github.com/old/thing v1.0.0"}},
          .settings = {{"-compiler", "gc"}, {"vcs.revision", "0123abc"}, {"-ldflags", "-s -w"}}};
}

std::optional<GoBuildInfo> find(std::string_view file, std::size_t piece) {
  GoBuildInfoFinder finder;
  for (; !file.empty(); file.remove_prefix(std::min(piece, file.size()))) {
    finder.add(file.substr(0, piece));
  }
  return finder.found();
}

TEST(GoBuildInfo, IsReadFromItsRecord) {
  EXPECT_EQ(parse_go_build_info(go_record("go1.19.8", modules)), expected());
}

TEST(GoBuildInfo, OfAProgramWithoutModulesHasOnlyTheVersion) {
  const auto info = parse_go_build_info(go_record("go1.22.1", ""));
  ASSERT_TRUE(info);
  EXPECT_EQ(*info, GoBuildInfo{.go_version = "go1.22.1"});
}

TEST(GoBuildInfo, BeforeGo118SaysOnlyThatItIsOld) {
  auto record = go_record("go1.17", modules);
  record[15] = '\0';
  EXPECT_EQ(parse_go_build_info(record), GoBuildInfo{.is_old = true});
}

TEST(GoBuildInfo, ThatIsCutOrLiesAboutLengthsIsNone) {
  const auto record = go_record("go1.19.8", modules);
  EXPECT_FALSE(parse_go_build_info(""));
  EXPECT_FALSE(parse_go_build_info(record.substr(0, 31)));
  EXPECT_FALSE(parse_go_build_info(record.substr(0, 34)));
  EXPECT_FALSE(parse_go_build_info(record.substr(1)));
  EXPECT_FALSE(parse_go_build_info(record.substr(0, 32) + std::string(12, '\xff')));
}

TEST(GoBuildInfoFinder, FindsTheRecordHoweverTheFileIsCut) {
  for (const auto width : {Width::bits_64, Width::bits_32}) {
    const auto file = go_program(go_record("go1.19.8", modules), {.width = width});
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, file.size()}) {
      EXPECT_EQ(find(file, piece), expected()) << "pieces of " << piece;
    }
  }
}

TEST(GoBuildInfoFinder, FindsTheRecordFarBehindTheHeader) {
  const auto file = go_program(go_record("go1.19.8", modules), {.data_offset = 300'000});
  EXPECT_EQ(find(file, 100'000), expected());
  EXPECT_EQ(find(file, file.size()), expected());
}

TEST(GoBuildInfoFinder, TakesNoMarkOutsideWritableMemoryOrOffItsPlace) {
  const auto record = go_record("go1.19.8", modules);
  EXPECT_FALSE(find(go_program(record, {.segment_flags = 4}), 4096));
  EXPECT_FALSE(find(go_program("x" + record, {}), 4096));
  EXPECT_FALSE(find("#!/bin/sh\n" + record, 4096));
  EXPECT_FALSE(
      find("\x7f"
           "ELF",
           1));
}

TEST(GoBuildInfoFinder, KnowsElfFiles) {
  GoBuildInfoFinder finder;
  finder.add(
      "\x7f"
      "EL");
  EXPECT_FALSE(finder.is_elf());
  finder.add("F and more");
  EXPECT_TRUE(finder.is_elf());
  EXPECT_FALSE(finder.found());
}

}  // namespace
}  // namespace deployctl::sbom
