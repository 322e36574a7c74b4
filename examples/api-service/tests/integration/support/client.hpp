// A plain HTTP client for tests: one blocking connection to 127.0.0.1, under the test's full control.
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace integration {

// Names in lower case.
using Fields = std::map<std::string, std::string>;

struct Answer {
  int status = 0;
  Fields fields;
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
  bool closes() const { return fields.contains("connection") && fields.at("connection") == "close"; }
};

struct ConnectionLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Client {
 public:
  // Throws ConnectionLost when nobody listens.
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Answer get(const std::string& path, const Fields& fields = {}) { return ask("GET", path, fields); }
  Answer post(const std::string& path, const nlohmann::json& body) {
    return ask("POST", path, {{"content-type", "application/json"}}, body.dump());
  }
  Answer ask(const std::string& method, const std::string& path, const Fields& fields = {},
             const std::string& body = {});

  // The parts, for tests that misbehave.
  void send(std::string_view bytes);
  // Throws ConnectionLost when the connection ends before an answer is complete.
  Answer receive(bool has_body = true);
  // Whether the server ends the connection within that time, saying nothing more.
  bool is_closed_within(std::chrono::milliseconds limit);

 private:
  bool read_more();

  int descriptor_ = -1;
  std::string buffer_;
};

// One request on a connection of its own.
inline Answer get(std::uint16_t port, const std::string& path, const Fields& fields = {}) {
  return Client(port).get(path, fields);
}

}  // namespace integration
