// Requests to one repository of one registry: finds out how to speak to it, authorizes, follows redirects and retries.
// What the requests mean is not its business.
#pragma once

#include "core/http/retry.hpp"
#include "core/oci/reference.hpp"
#include "core/registry/authorizer.hpp"
#include "core/registry/client.hpp"
#include "core/registry/failure.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <string>

namespace deployctl::registry {

enum class Repeat {
  as_it_is,  // the same request again is harmless
  no,        // the caller has to begin again further up
  never,     // not even when the registry only wants us slower: one can do without the answer
};

struct Call {
  std::string method = "GET";
  base::Url url;
  http::Headers headers;
  std::shared_ptr<http::Body> body;
  http::UploadProgress on_upload;
  http::ResponseSink sink;  // a broken exchange that has one is not repeated here
  Repeat repeat = Repeat::as_it_is;
  bool on_new_connection = false;
  std::uint64_t max_body_bytes = 1u << 20u;
};

struct Answer {
  http::Response response;
  base::Url url;  // of the request that was answered: what its Location is relative to
};

// What was found out about a registry, whichever of its repositories it was.
struct Habits {
  std::atomic<std::uint64_t> chunk =
      0;  // bytes of a blob that it takes in one request; 0: any amount, as far as we know
};

class Session {
 public:
  // `also_pull`: another repository of that registry whose blobs are to be mounted, or empty. `habits` are shared by
  // all sessions with the registry.
  Session(const Ports& ports, const ClientOptions& options, std::string registry, std::string repository, Access access,
          std::string also_pull, std::shared_ptr<Habits> habits);

  // ".../v2/<repository>/<path>"; without a repository ".../v2/".
  [[nodiscard]] base::Url url(std::string_view path) const;
  // A hint that so many requests will be sent at once soon.
  void prepare(int requests);
  // Every answer that is no redirect, also a refusal.
  base::Result<Answer> send(Call call, std::stop_token stop);

  [[nodiscard]] Habits& habits() { return *habits_; }
  // Over so long a time it is looked whether a transfer is as good as one that stalls.
  [[nodiscard]] std::chrono::milliseconds longest_stall() const { return options_.timeouts.stall; }

  // Tells the registry that an upload session is not wanted any more (distribution-spec "Cancel a blob upload"): once,
  // for at most a second, even after a stop request, and whatever comes of it.
  void give_up(const base::Url& upload);

  // Where a Location leads. refused when the body would go out in clear although the registry speaks https.
  [[nodiscard]] base::Result<base::Url> location(const Answer& answer) const;
  // A refusal with the session's names in it.
  [[nodiscard]] base::Error refused(const http::Response& response, std::string doing) const;

  [[nodiscard]] const std::string& registry() const { return registry_; }
  [[nodiscard]] const std::string& repository() const { return repository_; }
  // The other repository, whose blobs can be mounted; or empty.
  [[nodiscard]] const std::string& also_pull() const { return also_pull_; }
  // The user named the registry insecure: it may be spoken to in clear, and its certificate is not looked at.
  [[nodiscard]] bool is_insecure() const { return is_insecure_; }
  [[nodiscard]] const Ports& ports() const { return ports_; }
  // Waits before the attempt after `attempt`, saying why. False when there should be none, or a stop was requested.
  bool wait_before_retry(int attempt, const std::string& reason, std::stop_token stop);
  [[nodiscard]] io::SteadyTime now() const { return ports_.clock.steady_now(); }
  // Longer than somebody else takes for what took us since `begun`, by a chance part of it. False when stopped.
  bool let_others_finish(io::SteadyTime begun, std::stop_token stop);

 private:
  base::Result<http::Response> send_authorized(const Call& call, const base::Url& url, std::stop_token stop);
  base::Result<http::Response> send_once(const Call& call, const base::Url& url, const std::string& authorization,
                                         std::stop_token stop);
  base::Result<http::Response> send_in_the_right_scheme(const Call& call, base::Url url,
                                                        const std::string& authorization, std::stop_token stop);
  // What the registry's root says, without a login.
  base::Result<http::Response> ping(const std::string& scheme, std::stop_token stop);
  base::Result<std::optional<Challenge>> challenge_of(const http::Response& response, std::stop_token stop);
  // With what may help: while there was no answer yet, or whatever came before when the certificate is not trusted.
  [[nodiscard]] base::Error unreached(base::Error error) const;
  [[nodiscard]] base::Error untrusted(base::Error error) const;
  [[nodiscard]] Authorizer::Peer peer() const;
  [[nodiscard]] base::Url base_url() const;
  void settle_scheme(std::string scheme);
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] http::RetryPolicy policy(Repeat repeat) const;
  void tell_retry(const std::string& reason, std::chrono::milliseconds wait);
  void tell_warnings(const http::Headers& headers);
  void notice(const std::string& text);

  const Ports& ports_;
  const ClientOptions& options_;
  std::string registry_;
  std::string repository_;
  std::string also_pull_;
  std::shared_ptr<Habits> habits_;
  bool is_insecure_;
  bool is_loopback_;
  base::Result<std::shared_ptr<const http::TlsSettings>> trust_;  // an error: nothing is sent
  std::shared_ptr<const http::TlsSettings> tls_;
  Authorizer authorizer_;
  std::atomic<bool> reached_ = false;  // it has answered before

  mutable std::mutex mutex_;
  base::Url base_;
  bool scheme_settled_;
  std::set<std::string> told_;
};

}  // namespace deployctl::registry
