// What the API answers, over the wire.
#include "store/sqlite.hpp"
#include "support/service.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace integration {
namespace {

using nlohmann::json;

// One service for the tests of a suite: each makes the users it needs.
class Api : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    service = new Service(
        {{"GREETING", "Good day"}, {"APP_VERSION", "7.1"}, {"APP_COMMIT", "c0ffee"}, {"APP_BUILD_TIME", "t"}});
  }
  static void TearDownTestSuite() {
    delete service;
    service = nullptr;
  }

  static Answer get(const std::string& path, const Fields& fields = {}) {
    return integration::get(service->port(), path, fields);
  }
  static Answer post(const std::string& path, const json& body) { return Client(service->port()).post(path, body); }

  inline static Service* service = nullptr;
};

TEST_F(Api, hello_says_the_greeting_it_was_given) {
  const auto answer = get("/api/hello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(answer.body, "{\"code\":0,\"msg\":\"ok\",\"data\":{\"message\":\"Good day\",\"status\":\"success\"}}\n");
}

TEST_F(Api, makes_a_user_and_gives_it_back) {
  const auto made = post("/users", {{"name", "小明"}, {"email", "ming@example.cn"}, {"age", 30}});
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.json()["code"], 0);
  const auto user = made.json()["data"];
  EXPECT_EQ(made.fields.at("location"), "/users/" + user["id"].dump());

  const auto found = get("/users/" + user["id"].dump());
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.json()["data"], user);
  EXPECT_EQ(user["name"], "小明");
  EXPECT_EQ(user["email"], "ming@example.cn");
  EXPECT_EQ(user["age"], 30);
}

TEST_F(Api, refuses_a_second_user_with_the_same_email) {
  EXPECT_EQ(post("/users", {{"name", "A"}, {"email", "same@example.cn"}}).status, 201);
  const auto second = post("/users", {{"name", "B"}, {"email", "Same@example.cn"}});
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.json()["code"], 40900);
  EXPECT_EQ(second.json()["data"]["errors"], json::parse(R"([{"field":"email","reason":"is taken"}])"));
}

TEST_F(Api, names_every_field_that_is_wrong) {
  const auto answer = post("/users", {{"name", ""}, {"age", 200}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json(), json::parse(R"({"code":40001,"msg":"some fields are not valid","data":{"errors":[
    {"field":"name","reason":"must not be empty"},
    {"field":"email","reason":"is required"},
    {"field":"age","reason":"must be a whole number from 0 to 150"}]}})"));
}

TEST_F(Api, refuses_what_is_not_json) {
  Client client(service->port());
  const auto broken = client.ask("POST", "/users", {{"content-type", "application/json"}}, "{");
  EXPECT_EQ(broken.status, 400);
  EXPECT_EQ(broken.json()["code"], 40003);
  const auto form = client.ask("POST", "/users", {{"content-type", "application/x-www-form-urlencoded"}}, "name=A");
  EXPECT_EQ(form.status, 415);
  EXPECT_EQ(client.ask("POST", "/users", {{"content-type", "Application/JSON;charset=utf-8"}}, "{}").status, 400);
}

TEST_F(Api, tells_a_bad_id_from_an_unknown_one) {
  EXPECT_EQ(get("/users/abc").status, 400);
  EXPECT_EQ(get("/users/abc").json()["code"], 40002);
  EXPECT_EQ(get("/users/0").status, 400);
  EXPECT_EQ(get("/users/999999").status, 404);
  EXPECT_EQ(get("/users/999999").json()["code"], 40401);
}

TEST_F(Api, gives_the_profile_of_who_asks) {
  const auto user = post("/users", {{"name", "P"}, {"email", "profile@example.cn"}}).json()["data"];
  const auto id = user["id"].dump();
  EXPECT_EQ(get("/api/v1/users/profile", {{"x-user-id", id}}).json()["data"], user);
  EXPECT_EQ(get("/api/v1/users/profile?user_id=" + id).json()["data"], user);
  EXPECT_EQ(get("/api/v1/users/profile").status, 401);
  EXPECT_EQ(get("/api/v1/users/profile").json()["code"], 40100);
  EXPECT_EQ(get("/api/v1/users/profile", {{"x-user-id", "abc"}}).status, 400);
  EXPECT_EQ(get("/api/v1/users/profile", {{"x-user-id", "999999"}}).status, 404);
}

TEST_F(Api, answers_what_no_route_takes_in_the_same_shape) {
  EXPECT_EQ(get("/nope").status, 404);
  EXPECT_EQ(get("/nope").json(), json::parse(R"({"code":40400,"msg":"there is nothing at this path","data":null})"));
  const auto answer = Client(service->port()).ask("DELETE", "/users/1");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.json()["code"], 40500);
  EXPECT_EQ(answer.fields.at("allow"), "GET, HEAD");
}

