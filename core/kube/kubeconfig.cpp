// Reading follows client-go's loader (tools/clientcmd/loader.go), the checks its validation (validation.go).
#include "core/kube/kubeconfig.hpp"

#include "core/base/diagnostic.hpp"
#include "core/base/text.hpp"
#include "core/io/file_system.hpp"
#include "core/json/reader.hpp"
#include "core/yaml/convert.hpp"
#include "core/yaml/parse.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace deployctl::kube {
namespace {

using base::Error;
using base::Result;
using base::Secret;

// Decodes one file; the first thing that is wrong is kept and reported at the end.
class Decoder {
 public:
  explicit Decoder(std::string path) : path_(std::move(path)), folder_(io::parent_path(path_)) {}

  Result<Kubeconfig> decode(const json::Value& body) {
    const json::Reader root(body);
    if (!root.is_object() && !root.is_null()) {
      return Error::invalid_input("kubeconfig {}: it is no mapping", path_);
    }
    Kubeconfig config{.current_context = text(root.at("current-context")), .clusters = {}, .users = {}, .contexts = {}};
    decode_named(root, "clusters", "cluster", config.clusters, [this](json::Reader entry) { return cluster(entry); });
    decode_named(root, "users", "user", config.users, [this](json::Reader entry) { return user(entry); });
    decode_named(root, "contexts", "context", config.contexts, [this](json::Reader entry) { return context(entry); });
    if (!complaint_.empty()) {
      return Error::invalid_input("kubeconfig {}: {}", path_, complaint_);
    }
    return config;
  }

 private:
  template <typename Entry, typename Decode>
  void decode_named(json::Reader root, std::string_view list, std::string_view member,
                    std::map<std::string, Entry>& into, const Decode& decode_entry) {
    for (const auto& element : root.at(list).elements()) {
      const auto name = text(element.at("name"));
      if (name.empty()) {
        complain(element.at("name"), "is missing");
      } else {
        into.try_emplace(name, decode_entry(element.at(member)));
      }
    }
  }

  ClusterEntry cluster(json::Reader entry) {
    return {.server = text(entry.at("server")),
            .authority = material(entry, "certificate-authority"),
            .insecure_skip_tls_verify = flag(entry.at("insecure-skip-tls-verify")),
            .tls_server_name = text(entry.at("tls-server-name")),
            .proxy_url = text(entry.at("proxy-url")),
            .exec_extension = exec_extension(entry)};
  }

  static json::Value exec_extension(json::Reader cluster) {
    for (const auto& extension : cluster.at("extensions").elements()) {
      if (extension.at("name").string_or() == "client.authentication.k8s.io/exec" &&
          extension.at("extension").exists()) {
        return *extension.at("extension").value();
      }
    }
    return nullptr;
  }

  UserEntry user(json::Reader entry) {
    return {.client_certificate = material(entry, "client-certificate"),
            .client_key = material(entry, "client-key"),
            .token = Secret(text(entry.at("token"))),
            .token_file = file(text(entry.at("tokenFile"))),
            .username = text(entry.at("username")),
            .password = Secret(text(entry.at("password"))),
            .exec = exec(entry.at("exec")),
            .auth_provider = text(entry.at("auth-provider", "name")),
            .impersonation = impersonation(entry)};
  }

  Impersonation impersonation(json::Reader entry) {
    Impersonation who{.user = text(entry.at("as")), .uid = text(entry.at("as-uid")), .groups = {}, .extra = {}};
    who.groups = texts(entry.at("as-groups"));
    for (const auto& [key, values] : entry.at("as-user-extra").members()) {
      who.extra[key] = texts(values);
    }
    return who;
  }

  std::optional<ExecPlugin> exec(json::Reader entry) {
    if (!entry.is_object()) {
      return std::nullopt;
    }
    const auto command = text(entry.at("command"));
    ExecPlugin plugin{.api_version = text(entry.at("apiVersion")),
                      .command = command.find('/') == std::string::npos ? command : file(command),
                      .arguments = texts(entry.at("args")),
                      .environment = {},
                      .install_hint = text(entry.at("installHint")),
                      .interactive = interactive_mode(entry),
                      .provide_cluster_info = flag(entry.at("provideClusterInfo"))};
    for (const auto& variable : entry.at("env").elements()) {
      plugin.environment[text(variable.at("name"))] = text(variable.at("value"));
    }
    if (command.empty()) {
      complain(entry.at("command"), "is missing");
    }
    return plugin;
  }

