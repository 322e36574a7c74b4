// The lab's API server as the tests meet it: a client of our own, a second writer, a namespace that goes away again.
#pragma once

#include "core/cluster/client.hpp"
#include "core/cluster/rollout_watch.hpp"
#include "core/kube/object.hpp"
#include "core/platform/curl_transport.hpp"
#include "core/platform/posix_environment.hpp"
#include "core/platform/posix_file_system.hpp"
#include "core/platform/posix_process.hpp"
#include "core/platform/system_clock.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::cluster {

// Counts what goes out.
class CountingTransport final : public http::Transport {
 public:
  base::Result<http::Response> send(const http::Request& request, const http::Exchange& exchange) override {
    ++count_;
    return real_.send(request, exchange);
  }
  [[nodiscard]] int count() const { return count_; }

 private:
  platform::CurlTransport real_;
  std::atomic<int> count_ = 0;
};

struct RolloutRun {
  kube::RolloutOutcome outcome;
  std::vector<std::string> findings;  // "permanent image-not-found pod"
  std::vector<std::string> log;       // of the permanent finding
  int requests = 0;
  std::chrono::milliseconds elapsed{0};
};

class LabTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  // A client of the kubeconfig in that environment variable.
  static std::unique_ptr<Client> client_of(const char* variable);
  static Client& admin() { return *admin_; }
  static std::string name_space() { return name_space_; }

  // Applies the deployment and follows it.
  static RolloutRun roll_out(Client& client, const kube::Object& deployment, std::chrono::seconds limit);
  // A quota forbids nothing before its controller has looked at it.
  static void wait_until_refused(const kube::Object& pod);
  // Another manager's server-side apply.
  static void write_as(std::string_view manager, const kube::Object& object);

  static CountingTransport transport_;
  static platform::PosixFileSystem files_;
  static platform::PosixEnvironment environment_;
  static platform::PosixProcessRunner processes_;
  static platform::SystemClock clock_;

 private:
  static std::unique_ptr<Client> admin_;
  static std::string name_space_;
};

// A Deployment of one busybox container; `shape` is merged into its spec.
kube::Object deployment(std::string_view name_space, std::string_view name, std::string_view script,
                        const json::Value& shape = json::Value::object());
// The pod that such a Deployment makes.
kube::Object pod_of(const kube::Object& deployment);
kube::Object config_map(std::string_view name_space, std::string_view name, const json::Value& data);

}  // namespace deployctl::cluster
