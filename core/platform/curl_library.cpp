#include "core/platform/curl_library.hpp"

#include "core/base/shared_library.hpp"

namespace deployctl::platform {
namespace {

base::Status bind_all(const base::SharedLibrary& library, CurlLibrary& curl) {
  base::Status status;
  const auto bind = [&](auto& function, const char* name) {
    if (status) {
      status = library.bind(function, name);
    }
  };
  bind(curl.easy_init, "curl_easy_init");
  bind(curl.easy_cleanup, "curl_easy_cleanup");
  bind(curl.easy_reset, "curl_easy_reset");
  bind(curl.easy_setopt, "curl_easy_setopt");
  bind(curl.easy_getinfo, "curl_easy_getinfo");
  bind(curl.easy_strerror, "curl_easy_strerror");
  bind(curl.multi_init, "curl_multi_init");
  bind(curl.multi_cleanup, "curl_multi_cleanup");
  bind(curl.multi_setopt, "curl_multi_setopt");
  bind(curl.multi_add_handle, "curl_multi_add_handle");
  bind(curl.multi_remove_handle, "curl_multi_remove_handle");
  bind(curl.multi_perform, "curl_multi_perform");
  bind(curl.multi_poll, "curl_multi_poll");
  bind(curl.multi_wakeup, "curl_multi_wakeup");
  bind(curl.multi_info_read, "curl_multi_info_read");
  bind(curl.share_init, "curl_share_init");
  bind(curl.share_cleanup, "curl_share_cleanup");
  bind(curl.share_setopt, "curl_share_setopt");
  bind(curl.slist_append, "curl_slist_append");
  bind(curl.slist_free_all, "curl_slist_free_all");
  return status;
}

base::Result<CurlLibrary> load() {
  const auto library = base::SharedLibrary::open({"libcurl.so.4"}, "libcurl4");
  if (!library) {
    return library.error();
  }
  CurlLibrary curl;
  if (const auto bound = bind_all(*library, curl); !bound) {
    return bound.error().with_hint("libcurl 7.68 or newer is needed");
  }
  decltype(&curl_global_init) global_init = nullptr;
  if (const auto bound = library->bind(global_init, "curl_global_init"); !bound) {
    return bound.error();
  }
  if (const auto code = global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK) {
    return base::Error::failed("libcurl could not be initialised: {}", curl.easy_strerror(code));
  }
  return curl;
}

}  // namespace

const base::Result<CurlLibrary>& curl_library() {
  static const auto library = load();
  return library;
}

}  // namespace deployctl::platform
