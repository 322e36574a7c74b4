// The rules as they are documented, and that each of them is shown by a timeline.
#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/kube/verdict.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace deployctl::kube::verdict {
namespace {

constexpr const char* page_path = DEPLOYCTL_SOURCE_DIR "/docs/verdicts.md";
constexpr std::string_view table_begins = "<!-- The table is compared with the program: tests/unit/kube. -->\n";
constexpr std::string_view table_ends = "<!-- End of the table. -->\n";

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string describe(const std::optional<Threshold>& threshold, Counting counting) {
  if (!threshold) {
    return "";
  }
  std::vector<std::string> parts;
  if (threshold->attempts > 1) {
    parts.push_back(fmt::format("{} times{}", threshold->attempts,
                                counting == Counting::across_objects ? ", all pods together" : ""));
  }
  if (threshold->after.count() > 0) {
    parts.push_back("after " + base::to_string(threshold->after));
  }
  auto text = parts.empty() ? "at once" : base::join(parts, " and ");
  return threshold->at_latest ? text + ", or after " + base::to_string(*threshold->at_latest) : text;
}

std::string rules_as_table() {
  std::string text = "| rule | class | probable | permanent | advice |\n|---|---|---|---|---|\n";
  for (const auto& rule : default_rules()) {
    text += fmt::format("| `{}` | {} | {}{} | {} | {} |\n", rule.name, to_string(rule.kind),
                        describe(rule.probable, rule.counting), rule.reach == Reach::every_pod ? ", on every pod" : "",
                        describe(rule.permanent, rule.counting), rule.advice);
  }
  return text;
}

const Rule& rule_in(const std::vector<Rule>& rules, std::string_view name) {
  return *std::ranges::find(rules, name, &Rule::name);
}

TEST(VerdictRules, CanBeGivenAnotherPatience) {
  const auto rules = rules_with({{"configuration-missing", std::chrono::seconds(90)},
                                 {"container-crashes", std::chrono::minutes(2)},
                                 {"image-not-found", std::nullopt},
                                 {"unschedulable", std::chrono::minutes(5)},
                                 {"image-pull-denied", std::chrono::minutes(3)}});
  const auto row = [&](std::string_view name) {
    const auto& rule = rule_in(rules, name);
    return describe(rule.probable, rule.counting) + " | " + describe(rule.permanent, rule.counting);
  };
  EXPECT_EQ(row("configuration-missing"), " | after 1m30s");
  EXPECT_EQ(row("container-crashes"), "2 times | 3 times and after 2m") << "how often stays";
  EXPECT_EQ(row("image-not-found"), "2 times, all pods together, or after 1m | ") << "probable still";
  EXPECT_EQ(row("unschedulable"), "after 30s | after 5m") << "what never failed a rollout does then";
  EXPECT_EQ(row("image-pull-denied"), " | after 3m");
  EXPECT_EQ(row("image-missing"), " | at once");
  EXPECT_EQ(rules.size(), default_rules().size());
}

TEST(VerdictRules, AreDocumentedAsTheyAre) {
  auto page = read(page_path);
  const auto begin = page.find(table_begins);
  const auto end = page.find(table_ends);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos) << "the page has no place for the table";
  const auto from = begin + table_begins.size();
  if (std::getenv("DEPLOYCTL_UPDATE_TIMELINES") != nullptr) {
    std::ofstream(page_path) << page.substr(0, from) << rules_as_table() << page.substr(end);
  }
  EXPECT_EQ(page.substr(from, end - from), rules_as_table());
}

TEST(VerdictRules, AreEachShownByATimeline) {
  std::string expectations;
  for (const auto& file : std::filesystem::directory_iterator(DEPLOYCTL_SOURCE_DIR "/tests/scenarios/verdicts")) {
    const auto text = read(file.path());
    const auto at = text.find("\nexpect:");
    expectations += at == std::string::npos ? "" : text.substr(at);
  }
  for (const auto& rule : default_rules()) {
    EXPECT_NE(expectations.find(fmt::format(" {} ", rule.name)), std::string::npos) << rule.name;
  }
}

TEST(VerdictRules, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const auto& rule : default_rules()) {
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
  }
}

}  // namespace
}  // namespace deployctl::kube::verdict
