// The transports against servers that behave badly on purpose; everything goes over 127.0.0.1.
#include "core/platform/curl_transport.hpp"
#include "core/platform/file_body.hpp"
#include "core/platform/plain_transport.hpp"
#include "core/platform/system_transport.hpp"
#include "tests/support/loopback_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

namespace deployctl::platform {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using tests::Connection;
using tests::LoopbackServer;
using tests::ReceivedRequest;

http::Request get(const std::string& url) {
  http::Request request;
  request.url = *base::Url::parse(url);
  return request;
}

http::Request put(const std::string& url, std::string body) {
  auto request = get(url);
  request.method = "PUT";
  request.body = http::body_of(std::move(body));
  return request;
}

std::chrono::milliseconds elapsed_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

void echo_all(Connection& connection) {
  while (const auto request = connection.read_request()) {
    connection.answer(200, request->method + " " + request->target + " " + request->body);
  }
}

// A port nobody listens on.
int free_port() {
  LoopbackServer server([](Connection&) {});
  return server.port();
}

template <typename Transport>
class EachTransport : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }
};

using Transports = ::testing::Types<CurlTransport, PlainTransport>;
TYPED_TEST_SUITE(EachTransport, Transports);

TYPED_TEST(EachTransport, AnswersWithStatusFieldsAndBody) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.answer(404, "no such thing", "X-One: 1\r\nx-one: 2\r\nX-Empty:\r\n");
  });
  TypeParam transport;
  const auto answer = transport.send(get(server.url("/a?b=c")));
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "no such thing");
  EXPECT_THAT(answer->headers.all("X-ONE"), ElementsAre("1", "2"));
  EXPECT_EQ(answer->headers.get("x-empty"), "");
}

TYPED_TEST(EachTransport, KeepsTheConnectionForTheNextRequest) {
  LoopbackServer server(echo_all);
  TypeParam transport;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(transport.send(get(server.url())));
  }
  EXPECT_EQ(server.connections(), 1);
}

TYPED_TEST(EachTransport, UsesOneConnectionForEachRequestAtTheSameTime) {
  LoopbackServer server([](Connection& connection) {
    while (connection.read_request()) {
      std::this_thread::sleep_for(50ms);
      connection.answer(200, "");
    }
  });
  TypeParam transport;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] { EXPECT_TRUE(transport.send(get(server.url()))); });
    }
  }
  EXPECT_EQ(server.connections(), 4);
  EXPECT_TRUE(transport.send(get(server.url())));
  EXPECT_EQ(server.connections(), 4);
}

TYPED_TEST(EachTransport, OpensAConnectionWhenANewOneIsWanted) {
  LoopbackServer server(echo_all);
  TypeParam transport;
  ASSERT_TRUE(transport.send(get(server.url())));
  auto request = get(server.url());
  request.on_new_connection = true;
  ASSERT_TRUE(transport.send(request));
  EXPECT_EQ(server.connections(), 2);
}

TYPED_TEST(EachTransport, SendsABodyAgainWhenAKeptConnectionWasClosed) {
  LoopbackServer server([](Connection& connection) {
    const auto request = connection.read_request();
    connection.answer(200, request ? request->body : "nothing");
  });
  TypeParam transport;
  ASSERT_TRUE(transport.send(put(server.url(), "first")));
  std::this_thread::sleep_for(20ms);
  const auto answer = transport.send(put(server.url(), "second"));
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->body, "second");
}

TYPED_TEST(EachTransport, LeavesItToTheCallerToRepeatAnUploadThatBroke) {
  std::atomic<int> uploads = 0;
  LoopbackServer server([&](Connection& connection) {
    while (const auto request = connection.read_head()) {
      if (request->target == "/breaks") {
        ++uploads;
        connection.read_bytes(1 << 20);
        return connection.reset_on_close();
      }
      connection.answer(200, "");
    }
  });
  TypeParam transport;
  ASSERT_TRUE(transport.send(get(server.url())));
  const auto answer = transport.send(put(server.url("/breaks"), std::string(16 << 20, 'x')));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message,
            "cannot reach " + server.authority() + ": the connection broke while sending: the connection was reset");
  EXPECT_EQ(uploads, 1);
}

