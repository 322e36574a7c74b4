// A transport that writes one line a request and one an answer to the log, without secrets: no query, no userinfo, no
// header or body.
#pragma once

#include "core/http/transport.hpp"
#include "core/io/clock.hpp"

#include <functional>
#include <string_view>

namespace deployctl::http {

class TracingTransport final : public Transport {
 public:
  using Log = std::function<void(std::string_view line)>;

  // `log` may be called from several threads at once.
  TracingTransport(Transport& next, io::Clock& clock, Log log);

  base::Result<Response> send(const Request& request, const Exchange& exchange = {}) override;
  void prepare(const Request& like, int connections) override { next_.prepare(like, connections); }

 private:
  Transport& next_;
  io::Clock& clock_;
  Log log_;
};

}  // namespace deployctl::http
