// What clients cannot do to the service: send too much, too slowly, or nonsense.
#include "support/service.hpp"

#include <gtest/gtest.h>

namespace integration {
namespace {

using namespace std::chrono_literals;

class Limits : public testing::Test {
 protected:
  const Service service{
      {{"MAX_BODY_BYTES", "4Ki"}, {"MAX_HEADER_BYTES", "2Ki"}, {"READ_TIMEOUT", "300ms"}, {"IDLE_TIMEOUT", "1500ms"}}};
  Client client{service.port()};

  Answer raw(std::string_view bytes) {
    client.send(bytes);
    return client.receive();
  }
  void expect_refused(const Answer& answer, int status, int code) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.json()["code"], code);
    EXPECT_TRUE(answer.closes());
    EXPECT_TRUE(answer.fields.contains("x-trace-id"));
    EXPECT_TRUE(client.is_closed_within(5s));
    EXPECT_EQ(get(service.port(), "/health").status, 200);
  }
};

TEST_F(Limits, hold_for_a_body_whose_length_is_announced) {
  client.send("POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500000\r\n\r\n");
  client.send(std::string(500000, ' '));
  expect_refused(client.receive(), 413, 41300);
}

TEST_F(Limits, hold_for_a_body_that_comes_in_chunks) {
  client.send("POST /users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int count = 0; count < 5; ++count) {
    client.send("400\r\n" + std::string(1024, ' ') + "\r\n");
  }
  expect_refused(client.receive(), 413, 41300);
}

TEST_F(Limits, allow_a_body_up_to_them) {
  EXPECT_EQ(client.ask("POST", "/users", {}, std::string(4096, ' ')).json()["code"], 40003);
}

TEST_F(Limits, hold_for_the_header) {
  expect_refused(raw("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(4096, 'a') + "\r\n\r\n"), 431, 43100);
}

TEST_F(Limits, hold_for_the_time_a_header_takes) {
  client.send("GET /health HTTP/1.1\r\nHost:");
  expect_refused(client.receive(), 408, 40800);
}

TEST_F(Limits, hold_for_the_time_a_body_takes) {
  client.send("POST /users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  expect_refused(client.receive(), 408, 40800);
}

TEST_F(Limits, hold_for_a_client_that_sends_byte_by_byte) {
  try {
    const std::string request = "GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    for (const char byte : request) {
      client.send({&byte, 1});
      std::this_thread::sleep_for(20ms);
    }
  } catch (const ConnectionLost&) {
  }
  EXPECT_EQ(client.receive().status, 408);
}

TEST_F(Limits, end_a_connection_on_which_nothing_comes) {
  EXPECT_FALSE(client.is_closed_within(200ms));
  EXPECT_TRUE(client.is_closed_within(5s));
}

TEST_F(Limits, end_a_kept_connection_on_which_nothing_more_comes) {
  EXPECT_EQ(client.get("/health").status, 200);
  EXPECT_TRUE(client.is_closed_within(5s));
}

TEST_F(Limits, do_not_count_the_pause_between_two_requests_as_slowness) {
  EXPECT_EQ(client.get("/health").status, 200);
  std::this_thread::sleep_for(600ms);  // longer than a request may take, shorter than a connection may be idle
  EXPECT_EQ(client.get("/health").status, 200);
}

TEST_F(Limits, are_told_before_the_body_to_a_client_that_asks) {
  client.send(
      "POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
  client.send("{}");
  EXPECT_EQ(client.receive().status, 400);
  client.send("POST /users HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 413);
}

TEST_F(Limits, refuse_what_is_not_http) {
  expect_refused(raw("\x16\x03\x01 this is TLS\r\n\r\n"), 400, 40000);
}

TEST_F(Limits, refuse_a_request_without_a_host) {
  expect_refused(raw("GET / HTTP/1.1\r\n\r\n"), 400, 40000);
}

TEST_F(Limits, refuse_a_request_with_two_lengths) {
  expect_refused(
      raw("POST /users HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400,
      40000);
}

TEST_F(Limits, refuse_a_target_that_is_not_a_path) {
  expect_refused(raw("GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n"), 400, 40000);
}

TEST_F(Limits, are_not_passed_by_a_client_that_goes_away) {
  {
    Client gone(service.port());
    gone.send("POST /users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  }
  EXPECT_EQ(client.get("/health").status, 200);
}

}  // namespace
}  // namespace integration
