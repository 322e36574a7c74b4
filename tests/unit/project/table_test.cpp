// The table of the language, and what is made from it.
#include "core/project/reference_page.hpp"
#include "core/project/schema.hpp"
#include "core/project/table.hpp"
#include "tests/unit/project/loading.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace deployctl::tests {
namespace {

using project::Shape;

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Every field of every mapping below a shape, once.
void collect(const Shape& shape, std::set<std::string>& seen, std::vector<project::FieldShape>& fields) {
  for (const auto& alternative : shape.alternatives) {
    collect(*alternative, seen, fields);
  }
  if (shape.element) {
    collect(*shape.element, seen, fields);
  }
  if (shape.kind != Shape::Kind::mapping || !seen.insert(shape.name).second) {
    return;
  }
  for (const auto& field : shape.fields) {
    fields.push_back(field);
    collect(*field.shape, seen, fields);
  }
}

std::vector<project::FieldShape> all_fields() {
  std::set<std::string> seen;
  std::vector<project::FieldShape> fields;
  collect(*project::project_form().shape, seen, fields);
  return fields;
}

TEST(Table, EveryKeyIsDocumentedAndHasAnExample) {
  for (const auto& field : all_fields()) {
    EXPECT_FALSE(field.text.doc.empty()) << field.key;
    EXPECT_FALSE(field.text.example.empty()) << field.key;
  }
}

TEST(Table, ExamplesOfTextsFitTheirPatterns) {
  for (const auto& field : all_fields()) {
    if (field.shape->kind == Shape::Kind::text && !field.shape->text.pattern.empty()) {
      const std::regex pattern(std::string(field.shape->text.pattern), std::regex::ECMAScript);
      EXPECT_TRUE(std::regex_match(std::string(field.text.example), pattern)) << field.key << ": " << field.text.example;
    }
  }
}

TEST(ReferencePage, IsTheCommittedOne) {
  const auto path = std::string(DEPLOYCTL_SOURCE_DIR) + "/docs/project-manifest.md";
  if (std::getenv("UPDATE_EXPECTATIONS") != nullptr) {
    std::ofstream(path) << project::reference_page();
  }
  EXPECT_TRUE(read_file(path) == project::reference_page())
      << "docs/project-manifest.md is not what the table gives; write it anew with\n"
         "  UPDATE_EXPECTATIONS=1 build/debug/test_project --gtest_filter=ReferencePage.*";
}

TEST(Schema, DescribesEveryKey) {
  const auto text = project::schema().dump();
  for (const auto& field : all_fields()) {
    EXPECT_NE(text.find('"' + std::string(field.key) + "\":{"), std::string::npos) << field.key;
  }
}

TEST(Schema, KnowsNoOtherKeysAndWhatIsRequired) {
  const auto schema = project::schema();

  EXPECT_EQ(schema.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_EQ(schema.at("required"), nlohmann::ordered_json({"project", "services"}));
  EXPECT_EQ(schema.at("$defs").at("volume").at("required"), nlohmann::ordered_json({"mount", "size"}));
  EXPECT_FALSE(schema.at("$defs").at("volume-overlay").contains("required"));
}

TEST(Schema, LeavesOutWhatIsNotAvailable) {
  const auto text = project::schema().dump();

  for (const auto* word : {"tasks", "hooks", "canary", "blue-green"}) {
    EXPECT_EQ(text.find('"' + std::string(word) + '"'), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace deployctl::tests
