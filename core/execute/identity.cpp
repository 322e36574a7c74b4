#include "core/execute/identity.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/oci/digest.hpp"

#include <algorithm>
#include <optional>

namespace deployctl::execute {
namespace {

constexpr std::uint64_t largest_record = 64u << 10u;
constexpr std::string_view pem_begin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view pem_end = "-----END CERTIFICATE-----";

std::string place_of(const project::Target& target) {
  return target.environment.empty() ? *target.project : fmt::format("{} of {}", target.environment, *target.project);
}

// Nothing when there is no record yet.
base::Result<std::optional<kube::KnownCluster>> read_record(const std::string& path, const Ports& ports) {
  const auto text = ports.files.read(path, largest_record);
  if (!text) {
    return text.error().code == base::ErrorCode::not_found
               ? base::Result<std::optional<kube::KnownCluster>>(std::nullopt)
               : text.error();
  }
  const auto value = json::parse(*text, path);
  if (!value) {
    return value.error();
  }
  auto known = kube::known_cluster_from_json(*value);
  return known ? base::Result<std::optional<kube::KnownCluster>>(*known) : known.error().within("reading {}", path);
}

kube::ClusterIdentity identity_of(const project::ClusterPin& pin) {
  kube::ClusterIdentity identity{.uid = pin.uid, .authorities = {}};
  if (!pin.authority.empty()) {
    identity.authorities.push_back(pin.authority);
  }
  return identity;
}

std::string words_for(const project::ClusterPin& pin) {
  const auto uid = pin.uid.empty() ? "" : "kube-system " + pin.uid;
  const auto authority = pin.authority.empty() ? "" : "CA " + pin.authority;
  return uid + (uid.empty() || authority.empty() ? "" : ", ") + authority;
}

base::Error another_cluster(const project::Target& target, const std::string& why, const std::string& meant,
                            const kube::ClusterIdentity& seen, const cluster::Connection& connection) {
  return base::Error::refused("{} belongs to another cluster than the one that answers: {}\nmeant: {}\nthis: {}, {}",
                              place_of(target), why, meant, connection.description(), kube::to_string(seen));
}

std::string environment_option(const project::Target& target) {
  return target.environment.empty() ? "" : " -e " + target.environment;
}

// A pin that can be compared with nothing we see is no assurance at all.
base::Result<Binding> check_pin(const project::Target& target, const kube::ClusterIdentity& seen,
                                const cluster::Connection& connection) {
  const auto& pin = *target.cluster;
  const auto meant = identity_of(pin);
  const bool is_uid_seen = pin.uid.empty() || !seen.uid.empty();
  const bool is_authority_seen = pin.authority.empty() || !seen.authorities.empty();
  if (!is_uid_seen && (pin.authority.empty() || !is_authority_seen)) {
    return base::Error::refused("{} is pinned to the cluster whose kube-system has the UID {}, and we may not read it",
                                place_of(target), pin.uid)
        .with_hint("allow 'get' on the namespace kube-system, or pin the CA as well: cluster: {{ca: sha256:…}}")
        .at(pin.span);
  }
  if (!is_authority_seen) {
    return base::Error::refused("{} is pinned to the CA {}, and the kubeconfig names none for {}", place_of(target),
                                pin.authority, connection.description())
        .with_hint("pin the UID of kube-system instead: cluster: {{uid: …}}")
        .at(pin.span);
  }
  if (const auto why = kube::difference(meant, seen)) {
    return another_cluster(target, *why, words_for(pin), seen, connection)
        .with_hint("is it the right context? What is meant stands in the project manifest at 'cluster'")
        .at(pin.span);
  }
  return Binding::pinned;
}

// After a rotation both authorities are there for a while: the newest set is what is remembered.
bool is_worth_recording(const kube::KnownCluster& known, const kube::ClusterIdentity& seen) {
  return (!seen.uid.empty() && known.identity.uid.empty()) ||
         (!seen.authorities.empty() && known.identity.authorities != seen.authorities);
}

void record_binding(const project::Target& target, const kube::ClusterIdentity& seen,
                    const cluster::Connection& connection, const Ports& ports) {
  if (const auto written = accept_cluster(target, seen, connection, ports); !written) {
    ports.events.emit(
        events::Note{events::Note::Level::warning,
                     fmt::format("which cluster {} belongs to is not remembered: {}; pin it in the project manifest: "
                                 "'cluster: {{uid: {}}}'",
                                 place_of(target), base::to_string(written.error()), seen.uid)});
  }
}

base::Error with_way_to_accept(base::Error error, const project::Target& target) {
  return error.with_hint(
      "is it the right context? When the cluster has really been replaced, 'deployctl doctor{} --accept-cluster' makes "
      "it the one that is meant",
      environment_option(target));
}

}  // namespace

std::vector<std::string> certificate_digests(std::string_view pem) {
  std::vector<std::string> digests;
  for (auto begin = pem.find(pem_begin); begin != std::string_view::npos; begin = pem.find(pem_begin)) {
    pem.remove_prefix(begin + pem_begin.size());
    const auto end = pem.find(pem_end);
    if (const auto der = base::base64_decode(pem.substr(0, end)); der && end != std::string_view::npos) {
      digests.push_back(oci::Digest::of(*der).text());
    }
  }
  std::ranges::sort(digests);
  const auto repeated = std::ranges::unique(digests);
  digests.erase(repeated.begin(), repeated.end());
  return digests;
}

base::Result<kube::ClusterIdentity> read_identity(cluster::Client& client, std::stop_token stop) {
  kube::ClusterIdentity identity{.uid = {},
                                 .authorities = certificate_digests(client.connection().credentials->authority_pem())};
  const auto system = client.get({"v1", "Namespace", "", "kube-system"}, stop);
  if (system) {
    identity.uid = json::Reader(system->body).at("metadata", "uid").string_or();
  } else if (system.error().code != base::ErrorCode::unauthorized &&
             system.error().code != base::ErrorCode::not_found) {
    return system.error().within("finding out which cluster it is");
  }
  return identity;
}

base::Result<Binding> check_binding(const project::Target& target, const kube::ClusterIdentity& seen,
                                    const cluster::Connection& connection, Record record, const Ports& ports) {
  if (target.cluster) {
    return check_pin(target, seen, connection);
  }
  const auto known = read_record(binding_path(target, ports.environment), ports);
  if (!known) {
    return with_way_to_accept(known.error().within("finding out which cluster {} belongs to", place_of(target)),
                              target);
  }
  if (!*known) {
    const bool is_anything_known = !seen.uid.empty() || !seen.authorities.empty();
    if (record == Record::yes && is_anything_known) {
      record_binding(target, seen, connection, ports);
    }
    return Binding::first_use;
  }
  const auto& before = **known;
  if (const auto why = kube::difference(before.identity, seen)) {
    const auto meant = fmt::format("{}, {}, since {}", before.server, kube::to_string(before.identity), before.since);
    return with_way_to_accept(another_cluster(target, *why, meant, seen, connection), target);
  }
  if (record == Record::yes && is_worth_recording(before, seen)) {
    record_binding(target, {.uid = seen.uid.empty() ? before.identity.uid : seen.uid, .authorities = seen.authorities},
                   connection, ports);
  }
  return Binding::known;
}

base::Status require_bound_cluster(const project::Target& target, cluster::Client& client, const Ports& ports) {
  const auto seen = read_identity(client, ports.stop);
  if (!seen) {
    return seen.error();
  }
  const auto binding = check_binding(target, *seen, client.connection(), Record::yes, ports);
  return binding ? base::Status() : binding.error();
}

base::Status warn_of_another_cluster(const project::Target& target, cluster::Client& client, const Ports& ports) {
  const auto seen = read_identity(client, ports.stop);
  if (!seen) {
    return seen.error();
  }
  if (const auto binding = check_binding(target, *seen, client.connection(), Record::no, ports); !binding) {
    ports.events.emit(events::Note{events::Note::Level::warning, base::to_string(binding.error())});
  }
  return {};
}

base::Status accept_cluster(const project::Target& target, const kube::ClusterIdentity& seen,
                            const cluster::Connection& connection, const Ports& ports) {
  const kube::KnownCluster known{
      .identity = seen, .server = connection.description(), .since = io::to_rfc3339(ports.clock.now())};
  return ports.files.write(binding_path(target, ports.environment), json::to_pretty_text(kube::to_json(known)),
                           io::Permissions::secret);
}

std::string binding_path(const project::Target& target, const io::Environment& environment) {
  const auto state = environment.get_or("XDG_STATE_HOME", environment.home_directory() + "/.local/state");
  const auto name = target.environment.empty() ? *target.project : *target.project + "." + target.environment;
  return state + "/deployctl/clusters/" + name + ".json";
}

}  // namespace deployctl::execute
