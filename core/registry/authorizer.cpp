#include "core/registry/authorizer.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/registry/address.hpp"
#include "core/registry/failure.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;
using std::chrono::seconds;

constexpr seconds shortest_life{60};
constexpr seconds longest_wait_for_a_token{30};
constexpr std::uint64_t longest_token_answer = 1u << 20u;

// Where the token service is. The registry names it, so it is not trusted blindly.
Result<base::Url> checked_realm(const std::string& text, const Authorizer::Peer& peer) {
  const auto refuse = [&](std::string_view reason) {
    return Error::refused("{} names the token service '{}', {}", peer.registry, base::printable(text.substr(0, 200)),
                          reason);
  };
  const auto realm = base::Url::parse(text);
  if (!realm) {
    return refuse("which is no URL");
  }
  const bool is_same_host = realm->host == peer.base.host;
  const bool may_be_plain = peer.may_be_plain && (is_same_host || base::is_loopback_host(realm->host));
  if (realm->scheme != "https" && !(realm->scheme == "http" && may_be_plain)) {
    return refuse("which is not https: a password would be sent in clear");
  }
  if (!is_same_host && place_of(realm->host) != Place::elsewhere && !base::is_loopback_host(peer.base.host)) {
    return refuse("an address inside a private network");
  }
  return *realm;
}

struct Token {
  std::string text;
  seconds life{};
};

Result<Token> token_of(const http::Response& response, const std::string& host) {
  const auto value = json::parse(response.body, "the token service's answer");
  if (!value) {
    return Error::failed("the token service {} answered with something that is not JSON", host);
  }
  const json::Reader answer(*value);
  auto text = answer.at("token").string_or(answer.at("access_token").string_or());
  if (text.empty() || text.find_first_of("\r\n") != std::string::npos) {
    return Error::failed("the token service {} answered without a token", host);
  }
  const auto life =
      seconds(std::clamp<long long>(answer.at("expires_in").integer_or(0), shortest_life.count(), 86'400));
  return Token{.text = std::move(text), .life = life};
}

std::string form(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    text += (text.empty() ? "" : "&") + base::percent_encode(name) + "=" + base::percent_encode(value);
  }
  return text;
}

}  // namespace

// A fifth of its life is kept for what takes longer than expected, and a new token is not renewed at once.
bool Authorizer::has_to_renew(seconds needed) const {
  const auto kept = std::clamp(needed, token_life_ / 5, token_life_ * 4 / 5);
  return token_ends_ && *token_ends_ - clock_.steady_now() <= kept;
}

Result<std::string> Authorizer::header(const Peer& peer, seconds needed, std::stop_token stop) {
  const std::scoped_lock lock(mutex_);
  return has_to_renew(needed) ? fetch_token(peer, stop) : header_;
}

std::string Authorizer::last_header() const {
  const std::scoped_lock lock(mutex_);
  return header_;
}

Result<std::string> Authorizer::answer(const Peer& peer, const Challenge& challenge, const Refused& refused,
                                       std::stop_token stop) {
  const std::scoped_lock lock(mutex_);
  if (header_ != refused.used) {
    return header_;  // another thread has answered meanwhile
  }
  if (failure_ && refused.began < failure_->at) {
    return failure_->error;  // or could not
  }
  auto answered = attempt(peer, challenge, stop);
  const bool is_told = !answered && answered.error().code != base::ErrorCode::interrupted;
  failure_ = is_told ? std::optional(Failure{.error = answered.error(), .at = clock_.steady_now()}) : std::nullopt;
  return answered;
}

Result<std::string> Authorizer::attempt(const Peer& peer, const Challenge& challenge, std::stop_token stop) {
  challenge_ = challenge;
  if (const auto known = look_up(peer, stop); !known) {
    return known.error();
  }
  if (challenge.scheme == "bearer") {
    return fetch_token(peer, stop);
  }
  if (!lookup_.credentials || !header_.empty()) {
    return std::string();  // nothing to try, or refused already
  }
  header_ = basic();
  return header_;
}

Status Authorizer::look_up(const Peer& peer, std::stop_token stop) {
  if (looked_up_) {
    return {};
  }
  auto lookup = store_.find(peer.registry, peer.repository, stop);
  if (!lookup) {
    return lookup.error().within("looking for the credentials of {}", peer.registry);
  }
  lookup_ = std::move(*lookup);
  looked_up_ = true;
  return {};
}