TYPED_TEST(EachTransport, WaitsWhileTheKernelStillSends) {
  LoopbackServer server(
      [](Connection& connection) {
        const auto request = connection.read_head();
        for (int i = 0; i < 15; ++i) {
          connection.read_bytes(256u << 10u);
          std::this_thread::sleep_for(50ms);
        }
        connection.read_bytes((4u << 20u) - 15 * (256u << 10u));
        connection.answer(201, "");
      },
      64 << 10);
  TypeParam transport;
  auto request = put(server.url(), std::string(4 << 20, 'x'));
  request.timeouts.stall = 300ms;
  const auto answer = transport.send(request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->status, 201);
}

TYPED_TEST(EachTransport, SaysContentLengthZeroForAnEmptyPost) {
  std::string length;
  std::string type = "none";
  LoopbackServer server([&](Connection& connection) {
    const auto request = connection.read_request();
    length = request->headers.at("content-length");
    type = request->headers.contains("content-type") ? request->headers.at("content-type") : "none";
    connection.answer(202, "");
  });
  TypeParam transport;
  auto request = get(server.url());
  request.method = "POST";
  ASSERT_TRUE(transport.send(request));
  EXPECT_EQ(length, "0");
  EXPECT_EQ(type, "none");
}

TYPED_TEST(EachTransport, NeverAsksForPermissionToSendABody) {
  ReceivedRequest seen;
  LoopbackServer server([&](Connection& connection) {
    seen = *connection.read_request();
    connection.answer(201, "");
  });
  TypeParam transport({.user_agent = "deployctl/1"});
  auto request = put(server.url(), std::string(3 << 20, 'x'));
  request.headers.set("Content-Type", "application/octet-stream");
  ASSERT_TRUE(transport.send(request));
  EXPECT_FALSE(seen.headers.contains("expect"));
  EXPECT_FALSE(seen.headers.contains("transfer-encoding"));
  EXPECT_EQ(seen.headers["user-agent"], "deployctl/1");
  EXPECT_EQ(seen.headers["content-type"], "application/octet-stream");
  EXPECT_EQ(seen.body.size(), 3u << 20u);
}

TYPED_TEST(EachTransport, DoesNotFollowRedirects) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.answer(307, "", "Location: /elsewhere\r\n");
  });
  TypeParam transport;
  const auto answer = transport.send(get(server.url()));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 307);
  EXPECT_EQ(answer->headers.get("Location"), "/elsewhere");
}

TYPED_TEST(EachTransport, ReportsARefusalThatCameBeforeTheWholeBodyWasSent) {
  LoopbackServer server([](Connection& connection) {
    connection.read_head();
    connection.answer(413, "too large", "Connection: close\r\n");
    connection.reset_on_close();
    std::this_thread::sleep_for(10ms);
  });
  TypeParam transport;
  const auto answer = transport.send(put(server.url(), std::string(64 << 20, 'x')));
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->body, "too large");
}

TYPED_TEST(EachTransport, GivesPiecesToTheSinkAfterTheFields) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    std::this_thread::sleep_for(30ms);
    connection.write("3\r\ntwo\r\n0\r\n\r\n");
  });
  TypeParam transport;
  std::vector<std::string> seen;
  http::Exchange exchange;
  exchange.sink.on_headers = [&](const http::Response& response) {
    seen.push_back("status " + std::to_string(response.status));
    return base::Status();
  };
  exchange.sink.on_body = [&](std::string_view piece) {
    seen.emplace_back(piece);
    return base::Status();
  };
  const auto answer = transport.send(get(server.url()), exchange);
  ASSERT_TRUE(answer);
  EXPECT_THAT(seen, ElementsAre("status 200", "one", "two"));
  EXPECT_EQ(answer->body, "");
}

