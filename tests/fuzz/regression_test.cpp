// Every file of the corpus, and every prefix of it, through its fuzz target: no clang needed.
#include "tests/fuzz/targets.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace deployctl::fuzz {
namespace {

void run_corpus(const std::string& name, void (*target)(std::string_view)) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DEPLOYCTL_SOURCE_DIR "/tests/fuzz/corpus/" + name)) {
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    const auto text = bytes.str();
    for (std::size_t length = 0; length <= std::min<std::size_t>(text.size(), 400); ++length) {
      target(std::string_view(text).substr(0, length));
    }
    target(text);
    ++files;
  }
  EXPECT_GT(files, 0);
}

TEST(Corpus, of_yaml_is_survived) {
  run_corpus("yaml", yaml);
}

TEST(Corpus, of_url_is_survived) {
  run_corpus("url", url);
}

TEST(Corpus, of_json_is_survived) {
  run_corpus("json", json);
}

}  // namespace
}  // namespace deployctl::fuzz