Result<std::string> Authorizer::fetch_token(const Peer& peer, std::stop_token stop) {
  const auto realm = checked_realm(challenge_->parameter("realm"), peer);
  if (!realm) {
    return realm.error();
  }
  const bool has_identity = lookup_.credentials && !lookup_.credentials->identity_token.empty();
  auto response = has_identity ? ask_with_post(peer, *realm, stop) : ask_with_get(peer, *realm, stop);
  if (response && has_identity && response->status == 404) {
    response = ask_with_get(peer, *realm, stop);
  }
  if (!response) {
    return response.error().within("asking for a token for {}", peer.registry);
  }
  if (!response->is_success()) {
    // A token service says "wrong password" with 401, some with 400 or 403.
    return refusal(*response, {.registry = realm->authority(),
                               .repository = {},
                               .doing = fmt::format("get a token for {} from", peer.registry),
                               .credentials = describe_credentials(),
                               .has_credentials = lookup_.credentials.has_value()});
  }
  const auto token = token_of(*response, realm->authority());
  if (!token) {
    return token.error();
  }
  header_ = "Bearer " + token->text;
  token_life_ = token->life;
  token_ends_ = clock_.steady_now() + token->life;
  return header_;
}

Result<http::Response> Authorizer::ask_with_get(const Peer& peer, const base::Url& realm, std::stop_token stop) {
  http::Request request;
  request.url = realm;
  if (const auto service = challenge_->parameter("service"); !service.empty()) {
    request.url = request.url.with_query("service", service);
  }
  for (const auto& scope : scopes(peer)) {
    request.url = request.url.with_query("scope", scope);
  }
  if (lookup_.credentials && !lookup_.credentials->password.empty()) {
    request.headers.set("Authorization", basic());
  }
  return ask(std::move(request), peer, stop);
}

Result<http::Response> Authorizer::ask_with_post(const Peer& peer, const base::Url& realm, std::stop_token stop) {
  http::Request request;
  request.method = "POST";
  request.url = realm;
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.body = http::body_of(form({{"grant_type", "refresh_token"},
                                     {"refresh_token", lookup_.credentials->identity_token.reveal()},
                                     {"service", challenge_->parameter("service")},
                                     {"client_id", "deployctl"},
                                     {"scope", base::join(scopes(peer), " ")}}));
  return ask(std::move(request), peer, stop);
}

Result<http::Response> Authorizer::ask(http::Request request, const Peer& peer, std::stop_token stop) {
  request.tls = peer.tls;
  request.max_body_bytes = longest_token_answer;
  request.timeouts = patience_.timeouts;
  auto policy = patience_.retry;
  policy.budget = std::min<std::chrono::milliseconds>(policy.budget, longest_wait_for_a_token);
  const http::RetryingTransport::OnRetry silent;
  return http::send_with_retries({.transport = transport_, .clock = clock_, .policy = policy, .on_retry = silent},
                                 request, {.sink = {}, .on_upload = {}, .stop = stop});
}

// What we are going to do decides, not the scope of the challenge: that is for the one request that was refused. The
// repository that is written to comes first, as some token services look at the first scope only.
std::vector<std::string> Authorizer::scopes(const Peer& peer) const {
  if (peer.repository.empty() || access_ == Access::none) {
    return {};
  }
  const auto actions = access_ == Access::push ? "pull,push" : access_ == Access::remove ? "pull,delete" : "pull";
  std::vector<std::string> list{fmt::format("repository:{}:{}", peer.repository, actions)};
  if (!peer.also_pull.empty()) {
    list.push_back(fmt::format("repository:{}:pull", peer.also_pull));
  }
  return list;
}

std::string Authorizer::basic() const {
  const auto& credentials = *lookup_.credentials;
  return "Basic " + base::base64_encode(credentials.username + ":" + credentials.password.reveal());
}

bool Authorizer::has_credentials() const {
  const std::scoped_lock lock(mutex_);
  return lookup_.credentials.has_value();
}

std::string Authorizer::description() const {
  const std::scoped_lock lock(mutex_);
  return describe_credentials();
}

std::string Authorizer::describe_credentials() const {
  if (lookup_.credentials) {
    const auto& name = lookup_.credentials->username;
    return fmt::format("{} from {}", name.empty() || name == "<token>" ? "with the identity token" : "as user " + name,
                       lookup_.credentials->source);
  }
  if (lookup_.looked_in.empty()) {
    return "without credentials";
  }
  return fmt::format("without credentials (none found in {})", base::join(lookup_.looked_in, ", "));
}

}  // namespace deployctl::registry
