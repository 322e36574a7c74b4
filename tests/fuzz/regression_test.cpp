// Every file of the corpus, and every prefix of it, through its fuzz target: no clang needed.
#include "tests/fuzz/targets.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace deployctl::fuzz {
namespace {

class Corpus : public ::testing::TestWithParam<Target> {};

TEST_P(Corpus, IsSurvived) {
  const auto directory = DEPLOYCTL_SOURCE_DIR "/tests/fuzz/corpus/" + std::string(GetParam().name);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    const auto text = bytes.str();
    for (std::size_t length = 0; length <= std::min<std::size_t>(text.size(), 400); ++length) {
      GetParam().function(std::string_view(text).substr(0, length));
    }
    GetParam().function(text);
    ++files;
  }
  EXPECT_GT(files, 0);
}

INSTANTIATE_TEST_SUITE_P(Of, Corpus, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace deployctl::fuzz
