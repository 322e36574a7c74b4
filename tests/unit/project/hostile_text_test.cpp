// Text that is no project manifest at all, or hardly one any more: it is refused, and nothing breaks.
#include "tests/unit/project/loading.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

namespace deployctl::tests {
namespace {

std::string whole_manifest() {
  std::ostringstream text;
  text << std::ifstream(std::string(DEPLOYCTL_SOURCE_DIR) + "/tests/unit/project/whole.yaml").rdbuf();
  return text.str();
}

void expect_refused(const std::string& text) {
  const auto loaded = load(text);
  EXPECT_FALSE(loaded.target);
  EXPECT_TRUE(loaded.diagnostics.has_errors());
}

TEST(HostileText, TenMegabytesAreRefused) {
  expect_refused("project: " + std::string(10U << 20U, 'a') + "\n");
}

TEST(HostileText, BinaryFilesAreRefused) {
  expect_refused(
      std::string("\x7f"
                  "ELF\x02\x01\x01\0\0\0\0\0",
                  12));
  expect_refused("project: \xff\xfe\n");
  expect_refused(std::string("project: a\0b\n", 13));
}

TEST(HostileText, AliasesToThemselvesAreRefused) {
  expect_refused("project: p\nservices: &a {api: *a}\n");
}

TEST(HostileText, DeepNestingIsRefused) {
  expect_refused("project: " + std::string(100'000, '[') + "\n");
}

TEST(HostileText, ThousandsOfMistakesAreReportedSoon) {
  std::string text = "project: p\nregistry: r.example.com\nservices:\n";
  for (int i = 0; i < 500; ++i) {
    text += fmt::format("  service-{0}: {{depends_on: [servise-{0}, service-{1}]}}\n", i, (i + 1) % 500);
  }
  const auto loaded = load(text);

  EXPECT_EQ(loaded.diagnostics.sorted().size(), 501U);
}

// The same bytes every time: a failure can be looked into.
TEST(HostileText, AnyDamageToAGoodFileIsSurvived) {
  const auto good = whole_manifest();
  std::mt19937 random(20240229);  // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed)
  constexpr std::string_view bytes = " \n:{}[],&*!|>'\"#%@`-?0aZ\t\0~<=./";
  for (int round = 0; round < 400; ++round) {
    auto text = good;
    for (int change = 0; change < 3; ++change) {
      const auto at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = bytes[random() % bytes.size()];
          break;
        case 1:
          text.erase(at, random() % 40);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
      }
    }
    const auto loaded = load(text, round % 2 == 0 ? "" : "prod");
    EXPECT_EQ(loaded.target.has_value(), !loaded.diagnostics.has_errors());
    EXPECT_FALSE(findings(loaded).empty() && !loaded.target);
  }
}

}  // namespace
}  // namespace deployctl::tests
