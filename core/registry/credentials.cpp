// The files are those of docker (docker/cli configfile) and podman (containers-auth.json(5)). Docker's keys are hosts,
// or the URLs older versions wrote; podman's may go on with a namespace or repository, the longest match wins. Helpers
// speak docker-credential-helpers' protocol: the registry on stdin, JSON on stdout, and "not found" as a failure whose
// reason stands on stdout.
#include "core/registry/credentials.hpp"

#include "core/base/secret_words.hpp"
#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;

constexpr std::uint64_t longest_file = 1u << 20u;
constexpr std::size_t longest_reason = 300;
constexpr auto helper_time = std::chrono::seconds(30);
constexpr std::string_view our_variable = "DEPLOYCTL_REGISTRY_AUTH_FILE";
constexpr std::string_view hub = "docker.io";
constexpr std::string_view hub_key = "https://index.docker.io/v1/";

struct Asked {
  std::string registry;    // "docker.io"
  std::string repository;  // "library/nginx"

  // The name docker keeps the registry under.
  [[nodiscard]] std::string docker_key() const { return registry == hub ? std::string(hub_key) : registry; }
};

// "https://index.docker.io/v1/" → "index.docker.io".
std::string_view host_of(std::string_view key) {
  for (const auto scheme : {std::string_view("https://"), std::string_view("http://")}) {
    if (key.starts_with(scheme)) {
      key.remove_prefix(scheme.size());
      return key.substr(0, key.find('/'));
    }
  }
  return key;
}

std::string_view canonical(std::string_view host) {
  return host == "index.docker.io" || host == "registry-1.docker.io" ? hub : host;
}

// `*` stands for any text.
bool matches_pattern(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) {
    return base::equals_ignoring_case(pattern, text);
  }
  if (text.size() < star || !base::equals_ignoring_case(pattern.substr(0, star), text.substr(0, star))) {
    return false;
  }
  const auto rest = pattern.substr(star + 1);
  for (auto from = star; from <= text.size(); ++from) {
    if (matches_pattern(rest, text.substr(from))) {
      return true;
    }
  }
  return false;
}

// A `*` in a host stands for text within one of its labels (Kubernetes documentation, "Images", "Interpretation of
// config.json").
bool is_host(std::string_view pattern, std::string_view host) {
  const auto patterns = base::split(pattern, '.');
  const auto labels = base::split(host, '.');
  return std::ranges::equal(patterns, labels, matches_pattern);
}

// How much of what was asked for a key covers; 0 when it is for something else.
std::size_t match_length(std::string_view key, const Asked& asked) {
  const auto [host, path] = base::split_once(host_of(key), '/');
  if (!is_host(canonical(host), asked.registry)) {
    return 0;
  }
  const bool covers = path.empty() || asked.repository == path ||
                      (asked.repository.starts_with(path) && asked.repository.substr(path.size()).starts_with('/'));
  return covers ? host.size() + 1 + path.size() : 0;
}

Result<Credentials> decode_auth(const json::Reader& entry, const std::string& source) {
  Credentials credentials{.username = entry.at("username").string_or(),
                          .password = base::Secret(entry.at("password").string_or()),
                          .identity_token = base::Secret(entry.at("identitytoken").string_or()),
                          .source = source};
  const auto encoded = entry.at("auth").string_or();
  if (encoded.empty()) {
    return credentials;
  }
  auto decoded = base::base64_decode(encoded);
  if (!decoded || decoded->find(':') == std::string::npos) {
    return Error::failed("an entry in {} is damaged: its auth is not base64 of user:password", source);
  }
  while (!decoded->empty() && decoded->back() == '\0') {
    decoded->pop_back();
  }
  const auto [user, password] = base::split_once(*decoded, ':');
  credentials.username = user;
  credentials.password = base::Secret(std::string(password));
  return credentials;
}

