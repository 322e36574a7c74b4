#include "http/envelope.hpp"
#include "http/message.hpp"
#include "http/text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace http {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

TEST(Headers, are_found_without_regard_to_case) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  EXPECT_EQ(headers.find("content-type"), "text/plain");
  EXPECT_EQ(headers.find("Content"), std::nullopt);
  headers.set("CONTENT-TYPE", "application/json");
  EXPECT_EQ(headers.find("Content-Type"), "application/json");
  EXPECT_EQ(std::distance(headers.begin(), headers.end()), 1);
}

TEST(Percent_encoding, is_decoded_or_refused) {
  EXPECT_EQ(percent_decoded("a%20b%2fc"), "a b/c");
  EXPECT_EQ(percent_decoded("a+b"), "a+b");
  for (const char* broken : {"%", "%2", "%g0", "%00", "a%"}) {
    EXPECT_EQ(percent_decoded(broken), std::nullopt) << broken;
  }
}

TEST(Query_value, is_the_first_of_its_name) {
  EXPECT_EQ(query_value("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(query_value("a=1&b=2", "b"), "2");
  EXPECT_EQ(query_value("a+b=x+y%21", "a b"), "x y!");
  EXPECT_EQ(query_value("flag&b=", "flag"), "");
  EXPECT_EQ(query_value("flag&b=", "b"), "");
  EXPECT_EQ(query_value("a=1", "c"), std::nullopt);
  EXPECT_EQ(query_value("", "a"), std::nullopt);
  EXPECT_EQ(query_value("a=%zz", "a"), std::nullopt);
}

TEST(Target, is_a_path_and_a_query_in_origin_or_absolute_form) {
  const struct {
    const char* text;
    const char* path;
    const char* query;
  } rows[] = {
      {"/", "/", ""},
      {"/a?b=c", "/a", "b=c"},
      {"/a?", "/a", ""},
      {"/a?b?c", "/a", "b?c"},
      {"http://host:80/a?b", "/a", "b"},
      {"HTTP://host", "/", ""},
      {"http://host?b", "/", "b"},
  };
  for (const auto& row : rows) {
    const auto target = parse_target(row.text);
    ASSERT_TRUE(target) << row.text;
    EXPECT_EQ(target->path, row.path) << row.text;
    EXPECT_EQ(target->query, row.query) << row.text;
  }
  EXPECT_FALSE(parse_target("*"));
  EXPECT_FALSE(parse_target("host:443"));
  EXPECT_FALSE(parse_target(""));
}

TEST(Times, are_written_as_http_and_as_iso_8601) {
  const system_clock::time_point time{milliseconds(784111777123)};
  EXPECT_EQ(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(iso_time(time), "1994-11-06T08:49:37.123Z");
}

TEST(Envelope, says_code_0_when_it_is_done) {
  const Response response = success(201, {});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "{\"code\":0,\"msg\":\"ok\",\"data\":null}\n");
  EXPECT_EQ(response.headers.find("Content-Type"), "application/json; charset=utf-8");
}

TEST(Envelope, of_an_error_has_its_status_its_code_its_fields_and_its_headers) {
  const Response response = failure(error::ApiError(error::Code::validation_failed, "some fields are not valid")
                                        .with_fields({{.field = "name", .reason = "is required"}})
                                        .with_header("Allow", "GET"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(
      response.body,
      R"({"code":40001,"msg":"some fields are not valid","data":{"errors":[{"field":"name","reason":"is required"}]}})"
      "\n");
  EXPECT_EQ(response.headers.find("Allow"), "GET");
}

TEST(Envelope, replaces_bytes_that_are_no_utf_8) {
  const Response response = failure(error::ApiError(error::Code::malformed_request, "what is \xff?"));
  EXPECT_EQ(response.body, "{\"code\":40000,\"msg\":\"what is \xEF\xBF\xBD?\",\"data\":null}\n");
}

}  // namespace
}  // namespace http
