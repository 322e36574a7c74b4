// The table of the language, and what is made from it.
#include "core/project/table.hpp"

#include "core/project/reference_page.hpp"
#include "core/project/schema.hpp"
#include "core/project/values.hpp"
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
      EXPECT_TRUE(std::regex_match(std::string(field.text.example), pattern))
          << field.key << ": " << field.text.example;
    }
  }
}

struct NamedForm {
  std::string_view name;
  project::Form<std::string> form;
};

// The schema may be more lenient than the decoder, never stricter: editors must not mark what is right.
TEST(Table, PatternsMatchEverythingThatIsAccepted) {
  const std::vector<NamedForm> forms{
      {"dns_label", project::dns_label()},         {"service_name", project::service_name()},
      {"object_name", project::object_name()},     {"port_name", project::port_name()},
      {"variable_name", project::variable_name()}, {"file_word", project::file_word("word")},
      {"host_name", project::host_name()},         {"web_path", project::web_path()},
      {"folder_path", project::folder_path()},     {"container_path", project::container_path()},
      {"package_name", project::package_name()},   {"pods", project::pods_or_percentage()},
      {"http_url", project::http_url()},           {"json_pointer", project::json_pointer()},
      {"header_name", project::header_name()},     {"object_path_name", project::object_path_name()},
  };
  const std::vector<std::string> samples{"a",
                                         "A",
                                         "1",
                                         "0",
                                         "a1",
                                         "1a",
                                         "a-b",
                                         "a--b",
                                         "-a",
                                         "a-",
                                         "a.b",
                                         "a..b",
                                         ".a",
                                         "a_b",
                                         "_a",
                                         "A_B2",
                                         "api",
                                         "http",
                                         "my-very-long-na",
                                         "my-very-long-nam",
                                         std::string(63, 'a'),
                                         std::string(64, 'a'),
                                         "*.example.com",
                                         "*",
                                         "*.a",
                                         "/",
                                         "/a",
                                         "/a/b/",
                                         "//a",
                                         "/a b",
                                         "/a:b",
                                         "/a?b=c&d=%20",
                                         "./a",
                                         "../a",
                                         "a/../b",
                                         "a/../../b",
                                         ".",
                                         "./cmd/api",
                                         "cmd/api",
                                         "c++",
                                         "+x",
                                         "100%",
                                         "25%",
                                         "101%",
                                         "1001",
                                         "1%",
                                         "",
                                         " ",
                                         "a b",
                                         "~/a",
                                         "a/~",
                                         "\u00e9",
                                         "/\u00e9"};
  int accepted = 0;
  for (const auto& each : forms) {
    const std::regex pattern(std::string(each.form.shape->text.pattern), std::regex::ECMAScript);
    for (const auto& sample : samples) {
      base::Diagnostics ignored;
      const yaml::Node node{
          .kind = yaml::NodeKind::scalar, .span = {}, .scalar = sample, .is_quoted = true, .items = {}, .entries = {}};
      if (each.form.read(node, {"key", {}}, ignored)) {
        ++accepted;
        EXPECT_TRUE(std::regex_match(sample, pattern)) << each.name << " takes '" << sample << "'";
      }
    }
  }
  EXPECT_GT(accepted, 100);
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

  EXPECT_EQ(text.find("\"hooks\""), std::string::npos);
}

}  // namespace
}  // namespace deployctl::tests