bool is_empty(const Credentials& credentials) {
  return credentials.username.empty() && credentials.password.empty() && credentials.identity_token.empty();
}

Result<std::optional<Credentials>> from_auths(const json::Reader& auths, const Asked& asked,
                                              const std::string& source) {
  std::size_t best = 0;
  std::optional<json::Reader> entry;
  for (const auto& [key, value] : auths.members()) {
    const auto length = match_length(key, asked);
    if (length > best) {
      best = length;
      entry = value;
    }
  }
  if (!entry) {
    return std::optional<Credentials>();
  }
  auto credentials = decode_auth(*entry, source);
  if (!credentials) {
    return credentials.error();
  }
  return is_empty(*credentials) ? std::nullopt : std::optional(*credentials);
}

// The helper's name for the registry: its own, or the store for all.
std::string helper_for(const json::Reader& config, const Asked& asked) {
  for (const auto& [key, value] : config.at("credHelpers").members()) {
    if (base::equals_ignoring_case(canonical(host_of(key)), asked.registry)) {
      return value.string_or();
    }
  }
  return config.at("credsStore").string_or();
}

bool is_helper_name(std::string_view name) {
  return std::ranges::all_of(name, [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '.' || byte == '_' || byte == '-';
  });
}

// The protocol has the reason on stdout; programs that helpers call tell theirs on stderr.
std::string reason_in(const io::Output& output) {
  std::vector<std::string> reasons;
  for (const auto* text : {&output.out, &output.err}) {
    const auto words = base::without_secrets(*text).substr(0, longest_reason);
    if (!words.empty()) {
      reasons.push_back(words);
    }
  }
  return base::join(reasons, "; ");
}

Result<std::optional<Credentials>> answer_of(const std::string& program, const io::Output& output) {
  if (!output.status.is_success()) {
    if (base::trim(output.out).find("credentials not found") != std::string_view::npos) {
      return std::optional<Credentials>();
    }
    const auto words = reason_in(output);
    return Error::failed("{} failed with exit code {}{}{}", program, output.status.code, words.empty() ? "" : ": ",
                         words);
  }
  const auto value = json::parse(output.out, "the answer of " + program);
  if (!value) {
    return Error::failed("{} answered with something that is not JSON", program);
  }
  const json::Reader answer(*value);
  const auto username = answer.at("Username").string_or();
  auto secret = base::Secret(answer.at("Secret").string_or());
  Credentials credentials{.username = username, .password = {}, .identity_token = {}, .source = program};
  (username == "<token>" ? credentials.identity_token : credentials.password) = std::move(secret);
  return is_empty(credentials) ? std::nullopt : std::optional(credentials);
}

Result<std::optional<Credentials>> ask_helper(io::ProcessRunner& runner, const std::string& name, const Asked& asked,
                                              const std::string& source, std::stop_token stop) {
  if (!is_helper_name(name)) {
    return Error::failed("{} names the credential helper '{}', which cannot be a program's name", source,
                         base::printable(name));
  }
  const auto program = "docker-credential-" + name;
  const io::Command command{.argv = {program, "get"},
                            .environment = {},
                            .without_environment = {},
                            .directory = {},
                            .input = asked.docker_key(),
                            .timeout = helper_time};
  const auto output = io::run_and_capture(runner, command, stop, longest_file);
  if (!output) {
    const bool is_missing = output.error().code == base::ErrorCode::not_found;
    return is_missing ? Error::failed("the credential helper {} that {} names is not installed", program, source)
                            .with_hint("install it, or log in again with `docker login {}`", asked.registry)
                      : output.error().within("asking {}", program);
  }
  return answer_of(program, *output);
}

struct Source {
  std::string name;
  std::string path;      // of a file
  std::string text;      // or the text itself
  bool is_bare = false;  // ~/.dockercfg: the entries without "auths" around them
  bool is_ours = false;  // named for us alone: it has to be there
};

