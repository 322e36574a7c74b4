#include "core/images/comparison.hpp"

#include "tests/unit/images/memory_source.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::images {
namespace {

using namespace tar_bytes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string debian =
    directory("etc/") + file("etc/os-release", "Debian") + file("bin/sh", std::string(5000, 's'));
const std::string app_one = file("app", "one") + file("lib/x", "xx");
const std::string app_two = file("app", "three") + file("lib/x", "xx");

struct Compared {
  Comparison comparison;
  std::multiset<std::string> read;  // digests of blobs, of either image

  [[nodiscard]] bool was_read(const std::string& layer) const { return read.contains(oci::Digest::of(layer).text()); }
};

Compared compared(const std::vector<std::string>& before, const std::vector<std::string>& after,
                  const oci::ImageConfig& earlier_config = {}, const oci::ImageConfig& later_config = {}) {
  MemorySource earlier;
  MemorySource later;
  earlier.add_image(before, earlier_config);
  later.add_image(after, later_config);
  const auto comparison = compare(earlier, later, {});
  EXPECT_TRUE(comparison) << (comparison ? "" : base::to_string(comparison.error()));
  auto read = earlier.read();
  read.insert(later.read().begin(), later.read().end());
  return {comparison ? *comparison : Comparison{}, read};
}

// "changed app +3"
std::vector<std::string> files(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  std::vector<std::string> lines;
  const auto all = compared(before, after);
  for (const auto& file : all.comparison.files) {
    lines.push_back(fmt::format("{} {} {:+}", to_string(file.kind), file.path, file.size_delta()));
  }
  return lines;
}

TEST(Comparison, OfAnImageWithItselfReadsNoLayer) {
  const auto all = compared({debian, app_one}, {debian, app_one});
  EXPECT_TRUE(all.comparison.is_same());
  EXPECT_FALSE(all.was_read(debian));
}

TEST(Comparison, FindsWhatABuildChanged) {
  EXPECT_THAT(files({debian, app_one}, {debian, app_two}), ElementsAre("changed app +2"));
}

TEST(Comparison, LeavesSharedLayersUnreadWhenBothDoTheSameToThem) {
  const auto all = compared({debian, app_one}, {debian, app_two});
  EXPECT_FALSE(all.was_read(debian));
  EXPECT_TRUE(all.was_read(app_one));
}

TEST(Comparison, LooksBelowWhenOnlyOneImageTouchesAFile) {
  const auto replaced = file("etc/os-release", "Debian 13") + file("etc/new", "new!");
  EXPECT_THAT(files({debian}, {debian, replaced}), ElementsAre("added etc/new +4", "changed etc/os-release +3"));
  EXPECT_THAT(files({debian, file("etc/.wh.os-release", "")}, {debian}), ElementsAre("added etc/os-release +6"));
  EXPECT_THAT(files({debian}, {debian, file("etc/.wh..wh..opq", "")}), ElementsAre("removed etc/os-release -6"));
}

TEST(Comparison, IsByContentWhateverTheLayers) {
  EXPECT_THAT(files({debian + app_one}, {debian, app_one}), IsEmpty());
  EXPECT_THAT(files({file("a", "1")}, {file("a", "2")}), ElementsAre("changed a +0"));
}

TEST(Comparison, SeesModeOwnerKindAndTarget) {
  EXPECT_THAT(files({file("a", "1", 0644)}, {file("a", "1", 0755)}), ElementsAre("changed a +0"));
  EXPECT_THAT(files({link("a", "b")}, {link("a", "c")}), ElementsAre("changed a +0"));
  EXPECT_THAT(files({file("a", "12")}, {link("a", "c")}), ElementsAre("changed a -2"));
  EXPECT_THAT(files({header({.name = "a", .mtime = 1})}, {header({.name = "a", .mtime = 2})}), IsEmpty());
  EXPECT_THAT(files({header({.name = "a", .uid = 1})}, {header({.name = "a", .uid = 2})}), ElementsAre("changed a +0"));
}

TEST(Comparison, ListsADirectoryOnlyWhenNothingInItTellsOfIt) {
  EXPECT_THAT(files({debian}, {debian, directory("var/") + directory("var/empty/") + file("srv/www/index", "hi")}),
              ElementsAre("added srv/www/index +2", "added var/empty +0"));
}

TEST(Comparison, PutsTheLargestDifferenceFirst) {
  EXPECT_THAT(
      files({file("gone", std::string(500, 'x')) + file("b", "")}, {file("a", "1") + file("b", "22") + file("c", "1")}),
      ElementsAre("removed gone -500", "changed b +2", "added a +1", "added c +1"));
}

TEST(Comparison, CountsAHardLinkOnce) {
  EXPECT_THAT(files({debian}, {debian, file("tool", "12345") + hard_link("same", "tool")}),
              ElementsAre("added tool +5", "added same +0"));
}

TEST(Comparison, NamesLayersSharedAddedAndRemoved) {
  const auto all = compared({debian, app_one, file("tail", "")}, {debian, app_two, file("tail", "")});
  std::vector<std::string> lines;
  for (const auto& layer : all.comparison.layers) {
    lines.push_back(fmt::format("{} {}", to_string(layer.kind), layer.blob.digest.text()));
  }
  EXPECT_THAT(
      lines,
      ElementsAre("shared " + oci::Digest::of(debian).text(), "removed " + oci::Digest::of(app_one).text(),
                  "added " + oci::Digest::of(app_two).text(), "shared " + oci::Digest::of(file("tail", "")).text()));
}

TEST(Comparison, NamesSettingsButNotTheTime) {
  const oci::ImageConfig before{.created = "2026-01-01T00:00:00Z", .settings = {.user = "0"}};
  const oci::ImageConfig after{.created = "2026-02-02T00:00:00Z", .settings = {.user = "65532"}};
  const auto all = compared({debian}, {debian}, before, after);
  ASSERT_EQ(all.comparison.settings.size(), 1u);
  EXPECT_EQ(all.comparison.settings.front().path, "config.User");
  EXPECT_FALSE(all.comparison.is_same());
}

TEST(Comparison, TellsHowFarItIs) {
  MemorySource before;
  MemorySource after;
  before.add_image({app_one});
  after.add_image({app_two});
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  ASSERT_TRUE(compare(before, after, {}, [&](const registry::Progress& progress) {
    done = progress.done;
    total = progress.total;
  }));
  EXPECT_EQ(total, app_one.size() + app_two.size());
  EXPECT_EQ(done, total);
}

TEST(Comparison, FailsOnADamagedLayer) {
  MemorySource before;
  MemorySource after;
  before.add_image({app_one});
  after.add_image({"nonsense"});
  const auto comparison = compare(before, after, {});
  ASSERT_FALSE(comparison);
  EXPECT_EQ(base::to_string(comparison.error()),
            "reading the layer " + std::string(oci::Digest::of("nonsense").brief()) + ": the archive is cut short");
}

}  // namespace
}  // namespace deployctl::images
