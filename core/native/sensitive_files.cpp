#include "core/native/sensitive_files.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace deployctl::native {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 17> known_names{{
    {".env", "environment variables, often with secrets"},
    {".git", "the repository with all its history"},
    {".netrc", "passwords of other hosts"},
    {"_netrc", "passwords of other hosts"},
    {".npmrc", "a configuration that may hold a registry token"},
    {".pypirc", "passwords of a package index"},
    {".pgpass", "database passwords"},
    {".my.cnf", "a database password"},
    {".htpasswd", "password hashes"},
    {".git-credentials", "passwords of git servers"},
    {".dockercfg", "passwords of registries"},
    {"id_rsa", "a private SSH key"},
    {"id_dsa", "a private SSH key"},
    {"id_ecdsa", "a private SSH key"},
    {"id_ed25519", "a private SSH key"},
    {"kubeconfig", "the credentials of a cluster"},
    {"terraform.tfstate", "the state of an infrastructure, secrets among it"},
}};

// By folder and name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> known_paths{{
    {".aws/credentials", "the credentials of a cloud account"},
    {".docker/config.json", "passwords of registries"},
    {".kube/config", "the credentials of a cluster"},
    {"gcloud/application_default_credentials.json", "the credentials of a cloud account"},
}};

constexpr std::array<std::string_view, 3> example_endings{".example", ".sample", ".template"};

constexpr std::array<std::string_view, 5> key_endings{".pem", ".key", ".ppk", ".p8", ".crt"};
constexpr std::string_view pem_begin = "-----BEGIN ";

// "-----BEGIN RSA PRIVATE KEY-----", whatever stands behind it.
bool is_key_line(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  return line.starts_with(pem_begin) && line.find("PRIVATE KEY") != std::string_view::npos;
}

bool holds_key_line(std::string_view text) {
  for (auto at = text.find(pem_begin); at != std::string_view::npos; at = text.find(pem_begin, at + 1)) {
    if (is_key_line(text.substr(at))) {
      return true;
    }
  }
  return false;
}

std::string_view without_blanks_before(std::string_view text) {
  text.remove_prefix(text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  const auto first = text.find_first_not_of(" \t\r\n");
  return text.substr(std::min(first, text.size()));
}

bool ends_with_path(std::string_view path, std::string_view ending) {
  return path.ends_with(ending) && (path.size() == ending.size() || path[path.size() - ending.size() - 1] == '/');
}

}  // namespace

std::string_view sensitive_kind(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  for (const auto& [known, kind] : known_names) {
    if (name == known) {
      return kind;
    }
  }
  for (const auto& [known, kind] : known_paths) {
    if (ends_with_path(path, known)) {
      return kind;
    }
  }
  const bool is_example =
      std::ranges::any_of(example_endings, [&](std::string_view ending) { return name.ends_with(ending); });
  return name.starts_with(".env.") && !is_example ? known_names.front().second : std::string_view();
}

bool is_private_key(std::string_view path, std::string_view first_bytes) {
  if (first_bytes.starts_with("PuTTY-User-Key-File-")) {
    return true;
  }
  const bool may_be_anywhere =
      std::ranges::any_of(key_endings, [&](std::string_view ending) { return path.ends_with(ending); });
  return may_be_anywhere ? holds_key_line(first_bytes) : is_key_line(without_blanks_before(first_bytes));
}

}  // namespace deployctl::native
