// The releases of one project and environment, kept in the cluster itself (kube/release_secret.hpp). Thread-safe.
//
// Only who holds the Lock writes. Each write names the version of the record it has seen; a record that another epoch
// has written since is not ours any more, and the write is refused.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/kube/release.hpp"
#include "core/kube/release_secret.hpp"

#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::execute {

using LedgerScope = kube::LedgerScope;

class Ledger {
 public:
  // The client must outlive the ledger.
  Ledger(cluster::Client& client, LedgerScope scope);

  [[nodiscard]] const LedgerScope& scope() const { return scope_; }

  // Newest first, from one request for metadata. A deployed release is superseded where a newer one is deployed.
  base::Result<std::vector<kube::ReleaseSummary>> list(std::stop_token stop);
  // The same with the inventory of each, also where it is too long for metadata.
  base::Result<std::vector<kube::ReleaseSummary>> list_with_inventories(std::stop_token stop);
  // not_found, naming those there are, when there is no such release.
  base::Result<kube::Release> read(long long number, std::stop_token stop);

  // Writes it as pending under the next number, which is returned. conflict when another run took that number.
  base::Result<long long> begin(kube::Release release, std::stop_token stop);
  // What the run does next, for whoever goes on after it: replaces what was noted before. refused when another epoch
  // has taken the release over.
  base::Status note_progress(long long number, const json::Value& progress, std::stop_token stop);
  // How far its steps are, in words. refused as above.
  base::Status note_journal(long long number, std::string_view journal, std::stop_token stop);
  // Tasks that it begins and that no release before it can live with. refused as above.
  base::Status note_contracts(long long number, const std::vector<std::string>& tasks, std::stop_token stop);
  // How it ended. refused as above.
  base::Status finish(long long number, kube::ReleaseState state, std::string_view outcome, std::stop_token stop);
  // Nobody but `epoch` may write that release from now on.
  base::Status claim(const kube::ReleaseSummary& release, long long epoch, std::stop_token stop);
  // The same of a release that another run left pending, and says so.
  base::Status mark_interrupted(const kube::ReleaseSummary& left, long long epoch, std::stop_token stop);
  // Deletes all but kube::kept_releases; chunks without a head go too.
  base::Status prune(std::size_t keep, std::stop_token stop);

 private:
  struct Version {
    std::string resource_version;
    long long epoch = 0;
  };

  base::Result<std::vector<kube::ReleaseSummary>> read_list(std::stop_token stop);
  base::Status create(const kube::Object& secret, std::stop_token stop);
  base::Status change(long long number, const kube::ReleaseChange& change, std::stop_token stop);
  base::Status see_again(long long number, std::stop_token stop);
  [[nodiscard]] base::Error no_release(long long number) const;

  cluster::Client& client_;
  LedgerScope scope_;
  std::mutex mutex_;
  bool is_listed_ = false;
  long long highest_ = 0;                          // number in use, be it by a chunk
  std::vector<kube::ReleaseSummary> releases_;     // newest first
  std::map<long long, Version> versions_;          // of the heads, as last seen or written
  std::multimap<long long, std::string> secrets_;  // names by number: heads and chunks
};

}  // namespace deployctl::execute
