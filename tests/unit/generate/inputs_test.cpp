#include "core/generate/inputs.hpp"

#include "tests/unit/generate/memory_files.hpp"
#include "tests/unit/generate/sample.hpp"

#include <gtest/gtest.h>

namespace deployctl::generate {
namespace {

using tests::at;
using tests::MemoryFiles;

SourceFacts facts_of(const MemoryFiles& files, const project::Service& service) {
  auto target = tests::mini();
  target.directory = "/p";
  target.services = {service};
  const auto inputs = read_inputs(target, files);
  EXPECT_TRUE(inputs) << base::to_string(inputs.error());
  return inputs->facts(*service.name);
}

SourceFacts go_facts(const std::string& go_mod) {
  MemoryFiles files;
  files.put("/p/go.mod", go_mod);
  return facts_of(files, tests::go_service("api"));
}

TEST(Inputs, TheGoVersionIsTheModules) {
  EXPECT_EQ(go_facts("module x\n\ngo 1.19\n").go_version, "1.19");
  EXPECT_EQ(go_facts("module x\ngo 1.21.0 // why\ntoolchain go1.22.3\n").go_version, "1.22.3");
  EXPECT_EQ(go_facts("module x\n").go_version, "");
  EXPECT_EQ(go_facts("go 1.19; USER root\n").go_version, "");
}

TEST(Inputs, LocalModulesAreSeen) {
  EXPECT_TRUE(go_facts("module x\nreplace example.com/y => ./libs/y\n").has_local_modules);
  EXPECT_TRUE(go_facts("module x\nreplace (\n\texample.com/y v1.0.0 => ../y\n)\n").has_local_modules);
  EXPECT_FALSE(go_facts("module x\nreplace example.com/y => example.com/z v1.0.0\n").has_local_modules);
}

TEST(Inputs, TheMainPackageIsLookedFor) {
  MemoryFiles files;
  files.put("/p/go.mod", "module x\n");
  files.put("/p/lib.go", "package lib // package main\n");
  files.put("/p/main_test.go", "package main\n");
  EXPECT_EQ(facts_of(files, tests::go_service("api")).main_package, "");
  files.put("/p/cmd/server/main.go", "// Server.\npackage main\n");
  files.put("/p/cmd/README.md", "package main\n");
  EXPECT_EQ(facts_of(files, tests::go_service("api")).main_package, "./cmd/server");
  files.put("/p/cmd/tool/main.go", "package main\n");
  EXPECT_EQ(facts_of(files, tests::go_service("api")).main_package, "")
      << "two programs, neither of the service's name";
  EXPECT_EQ(facts_of(files, tests::go_service("tool")).main_package, "./cmd/tool");
  files.put("/p/main.go", "package main\n");
  EXPECT_EQ(facts_of(files, tests::go_service("api")).main_package, ".");
}

TEST(Inputs, TheOnlyExecutableOfACMakeProjectIsKnown) {
  MemoryFiles files;
  files.put("/p/CMakeLists.txt", "add_library(x y.cpp)\nadd_executable( api-service\n src/main.cpp)\n");
  EXPECT_EQ(facts_of(files, tests::cpp_service("api")).executable, "api-service");
  files.put("/p/CMakeLists.txt", "add_executable(a a.cpp)\nadd_executable(b b.cpp)\n");
  EXPECT_EQ(facts_of(files, tests::cpp_service("api")).executable, "");
}

TEST(Inputs, ConfigFilesAreRead) {
  MemoryFiles files;
  files.put("/p/config/app.yaml", "a: 1\n");
  auto target = tests::mini();
  target.directory = "/p";
  target.services[0].files = {{"/etc/app.yaml", at(std::string("config/app.yaml"))}};
  const auto inputs = read_inputs(target, files);
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->files.at("config/app.yaml"), "a: 1\n");
  target.services[0].files[0].source = at(std::string("config/missing.yaml"));
  EXPECT_EQ(base::to_string(read_inputs(target, files).error()),
            "reading config/missing.yaml for 'api': there is no /p/config/missing.yaml");
}

TEST(Inputs, ALinkOutOfTheProjectIsNotFollowed) {
  MemoryFiles files;
  files.put("/p/deployctl.yaml", "");
  files.put("/root/.ssh/id_rsa", "key");
  files.link("/p/config.yaml", "/root/.ssh/id_rsa");
  auto target = tests::mini();
  target.directory = "/p";
  target.services[0].files = {{"/etc/app.yaml", at(std::string("config.yaml"))}};
  const auto inputs = read_inputs(target, files);
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.error().message, "config.yaml is outside the project");
}

}  // namespace
}  // namespace deployctl::generate