TYPED_TEST(EachTransport, KeepsTheBodyOfARefusalFromTheSink) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.answer(410, "expired");
  });
  TypeParam transport;
  http::Exchange exchange;
  exchange.sink.on_body = [&](std::string_view) -> base::Status { return base::Error::failed("not expected"); };
  const auto answer = transport.send(get(server.url()), exchange);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 410);
  EXPECT_EQ(answer->body, "expired");
}

TYPED_TEST(EachTransport, EndsWithTheSinksError) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.answer(200, std::string(1 << 20, 'x'));
  });
  TypeParam transport;
  http::Exchange exchange;
  exchange.sink.on_body = [&](std::string_view) -> base::Status { return base::Error::failed("disk full"); };
  const auto answer = transport.send(get(server.url()), exchange);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "disk full");
}

TYPED_TEST(EachTransport, RefusesABodyAboveItsLimitAndCutsARefusalAtIt) {
  int status = 200;
  LoopbackServer server([&](Connection& connection) {
    connection.read_request();
    connection.answer(status, std::string(200'000, 'x'));
  });
  TypeParam transport;
  auto request = get(server.url("/big"));
  request.max_body_bytes = 1000;
  const auto answer = transport.send(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::failed);
  EXPECT_EQ(answer.error().message, "the answer of " + server.authority() + " to GET http://" + server.authority() +
                                        "/big is longer than 1000 B");
  status = 500;
  const auto refusal = transport.send(request);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 500);
  EXPECT_EQ(refusal->body.size(), 1000u);
}

TYPED_TEST(EachTransport, RefusesEndlessHeaderFields) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 5000; ++i) {
      connection.write("X-Field-" + std::to_string(i) + ": " + std::string(200, 'x') + "\r\n");
    }
    connection.stall();
  });
  TypeParam transport;
  const auto answer = transport.send(get(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, server.authority() + " sent more than 256.0 KiB of header fields");
}

TEST(CurlTransport, RefusesAnEndlessHeaderField) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nX-Filler: " + std::string(2'000'000, 'x'));
    connection.stall();
  });
  CurlTransport transport;
  const auto answer = transport.send(get(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::failed);
  EXPECT_EQ(answer.error().message, server.authority() + " sent a header field that is too long");
}

struct Broken {
  const char* name;
  std::function<void(Connection&)> server;
  base::ErrorCode code;
  const char* message;  // after the host and port
};

