// libcurl's codes are coarse: the reason often is in errno, in OpenSSL's verification result or only in the text. This
// file knows where to look for each.
#include "core/platform/curl_errors.hpp"

#include "core/base/text.hpp"
#include "core/platform/answer_builder.hpp"

#include <array>

namespace deployctl::platform {
namespace {

struct Explanation {
  std::string cause;
  std::string hint;
};

constexpr std::string_view proxy_hint = "HTTP_PROXY, HTTPS_PROXY and NO_PROXY say what goes through which proxy";
constexpr std::string_view proxy_login_words = "it asks for a user and password that it knows";
constexpr std::string_view proxy_login_hint =
    "write them into the variable: HTTPS_PROXY=http://user:password@host:port";
constexpr int http_proxy_login_wanted = 407;

constexpr auto unknown_authority_hint =
    "the certificate is signed by an authority that this machine does not trust: install the authority's certificate "
    "or name it in the configuration";

// X509_V_ERR_… values (openssl/x509_vfy.h) and what they mean to the person in front.
struct VerifyReason {
  long result;
  const char* cause;
  const char* hint;
};

constexpr std::array verify_reasons{
    VerifyReason{9, "the server's certificate is not yet valid", "check this machine's clock"},
    VerifyReason{10, "the server's certificate has expired",
                 "renew the server's certificate or check this machine's clock"},
    VerifyReason{18, "the server's certificate is self-signed", unknown_authority_hint},
    VerifyReason{19, "the server's certificate is signed by an unknown authority", unknown_authority_hint},
    VerifyReason{20, "the server's certificate is signed by an unknown authority", unknown_authority_hint},
    VerifyReason{21, "the server's certificate is signed by an unknown authority", unknown_authority_hint},
    VerifyReason{23, "the server's certificate has been revoked", ""},
    VerifyReason{62, "the server's certificate is for another name", "use the name that the certificate was made for"},
    VerifyReason{64, "the server's certificate is for another address",
                 "use the name that the certificate was made for"},
};

bool says(const CurlFailure& failure, std::string_view words) {
  return base::to_lower(failure.detail).find(words) != std::string::npos;
}

// "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required"
bool is_tls_alert(const CurlFailure& failure) {
  return says(failure, "ssl routines") && says(failure, "alert");
}

std::string last_words(const CurlFailure& failure) {
  auto text = base::printable(failure.detail);
  return text.empty() ? "unknown reason" : text;
}

Explanation certificate_refused(const CurlFailure& failure) {
  for (const auto& reason : verify_reasons) {
    if (reason.result == failure.verify_result) {
      return {reason.cause, reason.hint};
    }
  }
  if (says(failure, "subject name")) {
    return {"the server's certificate is for another name", "use the name that the certificate was made for"};
  }
  return {"the server's certificate is not accepted: " + last_words(failure), ""};
}

Explanation alert(const CurlFailure& failure) {
  return {"the server refused the TLS connection: " + last_words(failure),
          "does the server ask for a client certificate?"};
}

Explanation handshake_failed(const CurlFailure& failure) {
  constexpr long unspecified = 1;  // what libcurl says before any certificate was seen
  if (failure.verify_result > unspecified) {
    return certificate_refused(failure);
  }
  if (says(failure, "wrong version number") || says(failure, "http request")) {
    return {"the server does not speak TLS on this port", "is it a plain http:// server?"};
  }
  if (is_tls_alert(failure)) {
    return alert(failure);
  }
  return {"the TLS handshake failed: " + last_words(failure), ""};
}

Explanation no_connection(const CurlFailure& failure) {
  auto cause = system_words(static_cast<int>(failure.os_error));
  return {cause.empty() ? "no connection: " + last_words(failure) : cause,
          failure.proxy.empty() ? "" : std::string(proxy_hint)};
}

// The status that a proxy refused a tunnel with ("CONNECT tunnel failed, response 407"); 0: it was something else.
int tunnel_status(const CurlFailure& failure) {
  constexpr std::string_view before = "response ";
  const auto at = failure.detail.find(before);
  const bool is_tunnel = says(failure, "connect tunnel") && at != std::string::npos;
  return is_tunnel ? static_cast<int>(base::parse_integer(failure.detail.substr(at + before.size())).value_or(0)) : 0;
}

Explanation tunnel_refused(const CurlFailure& failure) {
  return tunnel_status(failure) == http_proxy_login_wanted
             ? Explanation{std::string(proxy_login_words), std::string(proxy_login_hint)}
             : Explanation{"it refused: " + last_words(failure), ""};
}

Explanation broken(const CurlFailure& failure, std::string_view doing) {
  if (says(failure, "proxy") || says(failure, "connect tunnel")) {
    return tunnel_refused(failure);
  }
  if (is_tls_alert(failure)) {  // TLS 1.3 tells after the handshake that a certificate is missed
    return alert(failure);
  }
  const auto cause = system_words(static_cast<int>(failure.os_error));
  return {fmt::format("the connection broke while {}{}", doing, cause.empty() ? "" : ": " + cause), ""};
}

Explanation explain(const CurlFailure& failure) {
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {"no such host", "check the name and this machine's DNS"};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {"the proxy has no such name", std::string(proxy_hint)};
    case CURLE_COULDNT_CONNECT:
      return no_connection(failure);
    case CURLE_OPERATION_TIMEDOUT:
      return {"no connection within " + failure.connect_limit, ""};
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate_refused(failure);
    case CURLE_SSL_CONNECT_ERROR:
      return handshake_failed(failure);
    case CURLE_SSL_CERTPROBLEM:
      return {"the client certificate cannot be used: " + last_words(failure), ""};
    case CURLE_SSL_CACERT_BADFILE:
      return {"the authority certificates cannot be read: " + last_words(failure), ""};
    case CURLE_GOT_NOTHING:
      return {"the server closed the connection without an answer", ""};
    case CURLE_PARTIAL_FILE:
      return {"the answer ended early", ""};
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:  // it broke, and was not to be sent again
      return broken(failure, "sending");
    case CURLE_RECV_ERROR:
      return broken(failure, "receiving");
    default:
      return {last_words(failure), ""};
  }
}

// A certificate does not get better by asking again, nor does a proxy change its mind.
bool is_lasting(const CurlFailure& failure) {
  const auto code = failure.code;
  const auto refused_with = tunnel_status(failure);
  return (refused_with >= 400 && refused_with < 500) || is_tls_alert(failure) ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CERTPROBLEM ||
         code == CURLE_SSL_CACERT_BADFILE;
}

bool is_no_http(CURLcode code) {
  return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY;
}

// What libcurl says of a header line that is too long for it.
bool is_endless_line(CURLcode code) {
  return code == CURLE_OUT_OF_MEMORY;
}

}  // namespace

base::Error proxy_wants_login(const std::string& peer, const std::string& proxy) {
  auto error = base::Error::unreachable("cannot reach {} through the proxy {}: {}", peer, proxy, proxy_login_words);
  error.hint = proxy_login_hint;
  error.is_lasting = true;
  return error;
}

base::Error describe(const CurlFailure& failure) {
  if (is_endless_line(failure.code)) {
    return base::Error::failed("{} sent a header field that is too long", failure.peer);
  }
  if (is_no_http(failure.code)) {
    return not_http(failure.peer);
  }
  const auto [cause, hint] = explain(failure);
  auto error = failure.proxy.empty() ? base::Error::unreachable("cannot reach {}: {}", failure.peer, cause)
                                     : base::Error::unreachable("cannot reach {} through the proxy {}: {}",
                                                                failure.peer, failure.proxy, cause);
  error.hint = hint;
  error.is_lasting = is_lasting(failure);
  return error;
}

}  // namespace deployctl::platform
