// libcurl's results in plain words.
#pragma once

#include "core/base/error.hpp"

#include <curl/curl.h>

#include <string>

namespace deployctl::platform {

// What is known about an exchange that failed.
struct CurlFailure {
  CURLcode code = CURLE_OK;
  std::string peer;           // "registry.example.com:443", the request's own name for it
  std::string proxy;          // "proxy.example.com:3128", empty when there is none
  std::string detail;         // libcurl's own words
  long os_error = 0;          // errno of the last socket call
  long verify_result = 0;     // X509_V_ERR_… of the server's certificate
  std::string connect_limit;  // "10s"
};

// unreachable for everything that kept us from an answer; failed for an answer that is no HTTP.
base::Error describe(const CurlFailure& failure);

// A proxy that answered 407 in the registry's or the cluster's place.
base::Error proxy_wants_login(const std::string& peer, const std::string& proxy);

}  // namespace deployctl::platform
