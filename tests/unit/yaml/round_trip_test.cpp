// What we emit, our parser reads back as the same value; so does PyYAML (YAML 1.1) where there is one.
#include "core/yaml/convert.hpp"
#include "core/yaml/emit.hpp"
#include "core/yaml/parse.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <random>

namespace deployctl::yaml {
namespace {

using json::Value;

constexpr int documents = 400;

// Values made to be misread: words and shapes that YAML gives a meaning, characters it cannot show, odd white space.
class NastyValues {
 public:
  explicit NastyValues(unsigned seed) : random_(seed) {}

  Value value(int depth) {
    const auto kind = below(depth > 0 ? 10 : 6);
    if (kind < 4) {
      return text();
    }
    if (kind == 4) {
      return static_cast<long long>(below(2'000'000)) - 1'000'000;
    }
    if (kind == 5) {
      return scalar();
    }
    return kind < 8 ? mapping(depth) : sequence(depth);
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

  Value scalar() {
    const Value choices[] = {true,          false, nullptr, 0.5, 1e300, 1e-7, 9223372036854775807LL, Value::object(),
                             Value::array()};
    return choices[below(std::size(choices))];
  }

  Value mapping(int depth) {
    auto members = Value::object();
    for (auto left = below(5); left > 0; --left) {
      members[below(50) == 0 ? std::string(1500, 'k') : text()] = value(depth - 1);
    }
    return members;
  }

  Value sequence(int depth) {
    auto items = Value::array();
    for (auto left = below(5); left > 0; --left) {
      items.push_back(value(depth - 1));
    }
    return items;
  }

  std::string text() {
    static const std::vector<std::string> pieces{"a",
                                                 "b c",
                                                 "no",
                                                 "True",
                                                 "null",
                                                 "~",
                                                 "1",
                                                 "012",
                                                 "1.20",
                                                 "1e3",
                                                 "0x1F",
                                                 "22:22",
                                                 "2001-12-14",
                                                 "<<",
                                                 "=",
                                                 " ",
                                                 "  ",
                                                 "\n",
                                                 "\n\n",
                                                 "\t",
                                                 "\r",
                                                 ":",
                                                 ": ",
                                                 " #",
                                                 "#",
                                                 "-",
                                                 "- ",
                                                 "?",
                                                 "&",
                                                 "*",
                                                 "!",
                                                 "|",
                                                 ">",
                                                 "'",
                                                 "\"",
                                                 "\\",
                                                 "%",
                                                 "@",
                                                 "`",
                                                 "{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 ",",
                                                 "---",
                                                 "...",
                                                 "镜像",
                                                 "😀",
                                                 "é",
                                                 "\x1b",
                                                 "\x7f",
                                                 "\xC2\x85",
                                                 "\xE2\x80\xA8",
                                                 "\xEF\xBB\xBF",
                                                 "\xC2\xA0",
                                                 "$(x)",
                                                 "100m",
                                                 "y",
                                                 "on",
                                                 "\\n",
                                                 "=x",
                                                 "text of a line",
                                                 std::string("\0", 1),
                                                 std::string(200, 'z')};
    std::string text;
    for (auto left = below(6); left > 0; --left) {
      text += pieces[below(pieces.size())];
    }
    return text;
  }

  std::mt19937 random_;
};

TEST(RoundTrip, our_parser_reads_back_every_value_we_emit) {
  for (int seed = 0; seed < documents; ++seed) {
    const auto value = NastyValues(static_cast<unsigned>(seed)).value(5);
    const auto text = emit(value);
    base::Diagnostics diagnostics;
    const auto node = parse(std::make_shared<base::SourceFile>("emitted", text), diagnostics);
    for (const auto& finding : diagnostics.sorted()) {
      ADD_FAILURE() << base::render(finding) << text;
    }
    ASSERT_EQ(json::to_compact_text(to_json(node)), json::to_compact_text(value)) << "seed " << seed << "\n" << text;
  }
}

TEST(RoundTrip, pyyaml_reads_back_every_value_we_emit) {
  if (std::system("python3 -c 'import yaml' 2>/dev/null") != 0) {
    GTEST_SKIP() << "python3-yaml is not installed";
  }
  std::string directory = testing::TempDir() + "deployctl-yaml-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  std::ofstream cases(directory + "/cases.json");
  for (int seed = 0; seed < documents; ++seed) {
    const auto value = NastyValues(static_cast<unsigned>(seed)).value(5);
    cases << json::to_compact_text({{"value", value}, {"text", emit(value)}}) << "\n";
  }
  cases.close();
  const auto command =
      "python3 " DEPLOYCTL_SOURCE_DIR "/tests/unit/yaml/compare_with_pyyaml.py " + directory + "/cases.json";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::remove((directory + "/cases.json").c_str());
  std::remove(directory.c_str());
}

}  // namespace
}  // namespace deployctl::yaml
