#include "core/yaml/convert.hpp"

#include "core/yaml/parse.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::yaml {
namespace {

TEST(ToJson, gives_plain_scalars_their_type_and_leaves_quoted_ones_text) {
  struct Row {
    std::string text, value;
  };
  const Row rows[] = {
      {"1", "1"},
      {"'1'", R"("1")"},
      {"1.50", "1.5"},
      {"-.5", "-0.5"},
      {"2.", "2.0"},
      {"1e3", "1000.0"},
      {"+1.5", "1.5"},
      {"1.2.3", R"("1.2.3")"},
      {"true", "true"},
      {"yes", R"("yes")"},
      {"null", "null"},
      {".inf", R"(".inf")"},
      {"01.5", R"("01.5")"},
      {"e3", R"("e3")"},
      {"1e", R"("1e")"},
      {".", R"(".")"},
      {"-", R"([null])"},
      {"18446744073709551616", "1.8446744073709552e+19"},
  };
  for (const auto& row : rows) {
    base::Diagnostics diagnostics;
    const auto node = parse(std::make_shared<base::SourceFile>("f", row.text), diagnostics);
    EXPECT_EQ(json::to_compact_text(to_json(node)), row.value) << row.text;
  }
}

}  // namespace
}  // namespace deployctl::yaml
