#include "logging/logger.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <regex>
#include <vector>

namespace logging {
namespace {

class Log : public testing::Test {
 protected:
  Logger logger(Level least) {
    return {least, [this](std::string_view line) { lines.emplace_back(line); }};
  }
  std::vector<std::string> lines;
};

TEST_F(Log, line_is_one_json_object_with_time_level_message_and_fields_in_order) {
  auto log = logger(Level::info);
  log.info("request", {{"trace_id", "abc"}, {"status", std::int64_t{200}}, {"duration_ms", 1.5}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(std::regex_match(
      lines[0], std::regex(R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","level":"info","message":"request",)"
                           R"("trace_id":"abc","status":200,"duration_ms":1.5\}\n)")))
      << lines[0];
}

TEST_F(Log, below_the_least_level_is_not_written) {
  auto log = logger(Level::warn);
  log.debug("no");
  log.info("no");
  log.warn("yes");
  log.error("yes");
  EXPECT_EQ(lines.size(), 2U);
}

TEST_F(Log, stays_one_line_of_valid_json_whatever_it_is_given) {
  auto log = logger(Level::info);
  log.info("a\nb", {{"path", "/\xff\"\\\r\n\x01"}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].find('\n'), lines[0].size() - 1);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["message"], "a\nb");
}

TEST(Level, is_parsed_from_its_name) {
  for (const auto level : {Level::debug, Level::info, Level::warn, Level::error}) {
    EXPECT_EQ(parse_level(to_string(level)), level);
  }
  EXPECT_EQ(parse_level("warning"), std::nullopt);
}

}  // namespace
}  // namespace logging
