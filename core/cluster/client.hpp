// The Kubernetes API, as far as a deployment needs it. Thread-safe.
//
// Errors: unreachable (no server, with its URL and the context), unauthorized (401, or 403 in words), not_found,
// conflict (another field manager, a stale version), invalid_input (the server cannot take the object), failed.
// Requests that may be repeated are, when the server asks for it (429, Retry-After) or the connection broke.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/api.hpp"
#include "core/cluster/connection.hpp"
#include "core/cluster/discovery.hpp"
#include "core/kube/object.hpp"
#include "core/kube/permission.hpp"
#include "core/kube/resource.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::cluster {

inline constexpr std::string_view field_manager = "deployctl";

enum class Force { no, yes };
enum class DryRun { no, yes };
enum class Change { created, configured, unchanged };
enum class PatchType { merge, strategic_merge, json };
enum class Detail { whole, metadata };

struct ApplyOptions {
  Force force = Force::no;  // take fields over from other managers
  DryRun dry_run = DryRun::no;
  // The live object's resource version as the caller knows it, "" when there is no such object. Nothing: it is read
  // first, which costs a request.
  std::optional<std::string> known_version;
  std::stop_token stop;
};

struct Applied {
  Change change = Change::unchanged;
  kube::Object object;                // as the server has it now
  std::vector<std::string> warnings;  // of the server, for the user
  std::string time;                   // by the server's clock: RFC 3339, empty when it does not tell
};

struct ListQuery {
  kube::Resource resource;
  std::string name_space;  // empty: all namespaces
  std::string label_selector;
  std::string field_selector;
  Detail detail = Detail::whole;  // metadata: the objects have nothing else, which saves the data of large ones
};

struct ObjectList {
  std::vector<kube::Object> items;
  std::string resource_version;
};

struct RemoveOptions {
  std::string uid;               // only if it is this very object
  std::string resource_version;  // only in this version
  std::stop_token stop;
};

struct LogQuery {
  std::string name_space;
  std::string pod;
  std::string container;
  bool previous = false;
  std::optional<int> tail_lines;
  std::string since_time;  // RFC 3339
  bool timestamps = false;
  std::uint64_t limit_bytes = 64u << 10u;  // 0: none
};

class Client {
 public:
  // The parts must outlive the client.
  Client(Connection connection, http::Transport& transport, io::Clock& clock);

  [[nodiscard]] const Connection& connection() const { return api_.connection(); }

  base::Result<kube::Object> get(const kube::ObjectKey& key, std::stop_token stop = {});
  // The same object in the newest version the server has of its kind (autoscaling, policy), to read or remove it by;
  // not_found when it serves none.
  base::Result<kube::ObjectKey> served(kube::ObjectKey key, std::stop_token stop = {});
  // All pages.
  base::Result<ObjectList> list(const ListQuery& query, std::stop_token stop = {});

  // Server-side apply. An object that is being deleted is an error (failed), not a success. APIs that have moved
  // between versions (autoscaling, policy) are sent in the newest version the server has. Fields that only we had set
  // and that the object does not have go, with the defaults beside them, also where the server's apply cannot do that.
  base::Result<Applied> apply(const kube::Object& object, const ApplyOptions& options = {});
  // For locks and records: conflict when it exists, or when the object's resourceVersion is not the live one.
  base::Result<kube::Object> create(const kube::Object& object, std::stop_token stop = {});
  base::Result<kube::Object> replace(const kube::Object& object, std::stop_token stop = {});
  base::Result<kube::Object> patch(const kube::ObjectKey& key, PatchType type, const json::Value& patch,
                                   DryRun dry_run = DryRun::no, std::stop_token stop = {});
  // Its dependants go too, in the background. not_found when it is not there.
  base::Status remove(const kube::ObjectKey& key, const RemoveOptions& options = {});

  // What a container printed, at most limit_bytes of it; not_found when the node has that no more.
  base::Result<std::string> logs(const LogQuery& query, std::stop_token stop = {});

  // The server's version: "v1.20.2". Proves that it can be reached.
  base::Result<std::string> server_version(std::stop_token stop = {});
  // Whether we may: SelfSubjectAccessReview. `resource` may be "pods/log".
  base::Result<bool> may(std::string_view verb, const kube::Resource& resource, std::string_view name_space,
                         std::string_view subresource = {}, std::stop_token stop = {});

  // What we may do in a namespace, as far as the server lists it: SelfSubjectRulesReview, one request for everything.
  base::Result<kube::AccessRules> access_rules(std::string_view name_space, std::stop_token stop = {});

  [[nodiscard]] Api& api() { return api_; }

 private:
  base::Result<kube::Object> in_served_version(kube::Object object, std::stop_token stop);
  base::Result<std::string> live_version(const kube::Object& object, const ApplyOptions& options);
  struct ApplyAnswer {
    kube::Object object;
    bool is_new = false;
    std::string time;
  };
  base::Result<ApplyAnswer> apply_or_drop(const kube::Object& object, const ApplyOptions& options);
  base::Result<http::Response> send_apply(const kube::Object& object, const ApplyOptions& options,
                                          StatusDetails& refusal);
  base::Result<kube::Object> write(Call call, std::stop_token stop);

  Api api_;
  Discovery discovery_;
};

// open_connection and a client on it.
base::Result<std::unique_ptr<Client>> connect(const ConnectOptions& options, const Ports& ports);

}  // namespace deployctl::cluster