TEST_F(Api, answers_head_like_get_without_the_body) {
  Client client(service->port());
  const auto head = client.ask("HEAD", "/api/hello");
  const auto full = client.get("/api/hello");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.fields.at("content-length"), full.fields.at("content-length"));
  EXPECT_EQ(head.fields.at("content-type"), full.fields.at("content-type"));
}

TEST_F(Api, is_alive_ready_and_knows_its_version) {
  EXPECT_EQ(get("/health").status, 200);
  EXPECT_EQ(get("/ready").json()["data"]["status"], "ready");
  EXPECT_EQ(get("/version").json()["data"], json::parse(R"({"version":"7.1","commit":"c0ffee","build_time":"t"})"));
}

TEST_F(Api, counts_what_it_answers) {
  const auto counted = [](const std::string& line) { return get("/metrics").body.find(line) != std::string::npos; };
  get("/metered/nowhere");
  get("/users/987654");
  EXPECT_EQ(get("/metrics").fields.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_TRUE(counted("http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} "));
  EXPECT_TRUE(counted("http_requests_total{method=\"GET\",route=\"/users/:id\",status=\"404\"} "));
  EXPECT_TRUE(counted("http_request_duration_seconds_bucket{method=\"GET\",route=\"/users/:id\",le=\"+Inf\"} "));
  EXPECT_TRUE(counted("http_requests_in_flight 1\n"));
  EXPECT_TRUE(counted("app_build_info{version=\"7.1\",commit=\"c0ffee\"} 1\n"));
  EXPECT_TRUE(counted("process_start_time_seconds "));
}

TEST_F(Api, keeps_a_connection_for_many_requests_until_asked_to_close_it) {
  Client client(service->port());
  for (int count = 0; count < 100; ++count) {
    const auto answer = client.get("/api/hello");
    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.closes());
  }
  EXPECT_TRUE(client.get("/api/hello", {{"connection", "close"}}).closes());
  EXPECT_TRUE(client.is_closed_within(std::chrono::seconds(5)));
}

TEST_F(Api, answers_requests_sent_at_once_in_their_order) {
  Client client(service->port());
  client.send(
      "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /api/hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().status, 404);
  EXPECT_EQ(client.receive().json()["data"]["message"], "Good day");
}

TEST_F(Api, lets_its_last_answer_arrive_although_more_was_sent) {
  Client client(service->port());
  std::string requests = "GET /api/hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (int count = 0; count < 100; ++count) {
    requests += "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client.send(requests);
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_TRUE(client.is_closed_within(std::chrono::seconds(5)));
}

TEST_F(Api, speaks_http_1_0) {
  Client client(service->port());
  client.send("GET /api/hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.receive().fields.at("connection"), "keep-alive");
  client.send("GET /api/hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_TRUE(client.is_closed_within(std::chrono::seconds(5)));
}

// A service on a database file that the test can reach too.
class Api_on_a_file : public testing::Test {
 protected:
  Api_on_a_file() {
    std::string pattern = (std::filesystem::temp_directory_path() / "api-file-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    path = folder / "users.db";
  }
  ~Api_on_a_file() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  std::string path;
};

TEST_F(Api_on_a_file, keeps_users_across_a_restart) {
  {
    const Service service(Environment{{"DATABASE_PATH", path}});
    EXPECT_EQ(Client(service.port()).post("/users", {{"name", "A"}, {"email", "a@b.cn"}}).status, 201);
  }
  const Service service(Environment{{"DATABASE_PATH", path}});
  EXPECT_EQ(get(service.port(), "/users/1").json()["data"]["name"], "A");
}

TEST_F(Api_on_a_file, answers_503_when_the_store_takes_too_long_and_serves_others_meanwhile) {
  const Service service(Environment{{"DATABASE_PATH", path}, {"REQUEST_TIMEOUT", "100ms"}});
  store::Connection other(path);
  other.execute("BEGIN IMMEDIATE");
  const auto answer = Client(service.port()).post("/users", {{"name", "A"}, {"email", "a@b.cn"}});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.json()["code"], 50301);
  EXPECT_EQ(get(service.port(), "/users/1").status, 404);
  EXPECT_EQ(get(service.port(), "/health").status, 200);
}

TEST_F(Api_on_a_file, is_not_ready_without_its_store_and_leaks_nothing_about_it) {
  const Service service(Environment{{"DATABASE_PATH", path}});
  store::Connection(path).execute("DROP TABLE users");
  const auto ready = get(service.port(), "/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.json()["code"], 50303);
  EXPECT_EQ(get(service.port(), "/health").status, 200);

  const auto answer = get(service.port(), "/users/1", {{"x-trace-id", "broken-1"}});
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body, "{\"code\":50000,\"msg\":\"internal error\",\"data\":null}\n");
  const auto is_cause = [](const json& line) {
    return line["message"] == "unexpected error" && line["trace_id"] == "broken-1" &&
           line["error"].get<std::string>().find("no such table: users") != std::string::npos;
  };
  EXPECT_TRUE(eventually([&] {
    const auto log = service.log();
    return std::any_of(log.begin(), log.end(), is_cause);
  }));
}

}  // namespace
}  // namespace integration
