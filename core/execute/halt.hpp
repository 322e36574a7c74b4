// One stop token for several reasons to stop: the user's, and a lock that was lost.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>

namespace deployctl::execute {

class Halt {
 public:
  explicit Halt(const std::stop_token& user) : on_user_(user, [this] { source_.request_stop(); }) {}
  Halt(const Halt&) = delete;
  Halt& operator=(const Halt&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  // Another reason; must not outlive this.
  void also_on(const std::stop_token& reason) {
    on_reason_.emplace(reason, [this] { source_.request_stop(); });
  }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> on_user_;
  std::optional<std::stop_callback<std::function<void()>>> on_reason_;
};

}  // namespace deployctl::execute
