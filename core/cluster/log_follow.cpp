// The stream is asked for with timestamps, which are taken off again: after a break it goes on from the last one, and
// the lines of that very time that were given out before are left out.
#include "core/cluster/log_follow.hpp"

#include "core/base/text.hpp"
#include "core/cluster/lost_log.hpp"
#include "core/kube/pod.hpp"

#include <algorithm>

namespace deployctl::cluster {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t longest_line = 64u << 10u;
constexpr std::chrono::milliseconds first_pause{250};
constexpr std::chrono::milliseconds longest_pause{3'000};

class Follower {
 public:
  Follower(Client& client, const FollowOptions& options, const std::function<void(std::string_view)>& on_line,
           std::stop_token stop)
      : client_(client), options_(options), on_line_(on_line), stop_(std::move(stop)) {}

  base::Status run() {
    auto pause = first_pause;
    bool was_over = false;  // before the stream began, which so had all there is
    while (!stop_.stop_requested()) {
      const auto lines_before = lines_;
      const auto streamed = stream();
      if (!streamed && streamed.error().code != ErrorCode::unreachable) {
        return streamed;
      }
      if (was_over) {
        return {};
      }
      const auto has_ended = is_over();
      if (!has_ended) {
        return has_ended.error();
      }
      was_over = *has_ended;
      if (was_over) {
        continue;
      }
      pause = lines_ > lines_before ? first_pause : std::min(pause * 2, longest_pause);
      client_.api().clock().sleep_for(pause, stop_);
    }
    return Error::interrupted();
  }

 private:
  // Success when the stream ended or cannot begin yet.
  base::Status stream() {
    repeated_ = lines_at_last_time_;
    io::LineSplitter splitter([this](std::string_view line) { take(line); }, longest_line);
    http::Exchange exchange;
    exchange.stop = stop_;
    exchange.sink.on_body = [&](std::string_view piece) {
      splitter.add(piece);
      return base::Status();
    };
    const auto response = client_.api().stream(call(), exchange);
    splitter.finish();
    if (!response) {
      return response.error();
    }
    // 400: the container waits to start; 5xx: the API server cannot reach the node at the moment.
    const bool may_come = response->is_success() || response->status == 400 || response->status >= 500;
    return may_come ? base::Status()
                    : base::Status(to_error(read_status(*response), operation(), client_.connection()));
  }

  void take(std::string_view line) {
    if (is_lost_log(line)) {
      return;  // what a program prints begins with the time
    }
    const auto [time, text] = base::split_once(line, ' ');
    if (time < last_time_) {
      return;
    }
    if (time == last_time_) {
      if (repeated_ > 0) {
        --repeated_;
        return;
      }
      ++lines_at_last_time_;
    } else {
      last_time_ = time;
      lines_at_last_time_ = 1;
      repeated_ = 0;
    }
    ++lines_;
    on_line_(base::printable(text));
  }

  // The container has ended for good, as far as this pod is concerned.
  base::Result<bool> is_over() {
    const auto object = client_.get(
        {.api_version = "v1", .kind = "Pod", .name_space = options_.name_space, .name = options_.pod}, stop_);
    if (!object && object.error().code == ErrorCode::unreachable) {
      return false;
    }
    if (!object) {
      return object.error();
    }
    const auto pod = kube::Pod::from_json(object->body);
    const auto container = std::ranges::find(pod.containers, options_.container, &kube::Container::name);
    if (container == pod.containers.end()) {
      return Error::not_found("pod/{} has no container {}", options_.pod, options_.container);
    }
    return container->state == kube::Container::State::terminated || pod.phase == "Succeeded" || pod.phase == "Failed";
  }

  [[nodiscard]] Operation operation() const {
    return {.verb = "read", .object = "the log of pod/" + options_.pod, .name_space = options_.name_space};
  }

  [[nodiscard]] Call call() const {
    Call call{.path = kube::object_path(kube::resource_of("Pod"), options_.name_space, options_.pod) + "/log",
              .query = {{"container", options_.container}, {"follow", "true"}, {"timestamps", "true"}},
              .accept = "*/*",
              .operation = operation(),
              .timeouts = {.connect = std::chrono::seconds(5), .total = std::nullopt, .stall = std::chrono::hours(24)}};
    if (!last_time_.empty()) {
      call.query.emplace_back("sinceTime", last_time_);
    } else if (options_.tail_lines) {
      call.query.emplace_back("tailLines", std::to_string(*options_.tail_lines));
    }
    return call;
  }

  Client& client_;
  const FollowOptions& options_;
  const std::function<void(std::string_view)>& on_line_;
  std::stop_token stop_;
  std::string last_time_;
  int lines_at_last_time_ = 0;
  int repeated_ = 0;
  long long lines_ = 0;
};

}  // namespace

base::Status follow_log(Client& client, const FollowOptions& options,
                        const std::function<void(std::string_view)>& on_line, std::stop_token stop) {
  return Follower(client, options, on_line, std::move(stop)).run();
}

}  // namespace deployctl::cluster