class BrokenServer : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenServer, IsNamedWithAPlainCause) {
  CurlTransport curl;
  PlainTransport plain;
  for (http::Transport* transport : {static_cast<http::Transport*>(&curl), static_cast<http::Transport*>(&plain)}) {
    LoopbackServer server(GetParam().server);
    auto request = get(server.url());
    request.timeouts.stall = 200ms;
    const auto answer = transport->send(request);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, GetParam().code);
    const auto message = to_string(answer.error());
    EXPECT_THAT(message, HasSubstr(server.authority()));
    EXPECT_THAT(message, ::testing::EndsWith(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Servers, BrokenServer,
    ::testing::Values(Broken{"closes", [](Connection& connection) { connection.read_request(); },
                             base::ErrorCode::unreachable, "the server closed the connection without an answer"},
                      Broken{"cuts",
                             [](Connection& connection) {
                               connection.read_request();
                               connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
                             },
                             base::ErrorCode::unreachable, "the answer ended early"},
                      Broken{"resets",
                             [](Connection& connection) {
                               connection.read_request();
                               connection.reset_on_close();
                             },
                             base::ErrorCode::unreachable,
                             "the connection broke while receiving: the connection was reset"},
                      Broken{"garbage",
                             [](Connection& connection) {
                               connection.read_request();
                               connection.write("SSH-2.0-OpenSSH_9.2\r\n\r\n");
                             },
                             base::ErrorCode::failed, "answered with something that is not HTTP"},
                      Broken{"stalls",
                             [](Connection& connection) {
                               connection.read_request();
                               connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
                               connection.stall();
                             },
                             base::ErrorCode::unreachable, "timed out: nothing moved for 200ms"},
                      Broken{"silent", [](Connection& connection) { connection.stall(); }, base::ErrorCode::unreachable,
                             "timed out: nothing moved for 200ms"}),
    [](const auto& tested) { return tested.param.name; });

TYPED_TEST(EachTransport, NamesAPortNobodyListensOn) {
  TypeParam transport;
  const auto port = free_port();
  const auto answer = transport.send(get("http://127.0.0.1:" + std::to_string(port) + "/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::unreachable);
  EXPECT_EQ(answer.error().message, "cannot reach 127.0.0.1:" + std::to_string(port) + ": connection refused");
}

TEST(CurlTransport, NamesAHostThatDoesNotExist) {
  CurlTransport transport;
  const auto answer = transport.send(get("http://no-such-host.invalid/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::unreachable);
  EXPECT_EQ(answer.error().message, "cannot reach no-such-host.invalid:80: no such host");
}

TEST(CurlTransport, SaysSoWhenTheServerDoesNotSpeakTls) {
  LoopbackServer server([](Connection& connection) {
    connection.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.stall();
  });
  CurlTransport transport;
  const auto answer = transport.send(get("https://" + server.authority() + "/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message,
            "cannot reach " + server.authority() + ": the server does not speak TLS on this port");
  EXPECT_EQ(answer.error().hint, "is it a plain http:// server?");
}

TYPED_TEST(EachTransport, KeepsItsTotalTime) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
    for (int i = 0; i < 100; ++i) {
      connection.write("x");
      std::this_thread::sleep_for(20ms);
    }
  });
  TypeParam transport;
  auto request = get(server.url());
  request.timeouts.total = 150ms;
  const auto answer = transport.send(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, server.authority() + " timed out after 150ms");
}

TYPED_TEST(EachTransport, IsInterruptedAtOnceWhileNothingArrives) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.stall();
  });
  TypeParam transport;
  std::stop_source stop;
  http::Exchange exchange;
  exchange.stop = stop.get_token();
  std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  const auto answer = transport.send(get(server.url()), exchange);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::interrupted);
  EXPECT_LT(elapsed_since(start), 1s);
}

TYPED_TEST(EachTransport, RefusesALineBreakInAField) {
  TypeParam transport;
  auto request = get("http://127.0.0.1:1/");
  request.headers.add("X-Name", "one\r\nX-Other: two");
  const auto answer = transport.send(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "the header field X-Name holds a line break");
}

TEST(CurlTransport, GoesThroughTheProxyItIsGivenAndNamesIt) {
  std::string target;
  LoopbackServer proxy([&](Connection& connection) {
    const auto request = connection.read_request();
    target = request->target;
    connection.answer(200, "through");
  });
  CurlTransport transport;
  auto request = get("http://registry.invalid/v2/");
  request.proxy = proxy.url();
  const auto answer = transport.send(request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(target, "http://registry.invalid/v2/");
  request.proxy = "http://127.0.0.1:" + std::to_string(free_port());
  const auto lost = transport.send(request);
  ASSERT_FALSE(lost);
  EXPECT_THAT(lost.error().message, StartsWith("cannot reach registry.invalid:80 through the proxy 127.0.0.1:"));
}

TYPED_TEST(EachTransport, SendsAStretchOfAFile) {
  const auto path = ::testing::TempDir() + "/stretch";
  std::ofstream(path) << "0123456789";
  LoopbackServer server(echo_all);
  TypeParam transport;
  auto request = get(server.url());
  request.method = "PUT";
  const auto body = open_file_body(path, 2, 5);
  ASSERT_TRUE(body);
  request.body = *body;
  std::uint64_t sent = 0;
  http::Exchange exchange;
  exchange.on_upload = [&](std::uint64_t bytes) { sent = bytes; };
  const auto answer = transport.send(request, exchange);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "PUT / 23456");
  EXPECT_EQ(sent, 5u);
  EXPECT_FALSE(open_file_body(path, 8, 5));
  EXPECT_EQ(open_file_body(path + "-not-there").error().code, base::ErrorCode::not_found);
}

