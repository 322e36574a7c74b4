// The JSON Schema, judged by a validator of somebody else's.
#include "core/project/schema.hpp"

#include "core/project/detect.hpp"
#include "core/project/scaffold.hpp"
#include "core/yaml/convert.hpp"
#include "core/yaml/parse.hpp"
#include "tests/unit/project/loading.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <sys/wait.h>

namespace deployctl::tests {
namespace {

const std::string folder = std::string(DEPLOYCTL_SOURCE_DIR) + "/tests/unit/project/";

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

enum class Valid { no, yes };

std::string case_line(const std::string& name, const std::string& manifest, Valid valid) {
  base::Diagnostics problems;
  const auto source = std::make_shared<const base::SourceFile>(name, manifest);
  const json::Value line{
      {"name", name}, {"manifest", yaml::to_json(yaml::parse(source, problems))}, {"valid", valid == Valid::yes}};
  EXPECT_TRUE(problems.empty()) << name;
  return json::to_compact_text(line) + "\n";
}

std::string all_cases() {
  auto lines = case_line("whole.yaml", read_file(folder + "whole.yaml"), Valid::yes) +
               case_line("scaffold", project::scaffold({}, {.project = "shop", .registry = ""}), Valid::yes);
  for (const auto* name :
       {"unknown-keys", "wrong-types", "ranges", "missing-keys", "words", "environments", "no-services"}) {
    lines += case_line(name, read_file(folder + "mistakes/" + name + ".yaml"), Valid::no);
  }
  return lines;
}

TEST(Schema, AgreesWithTheDecoder) {
  const auto schema = testing::TempDir() + "deployctl-schema.json";
  const auto cases = testing::TempDir() + "deployctl-schema-cases.json";
  std::ofstream(schema) << json::to_pretty_text(project::schema());
  std::ofstream(cases) << all_cases();

  const int status = std::system(("python3 '" + folder + "check_schema.py' '" + schema + "' '" + cases + "'").c_str());
  if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
    GTEST_SKIP() << "no validator for JSON Schema here (Debian: python3-jsonschema)";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Schema, TheWholeLanguageLoadsWithoutAWord) {
  auto files = go_project();
  files["/project/config/app.yaml"] = "";
  files["/project/certs/lan.pem"] = "";
  for (const auto* environment : {"", "dev", "empty", "prod"}) {
    EXPECT_EQ(findings(read_file(folder + "whole.yaml"), environment, files), "");
  }
}

}  // namespace
}  // namespace deployctl::tests
