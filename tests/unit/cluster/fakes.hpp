// Small honest stand-ins for the world around the client.
#pragma once

#include "core/cluster/client.hpp"
#include "tests/support/memory_file_system.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace deployctl::cluster {

// What the server answers to one request. A stream is given out line by line and then stays open until it is stopped,
// unless it is said to end.
struct Answer {
  int status = 200;
  std::string body;
  http::Headers headers;
  std::vector<std::string> lines;  // a stream
  bool ends = true;                // the stream, after its lines
  bool breaks = false;             // no answer: the connection breaks
};

inline Answer unreachable_answer() {
  return {.breaks = true};
}

// Answers each "METHOD path" from a queue of its own, whose last answer is repeated.
class ScriptedTransport final : public http::Transport {
 public:
  void on(const std::string& request, std::vector<Answer> answers) {
    const std::scoped_lock lock(mutex_);
    answers_[request] = {answers.begin(), answers.end()};
  }

  base::Result<http::Response> send(const http::Request& request, const http::Exchange& exchange) override {
    const auto answer = take(request);
    if (answer.breaks) {
      return base::Error::unreachable("connection refused");
    }
    http::Response response{.status = answer.status, .headers = answer.headers, .body = {}};
    if (exchange.sink.on_headers) {
      (void)exchange.sink.on_headers(response);
    }
    if (!exchange.sink.on_body || !response.is_success()) {
      response.body = answer.body;
      return response;
    }
    for (const auto& line : answer.lines) {
      if (auto status = exchange.sink.on_body(line + "\n"); !status) {
        return status.error();
      }
    }
    if (!answer.ends && !wait_for_stop(exchange.stop)) {
      return base::Error::interrupted();
    }
    return response;
  }

  // "GET /path?query" of every request so far, and its body.
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> lines;
    for (const auto& sent : sent_) {
      lines.push_back(sent.method + " " + sent.url.path + (sent.url.has_query ? "?" + sent.url.query : ""));
    }
    return lines;
  }
  [[nodiscard]] http::Request request(std::size_t index) const {
    const std::scoped_lock lock(mutex_);
    return sent_.at(index);
  }
  [[nodiscard]] std::string body(std::size_t index) const {
    auto sent = request(index);
    std::string text(sent.body ? sent.body->size() : 0, '\0');
    if (sent.body) {
      EXPECT_TRUE(sent.body->rewind());
      EXPECT_TRUE(sent.body->read(text.data(), text.size()));
    }
    return text;
  }

 private:
  Answer take(const http::Request& request) {
    const std::scoped_lock lock(mutex_);
    sent_.push_back(request);
    const auto key = request.method + " " + request.url.path;
    auto& queue = answers_[key];
    if (queue.empty()) {
      return {.status = 404, .body = "404 page not found"};
    }
    auto answer = queue.front();
    if (queue.size() > 1) {
      queue.pop_front();
    }
    return answer;
  }

  static bool wait_for_stop(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait(lock, stop, [] { return false; });
    return !stop.stop_requested();
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::deque<Answer>> answers_;
  std::vector<http::Request> sent_;
};

// A clock that only moves when somebody sleeps.
class FakeClock final : public io::Clock {
 public:
  [[nodiscard]] io::WallTime now() const override {
    const std::scoped_lock lock(mutex_);
    return io::WallTime(std::chrono::milliseconds(1'767'225'600'000)) + passed_;
  }
  [[nodiscard]] io::SteadyTime steady_now() const override {
    const std::scoped_lock lock(mutex_);
    return io::SteadyTime(std::chrono::hours(1)) + passed_;
  }
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) override {
    const std::scoped_lock lock(mutex_);
    if (stop.stop_requested()) {
      return false;
    }
    passed_ += duration;
    return true;
  }
  void advance(std::chrono::milliseconds duration) { sleep_for(duration, {}); }
  [[nodiscard]] std::chrono::milliseconds passed() const {
    const std::scoped_lock lock(mutex_);
    return passed_;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::milliseconds passed_{0};
};

class FakeEnvironment final : public io::Environment {
 public:
  std::map<std::string, std::string, std::less<>> variables;
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] std::string home_directory() const override { return "/home/me"; }
};

// Prints what it was told to and remembers what it was asked to run.
class FakeProcesses final : public io::ProcessRunner {
 public:
  std::optional<base::Error> failure;
  int exit_code = 0;
  std::vector<std::string> outputs{""};  // the last one is repeated
  std::string complaint;
  std::vector<io::Command> commands;

  base::Result<io::ExitStatus> run(const io::Command& command, const io::OutputSink& sink,
                                   std::stop_token /*stop*/) override {
    commands.push_back(command);
    if (failure) {
      return *failure;
    }
    sink(io::Stream::out, outputs[std::min(commands.size(), outputs.size()) - 1]);
    sink(io::Stream::err, complaint);
    return io::ExitStatus{.code = exit_code};
  }
};

struct World {
  ScriptedTransport transport;
  tests::MemoryFileSystem files;
  FakeEnvironment environment;
  FakeProcesses processes;
  FakeClock clock;

  Ports ports() { return {transport, files, environment, processes, clock}; }

  // A client for https://k8s:6443 in the namespace shop.
  std::unique_ptr<Client> client(const std::string& user = "{token: secret}") {
    files.put("/home/me/.kube/config",
              "current-context: dev\n"
              "contexts: [{name: dev, context: {cluster: c, user: me, namespace: shop}}]\n"
              "clusters: [{name: c, cluster: {server: 'https://k8s:6443/'}}]\n"
              "users: [{name: me, user: " +
                  user + "}]\n");
    auto made = connect({}, ports());
    EXPECT_TRUE(made) << to_string(made.error());
    return made ? std::move(*made) : nullptr;
  }
};

}  // namespace deployctl::cluster
