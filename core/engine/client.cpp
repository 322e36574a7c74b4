#include "core/engine/client.hpp"

namespace deployctl::engine {
namespace {

const std::vector<Client>& table() {
  static const std::vector<Client> rows{
      {.kind = ClientKind::docker,
       .program = "docker",
       .version = {"version", "--format", "{{json .}}"},
       .inspect = {"image", "inspect"},
       .save = {"save"},
       .save_target = {},
       .remove_tag = {"rmi", "--no-prune"},
       .build_format = {}},
      {.kind = ClientKind::podman,
       .program = "podman",
       .version = {"version", "--format", "json"},
       .inspect = {"image", "inspect"},
       .save = {"save", "--quiet", "--format", "docker-archive"},
       .save_target = {},
       .remove_tag = {"rmi"},
       .build_format = {"--format", "docker"}},
      {.kind = ClientKind::buildah,
       .program = "buildah",
       .version = {"version", "--json"},
       .inspect = {"inspect", "--type", "image"},
       .save = {"push", "--quiet"},
       .save_target = {"docker-archive:/dev/stdout"},
       .remove_tag = {"rmi"},
       .build_format = {"--format", "docker"}},
  };
  return rows;
}

}  // namespace

std::span<const Client> clients() {
  return table();
}

const Client& client_of(ClientKind kind) {
  for (const auto& client : table()) {
    if (client.kind == kind) {
      return client;
    }
  }
  return table().front();
}

std::vector<std::string> client_environment() {
  return {
      "PATH",
      "HOME",
      "USER",
      "LOGNAME",
      "TMPDIR",
      "LANG",
      "LC_*",
      "XDG_*",
      "DOCKER_*",
      "BUILDKIT_*",
      "BUILDX_*",
      "CONTAINER_*",
      "CONTAINERS_*",
      "STORAGE_*",
      "BUILDAH_*",
      "PODMAN_*",
      "REGISTRY_AUTH_FILE",
      "SSH_AUTH_SOCK",
      "SSL_CERT_*",
      "SOURCE_DATE_EPOCH",
      "HTTP_PROXY",
      "HTTPS_PROXY",
      "NO_PROXY",
      "ALL_PROXY",
      "http_proxy",
      "https_proxy",
      "no_proxy",
      "all_proxy",
      "AWS_*",
      "AZURE_*",
      "GOOGLE_*",
      "CLOUDSDK_*",
  };
}

io::Command client_command(const EngineFacts& facts, std::span<const std::string_view> words,
                           const std::vector<std::string>& arguments) {
  io::Command command{.argv = {facts.program}, .only_environment = client_environment()};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace deployctl::engine