TYPED_TEST(EachTransport, SendsALargeFileWhole) {
  const auto path = ::testing::TempDir() + "/large-" + std::to_string(::getpid());
  std::string bytes(9 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>((i * 2654435761U) >> 13U);
  }
  std::ofstream(path) << bytes;
  std::string received;
  LoopbackServer server([&](Connection& connection) {
    received = connection.read_request()->body;
    connection.answer(201, "");
  });
  TypeParam transport;
  auto request = get(server.url());
  request.method = "PUT";
  request.body = *open_file_body(path);
  ASSERT_TRUE(transport.send(request));
  EXPECT_TRUE(received == bytes);
  ::unlink(path.c_str());
}

TYPED_TEST(EachTransport, TakesInformationalAnswersForWhatTheyAre) {
  LoopbackServer server([](Connection& connection) {
    while (connection.read_request()) {
      connection.write("HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n");
      connection.answer(204, "");
    }
  });
  TypeParam transport;
  for (int i = 0; i < 2; ++i) {
    const auto answer = transport.send(get(server.url()));
    ASSERT_TRUE(answer) << to_string(answer.error());
    EXPECT_EQ(answer->status, 204);
    EXPECT_FALSE(answer->headers.get("X-Early"));
  }
  EXPECT_EQ(server.connections(), 1);
}

TYPED_TEST(EachTransport, TakesNoBodyForTheAnswerToHead) {
  LoopbackServer server([](Connection& connection) {
    while (const auto request = connection.read_request()) {
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    }
  });
  TypeParam transport;
  auto request = get(server.url());
  request.method = "HEAD";
  for (int i = 0; i < 2; ++i) {
    const auto answer = transport.send(request);
    ASSERT_TRUE(answer) << to_string(answer.error());
    EXPECT_EQ(answer->headers.get("Content-Length"), "1000");
    EXPECT_EQ(answer->body, "");
  }
  EXPECT_EQ(server.connections(), 1);
}

TYPED_TEST(EachTransport, ReadsAnAnswerThatEndsWithTheConnection) {
  LoopbackServer server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.0 200 OK\r\n\r\nall of it");
  });
  TypeParam transport;
  for (int i = 0; i < 2; ++i) {
    const auto answer = transport.send(get(server.url()));
    ASSERT_TRUE(answer) << to_string(answer.error());
    EXPECT_EQ(answer->body, "all of it");
  }
}

TEST(PlainTransport, OpensConnectionsAheadOnlyToWhatIsFarAway) {
  LoopbackServer server(echo_all);
  PlainTransport transport;
  transport.prepare(get(server.url()), 8);
  ASSERT_TRUE(transport.send(get(server.url())));
  EXPECT_EQ(server.connections(), 1);
}

TEST(SystemTransport, CarriesWhatNeedsNeitherTlsNorALookUpByItself) {
  const std::pair<const char*, bool> rows[] = {
      {"http://127.0.0.1:5000/", true},    {"http://localhost/", true},         {"http://api.localhost/", true},
      {"http://[::1]:80/", true},          {"http://10.0.0.7:5000/", true},     {"https://127.0.0.1/", false},
      {"http://registry.example/", false}, {"http://127.0.0.1.example/", false}};
  for (const auto& [url, expected] : rows) {
    EXPECT_EQ(PlainTransport::can_carry(get(url)), expected) << url;
  }
}

TEST(SystemTransport, TakesTheProxyThatTheEnvironmentNames) {
  std::string target;
  LoopbackServer proxy([&](Connection& connection) {
    target = connection.read_request()->target;
    connection.answer(200, "");
  });
  SystemTransport transport({.http = proxy.url(), .https = {}, .excepted = {}}, "deployctl");
  ASSERT_TRUE(transport.send(get("http://192.0.2.1/v2/")));
  EXPECT_EQ(target, "http://192.0.2.1/v2/");
}

}  // namespace
}  // namespace deployctl::platform
