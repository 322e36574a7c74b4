#include "core/http/retry.hpp"

#include "core/http/trace.hpp"
#include "tests/support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace deployctl::http {
namespace {

using namespace std::chrono_literals;
using base::Error;
using base::Result;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::FakeClock;

Response status(int code, Headers headers = {}) {
  return {.status = code, .headers = std::move(headers), .body = {}};
}

class Scripted final : public Transport {
 public:
  explicit Scripted(std::deque<Result<Response>> answers) : answers_(std::move(answers)) {}
  Result<Response> send(const Request&, const Exchange&) override {
    ++requests;
    auto answer = answers_.front();
    if (answers_.size() > 1) {
      answers_.pop_front();
    }
    return answer;
  }
  int requests = 0;

 private:
  std::deque<Result<Response>> answers_;
};

RetryPolicy steady() {
  RetryPolicy policy;
  policy.jitter = 0;
  return policy;
}

TEST(Outcome, IsDecidedByStatusAndError) {
  EXPECT_EQ(outcome_of(status(200)), Outcome::final);
  for (const int code : {400, 401, 403, 404, 405, 409, 413, 415, 422, 501}) {
    EXPECT_EQ(outcome_of(status(code)), Outcome::final) << code;
  }
  for (const int code : {408, 499, 500, 502, 503, 504, 522}) {
    EXPECT_EQ(outcome_of(status(code)), Outcome::transient) << code;
  }
  EXPECT_EQ(outcome_of(status(429)), Outcome::throttled);
  EXPECT_EQ(outcome_of(status(503, {{"Retry-After", "1"}})), Outcome::throttled);
  EXPECT_EQ(outcome_of(Error::unreachable("x")), Outcome::transient);
  EXPECT_EQ(outcome_of(Error::interrupted()), Outcome::final);
  EXPECT_EQ(outcome_of(Error::failed("x")), Outcome::final);
}

TEST(RetryAfter, IsSecondsOrADate) {
  const auto now = *parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  const auto read = [&](std::string value) { return retry_after({{"Retry-After", std::move(value)}}, now); };
  EXPECT_EQ(read("3"), 3s);
  EXPECT_EQ(read("0"), 0s);
  EXPECT_EQ(read("-1"), std::nullopt);
  EXPECT_EQ(read("soon"), std::nullopt);
  EXPECT_EQ(read("99999999999999999999"), std::nullopt);
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:50:37 GMT"), 60s);
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:00:00 GMT"), std::nullopt);
  EXPECT_EQ(retry_after({}, now), std::nullopt);
}

TEST(HttpDate, HasThreeForms) {
  const auto expected = io::WallTime(784111777s);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), expected);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), expected);
  for (const auto* text :
       {"", "Sun", "Sun, 06 Nov 1994", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 28:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "a b c d e f"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

TEST(Backoff, DoublesWithinItsBoundsAndVariesByItsJitter) {
  RetryPolicy policy;
  EXPECT_EQ(backoff(policy, 1, 0.5), 1s);
  EXPECT_EQ(backoff(policy, 2, 0.5), 2s);
  EXPECT_EQ(backoff(policy, 4, 0.5), 8s);
  EXPECT_EQ(backoff(policy, 1, 0.0), 800ms);
  EXPECT_EQ(backoff(policy, 50, 0.5), policy.longest_wait);
}

TEST(RetryingTransport, RepeatsWhatIsTransientAndStopsAtSuccess) {
  Scripted server({Error::unreachable("connection refused"), status(502), status(200)});
  FakeClock clock;
  std::vector<std::string> reasons;
  RetryingTransport transport(server, clock, steady(),
                              [&](const Request&, const Retry& retry) { reasons.push_back(retry.reason); });
  const auto answer = transport.send({});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(clock.sleeps(), ElementsAre(1s, 2s));
  EXPECT_THAT(reasons, ElementsAre("connection refused", "status 502"));
}

TEST(RetryingTransport, GivesTheLastAnswerAfterItsAttempts) {
  Scripted server({status(503)});
  FakeClock clock;
  RetryingTransport transport(server, clock, steady());
  EXPECT_EQ(transport.send({})->status, 503);
  EXPECT_EQ(server.requests, 5);
}

TEST(RetryingTransport, WaitsAsLongAsTheServerAsks) {
  Scripted server({status(429, {{"Retry-After", "7"}}), status(200)});
  FakeClock clock;
  RetryingTransport transport(server, clock, steady());
  EXPECT_EQ(transport.send({})->status, 200);
  EXPECT_THAT(clock.sleeps(), ElementsAre(7s));
}

TEST(RetryingTransport, DoesNotWaitLongerThanItsPolicy) {
  Scripted server({status(429, {{"Retry-After", "3600"}})});
  FakeClock clock;
  RetryingTransport transport(server, clock, steady());
  EXPECT_EQ(transport.send({})->status, 429);
  EXPECT_THAT(clock.sleeps(), IsEmpty());
}

TEST(RetryingTransport, KeepsItsBudget) {
  Scripted server({Error::unreachable("x")});
  FakeClock clock;
  auto policy = steady();
  policy.budget = 4s;
  RetryingTransport transport(server, clock, policy);
  EXPECT_FALSE(transport.send({}));
  EXPECT_THAT(clock.sleeps(), ElementsAre(1s, 2s));
}

TEST(RetryingTransport, RepeatsAPostOnlyWhenItWasNotTaken) {
  Request post;
  post.method = "POST";
  FakeClock clock;
  Scripted broken({Error::unreachable("x"), status(200)});
  EXPECT_FALSE(RetryingTransport(broken, clock, steady()).send(post));
  Scripted throttled({status(429), status(200)});
  EXPECT_EQ(RetryingTransport(throttled, clock, steady()).send(post)->status, 200);
}

TEST(RetryingTransport, DoesNotRepeatABrokenStream) {
  Scripted server({Error::unreachable("x"), status(200)});
  FakeClock clock;
  Exchange exchange;
  exchange.sink.on_body = [](std::string_view) { return base::Status(); };
  EXPECT_FALSE(RetryingTransport(server, clock, steady()).send({}, exchange));
}

TEST(RetryingTransport, EndsWhenItIsStopped) {
  Scripted server({Error::unreachable("x")});
  FakeClock clock;
  std::stop_source stop;
  stop.request_stop();
  Exchange exchange;
  exchange.stop = stop.get_token();
  const auto answer = RetryingTransport(server, clock, steady()).send({}, exchange);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::interrupted);
}

TEST(TracingTransport, WritesNeitherQueryNorUserinfoNorFields) {
  Scripted server({status(201)});
  FakeClock clock;
  std::vector<std::string> lines;
  TracingTransport transport(server, clock, [&](std::string_view line) { lines.emplace_back(line); });
  Request request;
  request.method = "PUT";
  request.url = *base::Url::parse("https://user:pass@r.example/v2/a/blobs/uploads/1?_state=secret");
  request.headers.set("Authorization", "Bearer secret");
  request.body = body_of("12345");
  ASSERT_TRUE(transport.send(request));
  EXPECT_THAT(lines, ElementsAre("PUT https://r.example/v2/a/blobs/uploads/1 (5 B)",
                                 "PUT https://r.example/v2/a/blobs/uploads/1 (5 B): status 201 after 0 ms"));
}

}  // namespace
}  // namespace deployctl::http