std::vector<Source> sources(const io::Environment& environment) {
  const auto home = environment.home_directory();
  std::vector<Source> list;
  const auto add_file = [&](const std::string& path, bool is_bare = false) {
    list.push_back({.name = path, .path = path, .text = {}, .is_bare = is_bare});
  };
  if (auto path = environment.get_or(std::string(our_variable), ""); !path.empty()) {
    list.push_back({.name = path, .path = path, .text = {}, .is_ours = true});
  }
  if (auto text = environment.get_or("DOCKER_AUTH_CONFIG", ""); !text.empty()) {
    list.push_back({.name = "DOCKER_AUTH_CONFIG", .path = {}, .text = std::move(text)});
  }
  if (auto path = environment.get_or("REGISTRY_AUTH_FILE", ""); !path.empty()) {
    add_file(path);
  }
  if (auto directory = environment.get_or("XDG_RUNTIME_DIR", ""); !directory.empty()) {
    add_file(io::join_path(directory, "containers/auth.json"));
  }
  add_file(
      io::join_path(environment.get_or("XDG_CONFIG_HOME", io::join_path(home, ".config")), "containers/auth.json"));
  add_file(io::join_path(environment.get_or("DOCKER_CONFIG", io::join_path(home, ".docker")), "config.json"));
  add_file(io::join_path(home, ".dockercfg"), true);
  return list;
}

// The source's text; nothing when the file is not there.
Result<std::optional<std::string>> text_of(const io::FileSystem& files, const Source& source) {
  if (source.path.empty()) {
    return std::optional(source.text);
  }
  auto text = files.read(source.path, longest_file);
  if (text) {
    return std::optional(*text);
  }
  if (source.is_ours) {
    return text.error().within("reading what {} names", our_variable);
  }
  return text.error().code == base::ErrorCode::not_found ? Result<std::optional<std::string>>(std::nullopt)
                                                         : text.error();
}

}  // namespace

Result<std::optional<Credentials>> credentials_in(const base::Secret& document, DocumentForm form,
                                                  const std::string& registry, const std::string& repository,
                                                  const std::string& source) {
  const auto value = json::parse(document.reveal(), source, {.bytes = longest_file});
  if (!value) {
    return Error::failed("{} is not valid JSON", source);
  }
  const json::Reader config(*value);
  return from_auths(form == DocumentForm::bare ? config : config.at("auths"),
                    {.registry = registry, .repository = repository}, source);
}

Result<CredentialLookup> UserCredentials::find(const std::string& registry, const std::string& repository,
                                               std::stop_token stop) {
  const Asked asked{.registry = registry, .repository = repository};
  CredentialLookup lookup;
  for (const auto& source : sources(environment_)) {
    lookup.looked_in.push_back(source.name);
    const auto text = text_of(files_, source);
    if (!text) {
      return text.error();
    }
    if (!text->has_value() || base::trim(**text).empty()) {
      continue;
    }
    const auto value = json::parse(**text, source.name);
    if (!value) {
      return Error::failed("{} is not valid JSON", source.name)
          .with_hint("mend or remove it; `docker login` writes a new one");
    }
    const json::Reader config(*value);
    const auto helper = source.is_bare ? std::string() : helper_for(config, asked);
    auto found = helper.empty() ? Result<std::optional<Credentials>>(std::nullopt)
                                : ask_helper(runner_, helper, asked, source.name, stop);
    if (found && !found->has_value()) {
      found = from_auths(source.is_bare ? config : config.at("auths"), asked, source.name);
    }
    if (!found) {
      return found.error();
    }
    if (found->has_value()) {
      lookup.credentials = **found;
      return lookup;
    }
  }
  return lookup;
}

Result<CredentialLookup> FixedCredentials::find(const std::string& /*registry*/, const std::string& /*repository*/,
                                                std::stop_token /*stop*/) {
  return CredentialLookup{.credentials = credentials_, .looked_in = {}};
}

}  // namespace deployctl::registry
