// How the service ends: no request that it has taken, or that a load balancer still sends it, is lost.
#include "support/service.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>

namespace integration {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Shutdown, of_a_service_without_requests_is_clean_on_both_signals) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Service service;
    service.send(signal);
    EXPECT_EQ(service.wait_for_exit(10s), 0);
    EXPECT_EQ(service.log().back()["message"], "stopped");
  }
}

TEST(Shutdown, begins_with_a_delay_in_which_the_service_is_not_ready_but_accepts_and_answers) {
  Service service(Environment{{"DRAIN_DELAY", "2s"}});
  Client kept(service.port());
  EXPECT_FALSE(kept.get("/api/hello").closes());
  service.send(SIGTERM);

  ASSERT_TRUE(eventually([&] { return get(service.port(), "/ready").status == 503; }));
  EXPECT_EQ(get(service.port(), "/ready").json()["code"], 50300);
  EXPECT_EQ(get(service.port(), "/health").status, 200);
  EXPECT_EQ(get(service.port(), "/api/hello").status, 200);
  const auto last = kept.get("/api/hello");
  EXPECT_EQ(last.status, 200);
  EXPECT_TRUE(last.closes());
  EXPECT_TRUE(kept.is_closed_within(5s));
  EXPECT_EQ(service.wait_for_exit(10s), 0);
}

TEST(Shutdown, waits_for_a_request_that_has_begun) {
  Service service(Environment{{"DRAIN_DELAY", "50ms"}});
  Client slow(service.port());
  slow.send(
      "POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n{\"name\":");
  get(service.port(), "/health");
  service.send(SIGTERM);
  ASSERT_TRUE(eventually([&] {
    try {
      get(service.port(), "/health");
      return false;
    } catch (const ConnectionLost&) {  // it does not accept any more
      return true;
    }
  }));
  EXPECT_EQ(service.wait_for_exit(200ms), std::nullopt);
  slow.send("\"Ann\",\"email\":\"a@b.cn\"}");
  const auto answer = slow.receive();
  EXPECT_EQ(answer.status, 201);
  EXPECT_TRUE(answer.closes());
  EXPECT_EQ(service.wait_for_exit(10s), 0);
}

TEST(Shutdown, does_not_wait_for_connections_that_are_idle) {
  Service service(Environment{{"DRAIN_DELAY", "50ms"}});
  Client used(service.port());
  Client unused(service.port());
  used.get("/health");
  service.send(SIGTERM);
  EXPECT_EQ(service.wait_for_exit(5s), 0);
  EXPECT_TRUE(used.is_closed_within(1s));
  EXPECT_TRUE(unused.is_closed_within(1s));
}

TEST(Shutdown, ends_at_its_deadline_and_says_what_it_cut_off) {
  Service service(Environment{{"DRAIN_DELAY", "50ms"}, {"SHUTDOWN_TIMEOUT", "400ms"}, {"READ_TIMEOUT", "1m"}});
  Client never_done(service.port());
  never_done.send("GET /health HTTP/1.1\r\n");
  get(service.port(), "/health");
  const auto start = Clock::now();
  service.send(SIGTERM);
  EXPECT_EQ(service.wait_for_exit(10s), 1);
  EXPECT_LT(Clock::now() - start, 3s);
  EXPECT_EQ(service.log().back()["message"], "stopped too early");
  EXPECT_EQ(service.log().back()["connections_cut"], 1);
}

TEST(Shutdown, is_at_once_on_a_second_signal) {
  Service service(Environment{{"DRAIN_DELAY", "1m"}, {"SHUTDOWN_TIMEOUT", "2m"}});
  service.send(SIGTERM);
  ASSERT_TRUE(eventually([&] { return service.log().back()["message"] == "draining"; }));
  service.send(SIGTERM);
  EXPECT_EQ(service.wait_for_exit(5s), 1);
}

