#include "core/platform/curl_sessions.hpp"

namespace deployctl::platform {

CurlSessions::CurlSessions(const CurlLibrary& curl) : curl_(curl), share_(curl.share_init()) {
  curl_.share_setopt(share_, CURLSHOPT_USERDATA, static_cast<void*>(this));
  curl_.share_setopt(share_, CURLSHOPT_LOCKFUNC, &CurlSessions::on_lock);
  curl_.share_setopt(share_, CURLSHOPT_UNLOCKFUNC, &CurlSessions::on_unlock);
  curl_.share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

CurlSessions::~CurlSessions() {
  curl_.share_cleanup(share_);
}

void CurlSessions::share_with(CURL* easy) const {
  curl_.easy_setopt(easy, CURLOPT_SHARE, share_);
}

void CurlSessions::on_lock(CURL* /*easy*/, curl_lock_data data, curl_lock_access /*access*/, void* self) {
  static_cast<CurlSessions*>(self)->mutexes_.at(data).lock();
}

void CurlSessions::on_unlock(CURL* /*easy*/, curl_lock_data data, void* self) {
  static_cast<CurlSessions*>(self)->mutexes_.at(data).unlock();
}

}  // namespace deployctl::platform
