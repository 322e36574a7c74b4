// mistakes/<name>.yaml is a project manifest, mistakes/<name>.txt everything the user is told about it. To add a row,
// write the first, and run this test with UPDATE_EXPECTATIONS=1 for the second; then read what it says.
#include "tests/unit/project/loading.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace deployctl::tests {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path(DEPLOYCTL_SOURCE_DIR) / "tests/unit/project/mistakes";

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> rows() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

// What lies beside the project manifest.
std::map<std::string, std::string> project_files() {
  return {
      {"/project/go.mod", "module example.com/shop\n\ngo 1.22\n"},
      {"/project/web/package.json", "{}"},
      {"/project/python-with-dockerfile/requirements.txt", "flask\n"},
      {"/project/python-with-dockerfile/Dockerfile", "FROM python:3.12\n"},
      {"/project/empty/README.md", ""},
      {"/project/make/Makefile", ""},
      {"/project/make/main.cpp", ""},
  };
}

class Mistakes : public testing::TestWithParam<std::string> {};

TEST_P(Mistakes, AreAllReportedInOneRun) {
  const auto manifest = folder / (GetParam() + ".yaml");
  const auto expectation = folder / (GetParam() + ".txt");
  const auto told = findings(read_file(manifest), {}, project_files());
  if (std::getenv("UPDATE_EXPECTATIONS") != nullptr) {
    std::ofstream(expectation) << told;
  }
  EXPECT_EQ(told, read_file(expectation));
}

INSTANTIATE_TEST_SUITE_P(Files, Mistakes, testing::ValuesIn(rows()), [](const auto& row) {
  auto name = row.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace deployctl::tests
