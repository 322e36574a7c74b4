// Whether the service is on its way out. Set once, by the signal; read by the readiness probe and by every connection.
#pragma once

#include <atomic>

namespace app {

class Lifecycle {
 public:
  void begin_draining() { draining_ = true; }
  bool is_draining() const { return draining_; }

 private:
  std::atomic<bool> draining_ = false;
};

}  // namespace app