  // Required by v1; v1beta1 has a default.
  ExecPlugin::Interactive interactive_mode(json::Reader exec) {
    const auto mode = text(exec.at("interactiveMode"));
    if (mode == "Never") {
      return ExecPlugin::Interactive::never;
    }
    if (mode == "Always") {
      return ExecPlugin::Interactive::always;
    }
    const bool may_be_absent = text(exec.at("apiVersion")).ends_with("/v1beta1");
    if (mode != "IfAvailable" && !(mode.empty() && may_be_absent)) {
      complain(exec.at("interactiveMode"), "must be Never, IfAvailable or Always");
    }
    return ExecPlugin::Interactive::if_available;
  }

  ContextEntry context(json::Reader entry) {
    return {.cluster = text(entry.at("cluster")),
            .user = text(entry.at("user")),
            .name_space = text(entry.at("namespace"))};
  }

  // A key that names a file, and the same key with "-data" that holds the bytes.
  Material material(json::Reader entry, const std::string& key) {
    Material found{.file = file(text(entry.at(key))), .bytes = {}};
    const auto data = entry.at(key + "-data");
    if (const auto encoded = text(data); !encoded.empty()) {
      const auto bytes = base::base64_decode(encoded);
      if (!bytes) {
        complain(data, "is no base64");
      }
      found.bytes = Secret(bytes.value_or(""));
    }
    return found;
  }

  std::string text(json::Reader reader) {
    if (reader.exists() && !reader.is_null() && !reader.string()) {
      complain(reader, "is no text");
    }
    return reader.string_or();
  }

  std::vector<std::string> texts(json::Reader list) {
    std::vector<std::string> found;
    for (const auto& element : list.elements()) {
      found.push_back(text(element));
    }
    return found;
  }

  bool flag(json::Reader reader) {
    if (reader.exists() && !reader.is_null() && !reader.boolean()) {
      complain(reader, "is neither true nor false");
    }
    return reader.boolean_or();
  }

  [[nodiscard]] std::string file(const std::string& path) const {
    return path.empty() ? path : io::join_path(folder_, path);
  }

  void complain(json::Reader reader, std::string_view what) {
    if (complaint_.empty()) {
      complaint_ = fmt::format("{} {}", reader.path(), what);
    }
  }

  std::string path_;
  std::string folder_;
  std::string complaint_;
};

template <typename Entry>
std::vector<std::string> names_of(const std::map<std::string, Entry>& entries) {
  std::vector<std::string> names;
  std::ranges::transform(entries, std::back_inserter(names), [](const auto& entry) { return entry.first; });
  return names;
}

// Empty when the cluster may be used.
std::string why_not_cluster(const ClusterEntry& cluster) {
  if (cluster.server.empty()) {
    return "it has no server";
  }
  if (!cluster.authority.file.empty() && !cluster.authority.bytes.empty()) {
    return "certificate-authority and certificate-authority-data are both given";
  }
  if (cluster.insecure_skip_tls_verify && !cluster.authority.empty()) {
    return "insecure-skip-tls-verify and a certificate authority are both given";
  }
  return {};
}

std::string why_not_plugin(const ExecPlugin& plugin) {
  const bool is_known = plugin.api_version == "client.authentication.k8s.io/v1" ||
                        plugin.api_version == "client.authentication.k8s.io/v1beta1";
  return is_known ? std::string()
                  : fmt::format("exec.apiVersion is '{}'; supported are client.authentication.k8s.io/v1 and …/v1beta1",
                                plugin.api_version);
}

std::string why_not_user(const UserEntry& user) {
  if (!user.auth_provider.empty()) {
    return fmt::format("it uses the auth-provider '{}', which Kubernetes has given up; use an exec plugin or a token",
                       user.auth_provider);
  }
  for (const auto* material : {&user.client_certificate, &user.client_key}) {
    if (!material->file.empty() && !material->bytes.empty()) {
      const auto* key = material == &user.client_key ? "client-key" : "client-certificate";
      return fmt::format("{0} and {0}-data are both given", key);
    }
  }
  if (user.client_certificate.empty() != user.client_key.empty()) {
    return user.client_key.empty() ? "it has a client-certificate without a client-key"
                                   : "it has a client-key without a client-certificate";
  }
  const bool has_token = !user.token.empty() || !user.token_file.empty();
  if (has_token && !user.username.empty()) {
    return "token and username are both given";
  }
  const auto& who = user.impersonation;
  if (who.user.empty() && (!who.groups.empty() || !who.uid.empty() || !who.extra.empty())) {
    return "as-groups, as-uid or as-user-extra is given without as";
  }
  return user.exec ? why_not_plugin(*user.exec) : std::string();
}

Result<ContextEntry> find_context(const Kubeconfig& config, std::string_view name) {
  if (name.empty()) {
    return Error::invalid_input("the kubeconfig has no current-context")
        .with_hint("name a context: {}", base::join(names_of(config.contexts), ", "));
  }
  const auto found = config.contexts.find(std::string(name));
  if (found == config.contexts.end()) {
    const auto names = names_of(config.contexts);
    auto suggestion = base::did_you_mean(name, names);
    if (suggestion.empty()) {
      suggestion = names.empty() ? "the kubeconfig has no contexts" : "there are: " + base::join(names, ", ");
    }
    return Error::not_found("the kubeconfig has no context '{}'", name).with_hint("{}", suggestion);
  }
  return found->second;
}

}  // namespace

