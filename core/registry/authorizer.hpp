// Keeps the Authorization for one repository of one registry: answers challenges, fetches bearer tokens and renews them
// (distribution "Token Authentication", "OAuth2").
#pragma once

#include "core/http/retry.hpp"
#include "core/registry/challenge.hpp"
#include "core/registry/credentials.hpp"

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::registry {

enum class Access { none, pull, push, remove };

class Authorizer {
 public:
  struct Peer {
    std::string registry;        // the user's name for it
    std::string repository;      // may be empty: only the registry itself is asked
    std::string also_pull = {};  // a second repository, to mount blobs from; may be empty
    base::Url base;              // where it is; credentials go to this origin only
    bool may_be_plain = false;   // loopback or named insecure: its token service may be plain http as well
    std::shared_ptr<const http::TlsSettings> tls;
  };

  // How long a token service is waited for.
  struct Patience {
    http::RetryPolicy retry;
    http::Timeouts timeouts;
  };

  Authorizer(http::Transport& transport, io::Clock& clock, CredentialStore& credentials, Access access,
             Patience patience)
      : transport_(transport), clock_(clock), store_(credentials), access_(access), patience_(patience) {}

  // The value of Authorization to send, empty when nothing is known to be asked for. Renews a token near its end, or
  // one that would end within `needed`, which the request is expected to take, if a new one lasts longer.
  base::Result<std::string> header(const Peer& peer, std::chrono::seconds needed, std::stop_token stop);

  // What header() gave last: nothing is asked for.
  [[nodiscard]] std::string last_header() const;

  // The request that was refused with 401.
  struct Refused {
    const std::string& used;  // its Authorization
    io::SteadyTime began;
  };
  // The answer to a 401. An error when there is nothing (more) to try: unauthorized is left to the caller, who knows
  // the answer: then the result is empty. What was refused at the same time shares one attempt, also when that fails.
  base::Result<std::string> answer(const Peer& peer, const Challenge& challenge, const Refused& refused,
                                   std::stop_token stop);

  // For messages: "as user ada from /home/ada/.docker/config.json", "without credentials (none found in …)".
  [[nodiscard]] std::string description() const;
  [[nodiscard]] bool has_credentials() const;

 private:
  struct Failure {
    base::Error error;
    io::SteadyTime at;
  };

  base::Result<std::string> attempt(const Peer& peer, const Challenge& challenge, std::stop_token stop);
  base::Status look_up(const Peer& peer, std::stop_token stop);
  base::Result<std::string> fetch_token(const Peer& peer, std::stop_token stop);
  base::Result<http::Response> ask_with_get(const Peer& peer, const base::Url& realm, std::stop_token stop);
  base::Result<http::Response> ask_with_post(const Peer& peer, const base::Url& realm, std::stop_token stop);
  base::Result<http::Response> ask(http::Request request, const Peer& peer, std::stop_token stop);
  [[nodiscard]] std::vector<std::string> scopes(const Peer& peer) const;
  [[nodiscard]] bool has_to_renew(std::chrono::seconds needed) const;
  [[nodiscard]] std::string basic() const;
  [[nodiscard]] std::string describe_credentials() const;

  http::Transport& transport_;
  io::Clock& clock_;
  CredentialStore& store_;
  Access access_;
  Patience patience_;

  mutable std::mutex mutex_;
  bool looked_up_ = false;
  CredentialLookup lookup_;
  std::optional<Challenge> challenge_;
  std::string header_;
  std::optional<Failure> failure_;  // of the last attempt
  std::chrono::seconds token_life_{};
  std::optional<io::SteadyTime> token_ends_;
};

}  // namespace deployctl::registry