// What Kubernetes does between clients and replicas: asks each replica whether it is ready, and sends new connections
// only to those that were at the last look.
class Balancer {
 public:
  explicit Balancer(std::vector<std::uint16_t> ports) {
    for (const auto port : ports) {
      add(port);
    }
    prober_ = std::thread([this] {
      while (!stopped_) {
        look();
        std::this_thread::sleep_for(10ms);
      }
    });
  }
  ~Balancer() {
    stopped_ = true;
    prober_.join();
  }

  void add(std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    ports_.push_back(port);
    ready_.push_back(port);
  }
  std::uint16_t next() {
    const std::lock_guard lock(mutex_);
    return ready_.at(turn_++ % std::max<std::size_t>(ready_.size(), 1));
  }
  bool sends_to(std::uint16_t port) const {
    const std::lock_guard lock(mutex_);
    return std::find(ready_.begin(), ready_.end(), port) != ready_.end();
  }

 private:
  static bool is_ready(std::uint16_t port) {
    try {
      return get(port, "/ready").status == 200;
    } catch (const ConnectionLost&) {
      return false;
    }
  }
  void look() {
    for (const auto port : known()) {
      const bool ready = is_ready(port);
      const std::lock_guard lock(mutex_);
      std::erase(ready_, port);
      if (ready) {
        ready_.push_back(port);
      }
    }
  }
  std::vector<std::uint16_t> known() const {
    const std::lock_guard lock(mutex_);
    return ports_;
  }

  mutable std::mutex mutex_;
  std::vector<std::uint16_t> ports_;
  std::vector<std::uint16_t> ready_;
  std::size_t turn_ = 0;
  std::atomic<bool> stopped_ = false;
  std::thread prober_;
};

// Clients that ask all the time, over kept connections, and note what went wrong.
class Load {
 public:
  Load(Balancer& balancer, int clients) {
    for (int number = 0; number < clients; ++number) {
      threads_.emplace_back([this, &balancer, number] { ask_on(balancer, number); });
    }
  }
  ~Load() { stop(); }
  void stop() {
    stopped_ = true;
    for (auto& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }
  int answered() const { return answered_; }
  std::vector<std::string> failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  void ask_on(Balancer& balancer, int number) {
    std::unique_ptr<Client> client;
    for (int turn = 0; !stopped_; ++turn) {
      try {
        if (!client) {
          client = std::make_unique<Client>(balancer.next());
        }
        const auto answer = ask_one(*client, std::to_string(number) + "-" + std::to_string(turn), turn);
        note(answer.status == 200 || answer.status == 201 ? "" : "status " + std::to_string(answer.status));
        if (answer.closes()) {
          client.reset();
        }
      } catch (const std::exception& failure) {
        note(failure.what());
        client.reset();
      }
    }
  }
  static Answer ask_one(Client& client, const std::string& name, int turn) {
    return turn % 4 == 0 ? client.post("/users", {{"name", name}, {"email", "u" + name + "@example.cn"}})
                         : client.get("/api/hello");
  }
  void note(const std::string& failure) {
    ++answered_;
    if (!failure.empty()) {
      const std::lock_guard lock(mutex_);
      failures_.push_back(failure);
    }
  }

  std::atomic<bool> stopped_ = false;
  std::atomic<int> answered_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> failures_;
  std::vector<std::thread> threads_;
};

TEST(Rolling_update, under_load_loses_no_request) {
  const Environment settings{{"DRAIN_DELAY", "1s"}};
  auto serving = std::make_unique<Service>(settings);
  Balancer balancer({serving->port()});
  Load load(balancer, 8);

  for (int update = 0; update < 3; ++update) {
    const int before = load.answered();
    ASSERT_TRUE(eventually([&] { return load.answered() > before + 50; }));
    auto next = std::make_unique<Service>(settings);
    balancer.add(next->port());
    serving->send(SIGTERM);
    EXPECT_EQ(serving->wait_for_exit(10s), 0) << serving->output();
    EXPECT_FALSE(balancer.sends_to(serving->port()));
    serving = std::move(next);
  }
  load.stop();
  EXPECT_EQ(load.failures(), std::vector<std::string>{});
  EXPECT_GT(load.answered(), 150);
}

}  // namespace
}  // namespace integration
