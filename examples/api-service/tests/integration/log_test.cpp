// What the service logs.
#include "support/service.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace integration {
namespace {

using nlohmann::json;

// The line about the request with this trace id; null when it never comes.
json request_line(const Service& service, const std::string& trace_id) {
  json found;
  eventually([&] {
    for (const auto& line : service.log()) {
      if (line["message"] == "request" && line["trace_id"] == trace_id) {
        found = line;
      }
    }
    return !found.is_null();
  });
  return found;
}

TEST(Log, has_a_line_of_json_for_every_request_under_the_trace_id_of_its_answer) {
  const Service service(Environment{{"LOG_LEVEL", "debug"}});
  for (const char* path : {"/api/hello", "/health", "/nope", "/users/x", "/users/%ff%22"}) {
    const auto answer = get(service.port(), path);
    const auto line = request_line(service, answer.fields.at("x-trace-id"));
    ASSERT_FALSE(line.is_null()) << path;
    EXPECT_EQ(line["status"], answer.status);
    EXPECT_EQ(line["path"], path);
    EXPECT_EQ(line["method"], "GET");
    EXPECT_TRUE(line["duration_ms"].is_number());
    EXPECT_TRUE(line["level"].is_string());
    EXPECT_EQ(line["time"].get<std::string>().size(), std::string("2026-03-01T12:00:00.123Z").size());
  }
}

TEST(Log, follows_the_trace_id_of_the_client) {
  const Service service;
  EXPECT_EQ(get(service.port(), "/api/hello", {{"x-trace-id", "order-7"}}).fields.at("x-trace-id"), "order-7");
  EXPECT_EQ(request_line(service, "order-7")["path"], "/api/hello");
  const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(get(service.port(), "/api/hello", {{"traceparent", parent}}).fields.at("x-trace-id"),
            "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(Log, has_a_line_for_a_request_that_could_not_be_read) {
  const Service service;
  Client client(service.port());
  client.send("nonsense\r\n\r\n");
  const auto answer = client.receive();
  EXPECT_EQ(request_line(service, answer.fields.at("x-trace-id"))["status"], 400);
}

TEST(Log, leaves_out_what_is_below_its_level) {
  const Service service(Environment{{"LOG_LEVEL", "info"}});
  get(service.port(), "/health", {{"x-trace-id", "probe"}});
  get(service.port(), "/api/hello", {{"x-trace-id", "call"}});
  EXPECT_FALSE(request_line(service, "call").is_null());
  for (const auto& line : service.log()) {
    EXPECT_NE(line.value("trace_id", ""), "probe");
  }
}

}  // namespace
}  // namespace integration
