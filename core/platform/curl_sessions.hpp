// TLS sessions that the connections of one transport share.
//
// The first connection to a peer does the whole handshake, with certificates and signatures. The others go on with its
// session (RFC 8446 section 2.2), a ninth of the work (docs/benchmarks.md). libcurl gives a session only to a
// connection with the same host, port, authorities, client certificate and rules of verification.
#pragma once

#include "core/platform/curl_library.hpp"

#include <array>
#include <mutex>

namespace deployctl::platform {

// Outlives every handle that was made to share it. Any thread may use those handles.
class CurlSessions {
 public:
  explicit CurlSessions(const CurlLibrary& curl);
  ~CurlSessions();
  CurlSessions(const CurlSessions&) = delete;
  CurlSessions& operator=(const CurlSessions&) = delete;

  // Stays so when the handle is reset.
  void share_with(CURL* easy) const;

 private:
  static void on_lock(CURL* easy, curl_lock_data data, curl_lock_access access, void* self);
  static void on_unlock(CURL* easy, curl_lock_data data, void* self);

  const CurlLibrary& curl_;
  CURLSH* share_;
  std::array<std::mutex, CURL_LOCK_DATA_LAST> mutexes_;  // one for each kind of data
};

}  // namespace deployctl::platform
