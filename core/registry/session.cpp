// Which scheme a registry speaks: https, always, unless it is on this machine or the user named it insecure. On this
// machine plain http is tried first, as most registries there speak it and nothing leaves the machine; elsewhere https
// without verification first, as docker does. The other scheme is tried only when the answer shows that the first was
// wrong.
#include "core/registry/session.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/http/warning.hpp"
#include "core/registry/address.hpp"
#include "core/registry/trust.hpp"

#include <algorithm>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using std::chrono::seconds;

constexpr int most_redirects = 5;
constexpr std::chrono::milliseconds longest_farewell{1'000};
constexpr int stalls_of_a_short_answer = 5;
constexpr std::uint64_t slowest_upload = 1u << 10u;  // bytes a second

std::string api_host(const std::string& registry) {
  return registry == "docker.io" ? "registry-1.docker.io" : registry;
}

base::Url base_of(const std::string& registry, std::string_view scheme) {
  auto url = base::Url::parse(fmt::format("{}://{}", scheme, api_host(registry)));
  return url ? *url : base::Url();
}

std::shared_ptr<const http::TlsSettings> unverified(const std::shared_ptr<const http::TlsSettings>& tls) {
  auto settings = tls ? *tls : http::TlsSettings();
  settings.verify = false;
  return std::make_shared<const http::TlsSettings>(settings);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// RFC 9110 section 15.4: only 307 and 308 keep a method that sends something.
bool may_follow(const std::string& method, int status) {
  return method == "GET" || method == "HEAD" || status == 307 || status == 308;
}

// What a TLS server says to plain http: Go's and nginx's words, a TLS alert, or nothing.
bool shows_tls(const Result<http::Response>& answer) {
  if (answer) {
    const auto words = base::to_lower(answer->body);
    return answer->status == 400 && (words.find("http request to an https server") != std::string::npos ||
                                     words.find("plain http request was sent to https port") != std::string::npos);
  }
  return answer.error().message.find("not HTTP") != std::string::npos ||
         answer.error().message.find("without an answer") != std::string::npos;
}

bool has_unknown_authority(const Error& error) {
  return error.message.find("signed by an unknown authority") != std::string::npos ||
         error.message.find("certificate is self-signed") != std::string::npos;
}

bool speaks_no_tls(const Error& error) {
  return error.message.find("does not speak TLS") != std::string::npos;
}

// What plain http says to TLS, or a port that only plain http listens on.
bool shows_plain(const Result<http::Response>& answer) {
  return !answer &&
         (speaks_no_tls(answer.error()) || answer.error().message.find("connection refused") != std::string::npos);
}

bool is_wrong_scheme(const base::Url& url, const Result<http::Response>& answer) {
  return url.scheme == "http" ? shows_tls(answer) : shows_plain(answer);
}

// A 400 to a HEAD has no words that would tell.
bool has_no_words(const Call& call, const Result<http::Response>& answer) {
  return call.method == "HEAD" && answer && answer->status == 400;
}

// How long an exchange may take even though some byte of it moves now and then. Whoever takes the pieces of a long
// answer watches its pace.
std::optional<std::chrono::milliseconds> longest_exchange(const Call& call, const http::Timeouts& timeouts) {
  if (call.sink.on_body) {
    return timeouts.total;
  }
  const auto sent = call.body ? call.body->size() : 0;
  return stalls_of_a_short_answer * timeouts.stall + seconds(sent / slowest_upload);
}

// How long a line that is none of the fast ones takes for the body.
seconds expected_time(const Call& call) {
  constexpr std::uint64_t usual_upload = 1u << 20u;  // bytes a second
  return seconds(call.body ? call.body->size() / usual_upload : 0);
}

// A registry may lead to a storage host of its network, not to services of this machine or to a cloud's metadata.
bool leads_inside(const base::Url& target, const base::Url& from) {
  const auto place = place_of(target.host);
  return place == Place::link_local || (place == Place::loopback && place_of(from.host) != Place::loopback);
}

}  // namespace

Session::Session(const Ports& ports, const ClientOptions& options, std::string registry, std::string repository,
                 Access access, std::string also_pull, std::shared_ptr<Habits> habits)
    : ports_(ports),
      options_(options),
      registry_(std::move(registry)),
      repository_(std::move(repository)),
      also_pull_(std::move(also_pull)),
      habits_(std::move(habits)),
      is_insecure_(names_registry(options.insecure_registries, base_of(registry_, "https"))),
      is_loopback_(base::is_loopback_host(base_of(registry_, "https").host)),
      trust_(options.tls ? options.tls(registry_) : std::shared_ptr<const http::TlsSettings>()),
      tls_(!trust_        ? nullptr
           : is_insecure_ ? unverified(*trust_)
                          : *trust_),
      authorizer_(ports.transport, ports.clock, ports.credentials, access,
                  {.retry = options.retry, .timeouts = options.timeouts}),
      base_(base_of(registry_, is_loopback_ ? "http" : "https")),
      scheme_settled_(!is_loopback_ && !is_insecure_) {}

base::Url Session::base_url() const {
  const std::scoped_lock lock(mutex_);
  return base_;
}

bool Session::is_settled() const {
  const std::scoped_lock lock(mutex_);
  return scheme_settled_;
}

void Session::settle_scheme(std::string scheme) {
  const std::scoped_lock lock(mutex_);
  base_.scheme = std::move(scheme);
  scheme_settled_ = true;
}

base::Url Session::url(std::string_view path) const {
  auto url = base_url();
  url.path = repository_.empty() ? "/v2/" : fmt::format("/v2/{}/{}", repository_, path);
  return url;
}

Authorizer::Peer Session::peer() const {
  return {.registry = registry_,
          .repository = repository_,
          .also_pull = also_pull_,
          .base = base_url(),
          .may_be_plain = is_loopback_ || is_insecure_,
          .tls = tls_};
}

// Until the registry has answered once, a try takes seconds, not minutes: its name may be mistyped or it may be down.
http::RetryPolicy Session::policy(Repeat repeat) const {
  auto policy = options_.retry;
  policy.only_throttled = repeat != Repeat::as_it_is;
  policy.attempts = repeat == Repeat::never ? 1 : policy.attempts;
  if (!reached_) {
    policy.budget = std::min<std::chrono::milliseconds>(policy.budget, seconds(5));
  }
  return policy;
}

void Session::notice(const std::string& text) {
  if (options_.on_notice) {
    options_.on_notice(text);
  }
}

// Reasons that come from the transport name the registry already.
void Session::tell_retry(const std::string& reason, std::chrono::milliseconds wait) {
  const auto where = reason.find(registry_) == std::string::npos ? registry_ + ": " : std::string();
  notice(fmt::format("{}{}; trying again in {}", where, reason, base::human_duration(wait)));
}

void Session::tell_warnings(const http::Headers& headers) {
  for (const auto& text : http::warnings(headers)) {
    const std::scoped_lock lock(mutex_);
    if (told_.insert(text).second) {
      notice(fmt::format("{} warns: {}", registry_, text));
    }
  }
}

bool Session::wait_before_retry(int attempt, const std::string& reason, std::stop_token stop) {
  if (attempt >= options_.retry.attempts) {
    return false;
  }
  const auto wait = http::backoff(options_.retry, attempt, http::random_fraction());
  tell_retry(reason, wait);
  return ports_.clock.sleep_for(wait, stop);
}

bool Session::let_others_finish(io::SteadyTime begun, std::stop_token stop) {
  using std::chrono::milliseconds;
  const auto took = std::chrono::duration_cast<milliseconds>(now() - begun);
  const auto wait = std::clamp(3 * took, milliseconds(100), milliseconds(2'000));
  const auto chance = static_cast<milliseconds::rep>(static_cast<double>(wait.count()) * http::random_fraction());
  return ports_.clock.sleep_for(wait + milliseconds(chance), stop);
}

void Session::prepare(int requests) {
  ports_.transport.prepare({.url = base_url(), .tls = tls_}, requests);
}

Error Session::untrusted(Error error) const {
  error.hint = fmt::format(
      "lay the certificate of the registry's authority down as /etc/docker/certs.d/{}/ca.crt, or name its file in the "
      "project manifest: 'registries: {{\"{}\": {{ca: FILE}}}}'",
      registry_, registry_);
  return error;
}

Error Session::unreached(Error error) const {
  if (has_unknown_authority(error)) {
    return untrusted(std::move(error));
  }
  if (reached_) {
    return error;
  }
  if (!is_loopback_ && !is_insecure_ && speaks_no_tls(error)) {
    error.hint = fmt::format(
        "a registry without TLS has to be named: 'registries: {{\"{}\": {{insecure: true}}}}' in the project manifest, "
        "or DEPLOYCTL_INSECURE_REGISTRIES={}",
        registry_, registry_);
  }
  return error.with_hint("is the registry running, and is {} its address?", registry_);
}

Result<http::Response> Session::send_once(const Call& call, const base::Url& url, const std::string& authorization,
                                          std::stop_token stop) {
  http::Request request{.method = call.method,
                        .url = url,
                        .headers = call.headers,
                        .body = call.body,
                        .tls = tls_,
                        .unix_socket = {},
                        .proxy = {},
                        .timeouts = options_.timeouts,
                        .on_new_connection = call.on_new_connection,
                        .max_body_bytes = call.max_body_bytes};
  if (!authorization.empty()) {
    request.headers.set("Authorization", authorization);
  }
  request.timeouts.total = longest_exchange(call, options_.timeouts);
  const auto tries = policy(call.repeat);
  const http::RetryingTransport::OnRetry on_retry = [this](const http::Request&, const http::Retry& retry) {
    tell_retry(retry.reason, retry.wait);
  };
  const http::Exchange exchange{.sink = call.sink, .on_upload = call.on_upload, .stop = stop};
  auto answer = http::send_with_retries(
      {.transport = ports_.transport, .clock = ports_.clock, .policy = tries, .on_retry = on_retry}, request, exchange);
  if (!answer) {
    return answer.error().code == base::ErrorCode::unreachable ? unreached(answer.error()) : answer.error();
  }
  reached_ = true;
  tell_warnings(answer->headers);
  return answer;
}

void Session::give_up(const base::Url& upload) {
  http::Request request{.method = "DELETE", .url = upload, .tls = tls_};
  request.timeouts = {.connect = longest_farewell, .total = longest_farewell, .stall = longest_farewell};
  if (const auto authorization = authorizer_.last_header(); !authorization.empty() && upload.same_origin(base_url())) {
    request.headers.set("Authorization", authorization);
  }
  (void)ports_.transport.send(request);  // the registry forgets it some day anyway
}

Result<http::Response> Session::send_in_the_right_scheme(const Call& call, base::Url url,
                                                         const std::string& authorization, std::stop_token stop) {
  if (is_settled() || !url.same_origin(base_url())) {
    return send_once(call, url, authorization, stop);
  }
  auto first = call;
  first.repeat = url.scheme == "https" && call.repeat == Repeat::as_it_is ? Repeat::no : call.repeat;
  auto answer = send_once(first, url, authorization, stop);
  if (is_wrong_scheme(url, has_no_words(call, answer) ? ping(url.scheme, stop) : answer)) {
    auto other = url;
    other.scheme = url.scheme == "http" ? "https" : "http";
    auto second = send_once(call, other, authorization, stop);
    if (is_wrong_scheme(other, second)) {
      return answer;  // it speaks neither
    }
    url = other;
    answer = std::move(second);
  }
  if (answer) {
    settle_scheme(url.scheme);
  }
  return answer;
}

// A 401 without a challenge happens; the registry's root then says what it wants.
Result<std::optional<Challenge>> Session::challenge_of(const http::Response& response, std::stop_token stop) {
  if (auto challenge = answerable(challenges(response.headers))) {
    return challenge;
  }
  const auto root = ping(base_url().scheme, stop);
  return root ? Result(answerable(challenges(root->headers))) : root.error();
}

Result<http::Response> Session::ping(const std::string& scheme, std::stop_token stop) {
  auto root = base_url();
  root.scheme = scheme;
  root.path = "/v2/";
  return send_once({.method = "GET", .url = root}, root, {}, std::move(stop));
}

Result<http::Response> Session::send_authorized(const Call& call, const base::Url& url, std::stop_token stop) {
  if (is_settled() && !url.same_origin(base_url())) {
    return send_once(call, url, {}, stop);
  }
  const auto authorization = authorizer_.header(peer(), expected_time(call), stop);
  if (!authorization) {
    return authorization.error();
  }
  const auto began = now();
  auto answer = send_in_the_right_scheme(call, url, *authorization, stop);
  if (!answer || answer->status != 401) {
    return answer;
  }
  const auto challenge = challenge_of(*answer, stop);
  if (!challenge || !challenge->has_value()) {
    return challenge ? answer : challenge.error();
  }
  const auto renewed = authorizer_.answer(peer(), **challenge, {.used = *authorization, .began = began}, stop);
  if (!renewed) {
    return renewed.error();
  }
  if (renewed->empty()) {
    return answer;
  }
  auto settled = url;
  settled.scheme = base_url().scheme;
  return send_once(call, settled, *renewed, stop);
}

Result<Answer> Session::send(Call call, std::stop_token stop) {
  if (!trust_) {
    return trust_.error();
  }
  auto url = call.url;
  for (int redirects = 0; redirects <= most_redirects; ++redirects) {
    auto response = send_authorized(call, url, stop);
    if (!response) {
      return response.error();
    }
    if (url.authority() == base_url().authority()) {
      url.scheme = base_url().scheme;  // the first request may have settled it
    }
    if (!is_redirect(response->status) || !may_follow(call.method, response->status)) {
      return Answer{.response = std::move(*response), .url = url};
    }
    auto next = location({.response = std::move(*response), .url = url});
    if (!next) {
      return next.error();
    }
    url = *next;
  }
  return Error::failed("{} redirects more than {} times", registry_, most_redirects);
}

Result<base::Url> Session::location(const Answer& answer) const {
  const auto text = answer.response.headers.get("Location");
  if (!text || text->empty()) {
    return Error::failed("{} answered {} without the Location that belongs to it", registry_, answer.response.status);
  }
  const auto url = answer.url.resolve(*text);
  if (!url || (url->scheme != "http" && url->scheme != "https")) {
    return Error::failed("{} answered with a Location that is no http or https URL", registry_);
  }
  if (answer.url.scheme == "https" && url->scheme == "http") {
    return Error::refused("{} leads from https to plain http ({})", registry_, base::to_display(*url))
        .with_hint(
            "the registry does not know that it is behind https: its proxy must set X-Forwarded-Proto, or the "
            "registry 'http: {{relativeurls: true}}'");
  }
  if (leads_inside(*url, answer.url)) {
    return Error::refused("{} leads to {}, an address that keeps no blobs", registry_, base::to_display(*url));
  }
  return *url;
}

Error Session::refused(const http::Response& response, std::string doing) const {
  return refusal(response, {.registry = registry_,
                            .repository = repository_,
                            .doing = std::move(doing),
                            .credentials = authorizer_.description(),
                            .has_credentials = authorizer_.has_credentials()});
}

}  // namespace deployctl::registry
