#include "core/cluster/connection.hpp"

#include "core/base/text.hpp"

namespace deployctl::cluster {
namespace {

using base::Error;
using base::Result;

constexpr std::uint64_t largest_kubeconfig = 4u << 20u;

struct Found {
  kube::Access access;
  std::string origin;  // for messages
};

// "/root/.kube/config" is "~/.kube/config" for people.
std::string for_people(const std::string& path, const io::Environment& environment) {
  const auto home = environment.home_directory();
  return home.size() > 1 && path.starts_with(home + "/") ? "~" + path.substr(home.size()) : path;
}

struct Origin {
  std::vector<std::string> paths;
  bool must_exist = false;
};

Origin kubeconfig_origin(const ConnectOptions& options, const Ports& ports) {
  if (!options.kubeconfig.empty()) {
    return {.paths = {options.kubeconfig}, .must_exist = true};
  }
  if (auto paths = kube::kubeconfig_paths(ports.environment.get_or("KUBECONFIG", "")); !paths.empty()) {
    return {.paths = std::move(paths)};
  }
  return {.paths = {io::join_path(ports.environment.home_directory(), ".kube/config")}};
}

// Paths in a kubeconfig are relative to it, so it is named from the root.
std::string from_root(const std::string& path, const Ports& ports) {
  return io::join_path(ports.files.current_directory(), path);
}

struct Loaded {
  kube::Kubeconfig config;
  std::vector<std::string> paths;  // that exist
};

Result<Loaded> load(const ConnectOptions& options, const Ports& ports) {
  const auto origin = kubeconfig_origin(options, ports);
  std::vector<kube::Kubeconfig> files;
  Loaded loaded;
  for (const auto& path : origin.paths) {
    const auto text = ports.files.read(from_root(path, ports), largest_kubeconfig);
    if (!text && text.error().code == base::ErrorCode::not_found && !origin.must_exist) {
      continue;
    }
    if (!text) {
      return Error::invalid_input("cannot read the kubeconfig {}: {}", path, text.error().message);
    }
    auto file = kube::parse_kubeconfig(*text, from_root(path, ports));
    if (!file) {
      return file.error();
    }
    files.push_back(std::move(*file));
    loaded.paths.push_back(for_people(path, ports.environment));
  }
  loaded.config = kube::merge(std::move(files));
  return loaded;
}

bool is_empty(const kube::Kubeconfig& config) {
  return config.contexts.empty() && config.clusters.empty();
}

Error nothing_configured(const ConnectOptions& options, const Ports& ports) {
  std::vector<std::string> paths;
  for (const auto& path : kubeconfig_origin(options, ports).paths) {
    paths.push_back(for_people(path, ports.environment));
  }
  return Error::not_found("no cluster is configured: there is no context in {}", base::join(paths, ", "))
      .with_hint("set KUBECONFIG to your kubeconfig file, or put it at ~/.kube/config");
}

std::optional<Found> in_cluster(const Ports& ports) {
  const auto host = ports.environment.get_or("KUBERNETES_SERVICE_HOST", "");
  const auto port = ports.environment.get_or("KUBERNETES_SERVICE_PORT", "");
  const auto token = io::join_path(kube::service_account_folder, "token");
  if (host.empty() || port.empty() || ports.files.stat(token).kind != io::FileKind::regular) {
    return std::nullopt;
  }
  return Found{.access = kube::in_cluster_access(host, port), .origin = std::string(kube::service_account_folder)};
}

Result<Found> find_access(const ConnectOptions& options, const Ports& ports) {
  const auto loaded = load(options, ports);
  if (!loaded) {
    return loaded.error();
  }
  if (is_empty(loaded->config)) {
    if (auto found = options.context.empty() ? in_cluster(ports) : std::nullopt) {
      return std::move(*found);
    }
    return nothing_configured(options, ports);
  }
  const auto origin = base::join(loaded->paths, ":");
  auto access = kube::select_context(loaded->config, options.context);
  if (!access) {
    return access.error().within("reading {}", origin);
  }
  return Found{.access = std::move(*access), .origin = origin};
}

std::string find_name_space(const ConnectOptions& options, const kube::Access& access, const Ports& ports) {
  if (!options.name_space.empty()) {
    return options.name_space;
  }
  if (!access.name_space.empty()) {
    return access.name_space;
  }
  if (!access.context.empty()) {
    return "default";
  }
  if (const auto variable = ports.environment.get_or("POD_NAMESPACE", ""); !variable.empty()) {
    return variable;
  }
  const auto file = ports.files.read(io::join_path(kube::service_account_folder, "namespace"), 1024);
  const auto text = file ? base::trim(*file) : std::string_view();
  return text.empty() ? "default" : std::string(text);
}

bool has_credentials(const kube::UserEntry& user) {
  return !user.token.empty() || !user.token_file.empty() || !user.username.empty() || user.exec ||
         !user.client_certificate.empty();
}

std::vector<std::string> warnings_for(const kube::Access& access, const base::Url& server) {
  std::vector<std::string> warnings;
  if (server.scheme == "http" && has_credentials(access.user)) {
    warnings.push_back(
        fmt::format("the credentials of user {} are not sent: {} is not https", access.user_name, to_display(server)));
  }
  if (access.cluster.insecure_skip_tls_verify) {
    warnings.push_back(
        fmt::format("the certificate of {} is not verified (insecure-skip-tls-verify)", to_display(server)));
  }
  return warnings;
}

// A server without a scheme is taken as https, as client-go does.
Result<base::Url> server_url(const kube::Access& access) {
  const auto& text = access.cluster.server;
  auto url = base::Url::parse(text.find("://") == std::string::npos ? "https://" + text : text);
  if (!url || (url->scheme != "https" && url->scheme != "http")) {
    return Error::invalid_input("cluster '{}' has '{}' as its server, which is no https URL", access.cluster_name,
                                text);
  }
  return url;
}

}  // namespace

std::string Connection::description() const {
  return context.empty() ? fmt::format("{} (in-cluster configuration)", to_display(server))
                         : fmt::format("{} (context {} of {})", to_display(server), context, kubeconfig);
}

Result<Connection> open_connection(const ConnectOptions& options, const Ports& ports) {
  auto found = find_access(options, ports);
  if (!found) {
    return found.error();
  }
  auto& access = found->access;
  const auto server = server_url(access);
  if (!server) {
    return server.error().within("reading {}", found->origin);
  }
  access.cluster.server = to_string(*server);
  const auto credentials = Credentials::make(access, {ports.files, ports.environment, ports.processes, ports.clock});
  if (!credentials) {
    return credentials.error().within("using context {} of {}", access.context, found->origin);
  }
  return Connection{.server = *server,
                    .proxy = access.cluster.proxy_url,
                    .context = access.context,
                    .kubeconfig = found->origin,
                    .cluster_name = access.cluster_name,
                    .user_name = access.user_name,
                    .name_space = find_name_space(options, access, ports),
                    .warnings = warnings_for(access, *server),
                    .credentials = *credentials};
}

Result<kube::Kubeconfig> load_kubeconfig(const ConnectOptions& options, const Ports& ports) {
  auto loaded = load(options, ports);
  if (!loaded) {
    return loaded.error();
  }
  return is_empty(loaded->config) ? Result<kube::Kubeconfig>(nothing_configured(options, ports))
                                  : Result<kube::Kubeconfig>(std::move(loaded->config));
}

}  // namespace deployctl::cluster