Result<Kubeconfig> parse_kubeconfig(std::string_view text, const std::string& path) {
  base::Diagnostics diagnostics;
  const auto source = std::make_shared<const base::SourceFile>(path, std::string(text));
  const auto root = yaml::parse(source, diagnostics);
  for (const auto& diagnostic : diagnostics.sorted()) {
    if (diagnostic.severity == base::Severity::error) {
      return Error::invalid_input("kubeconfig {}: {}", path, diagnostic.message)
          .at(diagnostic.span)
          .with_hint("{}", diagnostic.hint);
    }
  }
  return Decoder(path).decode(yaml::to_json(root));
}

Kubeconfig merge(std::vector<Kubeconfig> files) {
  Kubeconfig merged;
  for (auto& file : files) {
    if (merged.current_context.empty()) {
      merged.current_context = std::move(file.current_context);
    }
    merged.clusters.merge(file.clusters);
    merged.users.merge(file.users);
    merged.contexts.merge(file.contexts);
  }
  return merged;
}

std::vector<std::string> kubeconfig_paths(std::string_view variable) {
  std::vector<std::string> paths;
  for (const auto part : base::split(variable, ':')) {
    if (!part.empty() && std::ranges::find(paths, part) == paths.end()) {
      paths.emplace_back(part);
    }
  }
  return paths;
}

Result<Access> select_context(const Kubeconfig& config, std::string_view context) {
  const auto name = context.empty() ? std::string_view(config.current_context) : context;
  const auto chosen = find_context(config, name);
  if (!chosen) {
    return chosen.error();
  }
  const auto cluster = config.clusters.find(chosen->cluster);
  if (cluster == config.clusters.end()) {
    return Error::invalid_input("context '{}' names the cluster '{}', which the kubeconfig does not have", name,
                                chosen->cluster);
  }
  if (const auto reason = why_not_cluster(cluster->second); !reason.empty()) {
    return Error::invalid_input("cluster '{}' in the kubeconfig cannot be used: {}", chosen->cluster, reason);
  }
  const auto user = config.users.find(chosen->user);
  if (user == config.users.end() && !chosen->user.empty()) {
    return Error::invalid_input("context '{}' names the user '{}', which the kubeconfig does not have", name,
                                chosen->user);
  }
  Access access{.context = std::string(name),
                .user_name = chosen->user,
                .cluster_name = chosen->cluster,
                .name_space = chosen->name_space,
                .cluster = cluster->second,
                .user = user == config.users.end() ? UserEntry{} : user->second};
  if (const auto reason = why_not_user(access.user); !reason.empty()) {
    return Error::invalid_input("user '{}' in the kubeconfig cannot be used: {}", chosen->user, reason);
  }
  return access;
}

Access in_cluster_access(std::string_view host, std::string_view port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  Access access;
  access.cluster.server =
      is_ipv6 ? fmt::format("https://[{}]:{}", host, port) : fmt::format("https://{}:{}", host, port);
  access.cluster.authority.file = io::join_path(service_account_folder, "ca.crt");
  access.user.token_file = io::join_path(service_account_folder, "token");
  access.user_name = "the pod's service account";
  access.cluster_name = "in-cluster";
  return access;
}

}  // namespace deployctl::kube
