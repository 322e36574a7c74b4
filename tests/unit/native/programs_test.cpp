// Reading programs, and the one we write.
#include "core/native/compile.hpp"
#include "core/native/drain_program.hpp"
#include "core/native/elf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace deployctl::native {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ProgramsTest : public ::testing::Test {
 protected:
  ProgramsTest() : path_(fs::path(::testing::TempDir()) / ("program-" + std::to_string(::getpid()))) {}
  ~ProgramsTest() override { fs::remove(path_); }

  void write(const std::string& content) const {
    std::ofstream(path_, std::ios::binary) << content;
    fs::permissions(path_, fs::perms::owner_all);
  }

  fs::path path_;
};

TEST_F(ProgramsTest, TellWhatTheyNeed) {
  const auto facts = read_elf("/proc/self/exe");
  ASSERT_TRUE(facts);
  ASSERT_TRUE(*facts);
  EXPECT_EQ((*facts)->architecture, host_platform().architecture);
  EXPECT_THAT((*facts)->interpreter, StartsWith("/lib"));
  EXPECT_THAT((*facts)->needed, Contains("libc.so.6"));
}

TEST_F(ProgramsTest, AreToldFromOtherFiles) {
  for (const std::string text : {"#!/bin/sh\nexit 0\n", "",
                                 "\x7f"
                                 "EL"}) {
    write(text);
    const auto facts = read_elf(path_);
    ASSERT_TRUE(facts);
    EXPECT_FALSE(*facts);
  }
  EXPECT_FALSE(read_elf(path_.string() + "-not-there"));
}

TEST_F(ProgramsTest, ScriptsNameWhatRunsThem) {
  const std::pair<std::string, std::string> rows[] = {{"#!/bin/sh\nexit 0\n", "/bin/sh"},
                                                      {"#! /usr/bin/env -S node --harmony", "/usr/bin/env"},
                                                      {"#!/bin/sh\r\n", "/bin/sh"},
                                                      {"#!", ""},
                                                      {"#!\n/bin/sh\n", ""},
                                                      {"# !/bin/sh\n", ""},
                                                      {"", ""}};
  for (const auto& [text, interpreter] : rows) {
    write(text);
    EXPECT_EQ(script_interpreter(path_), interpreter) << text;
  }
  EXPECT_EQ(script_interpreter(path_.string() + "-not-there"), "");
}

TEST_F(ProgramsTest, AreDamagedWhenCut) {
  auto program = *drain_program("amd64");
  program.resize(70);
  write(program);
  EXPECT_FALSE(read_elf(path_));
}

TEST_F(ProgramsTest, OfOtherMachinesAreNamed) {
  write(*drain_program("arm64"));
  const auto facts = read_elf(path_);
  ASSERT_TRUE(facts && *facts);
  EXPECT_EQ((*facts)->architecture, "arm64");
  EXPECT_THAT((*facts)->interpreter, IsEmpty());
}

TEST_F(ProgramsTest, TheDrainWaitsForSoManySeconds) {
  const auto program = drain_program(host_platform().architecture);
  if (!program) {
    GTEST_SKIP() << "no drain program for this machine";
  }
  EXPECT_LT(program->size(), 300u);
  write(*program);
  const auto run = [&](const std::string& arguments) {
    const auto began = std::chrono::steady_clock::now();
    const auto status = std::system((path_.string() + arguments).c_str());
    return std::pair(WEXITSTATUS(status), std::chrono::steady_clock::now() - began);
  };
  EXPECT_EQ(run("").first, 2);
  EXPECT_EQ(run(" 1 2").first, 2);
  EXPECT_EQ(run(" 0").first, 0);
  const auto [code, elapsed] = run(" 1");
  EXPECT_EQ(code, 0);
  EXPECT_GE(elapsed, std::chrono::seconds(1));
  EXPECT_LT(elapsed, std::chrono::seconds(8));
}

TEST_F(ProgramsTest, TheDrainIsThereForTwoMachines) {
  EXPECT_TRUE(drain_program("amd64"));
  EXPECT_TRUE(drain_program("arm64"));
  EXPECT_FALSE(drain_program("s390x"));
}

}  // namespace
}  // namespace deployctl::native
