#include "core/project/values.hpp"

#include "core/base/text.hpp"
#include "core/base/url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace deployctl::project {
namespace {

using base::Error;
using base::Result;

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

bool is_letter(char byte) {
  return letters.find(byte) != std::string_view::npos;
}
bool is_digit(char byte) {
  return digits.find(byte) != std::string_view::npos;
}

bool consists_of(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text, [extra](char byte) {
    return is_letter(byte) || is_digit(byte) || extra.find(byte) != std::string_view::npos;
  });
}

bool has_control_bytes(std::string_view text) {
  return std::ranges::any_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; });
}

Error refusal(std::string_view text, std::string_view what, std::string_view hint) {
  return Error::invalid_input("'{}' is not {}", base::printable(text), what).with_hint("{}", hint);
}

// The nearest text that is a DNS label: "My_API" gives "my-api".
std::string as_label(std::string_view text) {
  std::string label;
  for (const char byte : base::to_lower(text)) {
    const bool fits = (byte >= 'a' && byte <= 'z') || is_digit(byte);
    if (fits || (!label.empty() && label.back() != '-')) {
      label += fits ? byte : '-';
    }
  }
  label.resize(std::min<std::size_t>(label.size(), 63));
  while (label.ends_with('-')) {
    label.pop_back();
  }
  return label;
}

std::string label_hint(std::string_view text) {
  const bool is_ascii = std::ranges::all_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
  const auto label = is_ascii ? as_label(text) : std::string();
  return label.empty() ? "use lower-case letters, digits and '-', starting and ending with a letter or digit"
                       : fmt::format("did you mean '{}'?", label);
}

std::optional<double> parse_decimal(std::string_view text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const bool is_whole = problem == std::errc{} && end == text.data() + text.size() && std::isfinite(number);
  return is_whole ? std::optional(number) : std::nullopt;
}

Result<std::string> parse_any(const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    return Error::invalid_input("a NUL byte cannot stand here");
  }
  return text;
}

Result<std::string> parse_dns_label(const std::string& text) {
  if (!base::is_dns_label(text)) {
    return refusal(text, "a DNS label", label_hint(text));
  }
  return text;
}

Result<std::string> parse_service_name(const std::string& text) {
  if (!base::is_dns_label(text)) {
    return refusal(text, "a name for a service", label_hint(text));
  }
  if (is_digit(text.front())) {
    return refusal(text, "a name for a service", "start with a letter");
  }
  return text;
}

bool is_subdomain(std::string_view text) {
  const auto labels = base::split(text, '.');
  return text.size() <= 253 && std::ranges::all_of(labels, base::is_dns_label);
}

Result<std::string> parse_object_name(const std::string& text) {
  if (!is_subdomain(text)) {
    return refusal(text, "the name of a Kubernetes object", "use lower-case letters, digits, '-' and '.'");
  }
  return text;
}

bool is_hexadecimal(std::string_view text) {
  return std::ranges::all_of(text, [](char byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f'); });
}

Result<std::string> parse_uid(const std::string& text) {
  const auto parts = base::split(text, '-');
  constexpr std::array<std::size_t, 5> lengths{8, 4, 4, 4, 12};
  const bool has_form = std::ranges::equal(parts, lengths, {}, [](std::string_view part) { return part.size(); }) &&
                        std::ranges::all_of(parts, is_hexadecimal);
  if (!has_form) {
    return refusal(text, "a UID", "'deployctl doctor' prints the cluster's");
  }
  return text;
}

Result<std::string> parse_certificate_digest(const std::string& text) {
  constexpr std::string_view algorithm = "sha256:";
  const auto digest =
      text.starts_with(algorithm) ? std::string_view(text).substr(algorithm.size()) : std::string_view();
  if (digest.size() != 64 || !is_hexadecimal(digest)) {
    return refusal(text, "the SHA-256 of a certificate", "'deployctl doctor' prints the cluster's: sha256:…");
  }
  return text;
}

Result<std::string> parse_port_name(const std::string& text) {
  const bool has_letter = std::ranges::any_of(text, is_letter);
  if (!base::is_dns_label(text) || text.size() > 15 || !has_letter || text.find("--") != std::string::npos) {
    return refusal(text, "a name for a port", "use at most 15 lower-case letters, digits and '-', with one letter");
  }
  return text;
}

Result<std::string> parse_variable_name(const std::string& text) {
  if (text.empty() || is_digit(text.front()) || !consists_of(text, "_")) {
    return refusal(text, "a name for a variable", "use letters, digits and '_', not starting with a digit");
  }
  return text;
}

Result<std::string> parse_file_word(const std::string& text) {
  if (text.empty() || !(is_letter(text.front()) || is_digit(text.front())) || !consists_of(text, "_.-")) {
    return refusal(text, "a plain name", "use letters, digits, '_', '.' and '-', starting with a letter or digit");
  }
  return text;
}

Result<std::string> parse_host_name(const std::string& text) {
  const auto name = text.starts_with("*.") ? std::string_view(text).substr(2) : std::string_view(text);
  if (!is_subdomain(name)) {
    return refusal(text, "a host name", "write only the name, such as api.example.com or *.example.com");
  }
  return text;
}

Result<std::string> parse_web_path(const std::string& text) {
  if (!text.starts_with('/') || has_control_bytes(text) || text.find(' ') != std::string::npos) {
    return refusal(text, "a path",
                   text.starts_with('/') ? std::string("leave out blanks")
                                         : fmt::format("did you mean '/{}'?", base::printable(text)));
  }
  return text;
}

Result<std::string> parse_http_url(const std::string& text) {
  const auto url = base::Url::parse(text);
  if (!url) {
    return url.error();
  }
  if (url->scheme != "http" && url->scheme != "https") {
    return refusal(text, "an HTTP address", "start with https:// or http://");
  }
  return text;
}

// RFC 6901: "~" only as "~0" and "~1".
Result<std::string> parse_json_pointer(const std::string& text) {
  if (!text.starts_with('/')) {
    return refusal(text, "a JSON pointer", fmt::format("did you mean '/{}'?", base::printable(text)));
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) {
      return refusal(text, "a JSON pointer", "write '~0' for '~' and '~1' for '/' in a name");
    }
  }
  return text;
}

Result<std::string> parse_header_name(const std::string& text) {
  if (text.empty() || !consists_of(text, "-_")) {
    return refusal(text, "the name of a header or cookie", "use letters, digits, '-' and '_'");
  }
  return text;
}

Result<std::string> parse_object_path_name(const std::string& text) {
  const auto parts = base::split(text, '/');
  if (parts.size() > 2 || !std::ranges::all_of(parts, is_subdomain)) {
    return refusal(text, "the name of a Kubernetes object", "write NAME or NAMESPACE/NAME");
  }
  return text;
}

Result<SecretSource> parse_secret_source(const std::string& text) {
  const auto [from, name] = base::split_once(text, ':');
  if (from == "env" && !name.empty() && name.find_first_of(" \t=") == std::string_view::npos) {
    return SecretSource{SecretSource::From::environment, std::string(name)};
  }
  if (from == "file" && !name.empty()) {
    return SecretSource{SecretSource::From::file, std::string(name)};
  }
  // The text is not quoted: it may be the secret itself.
  return Error::invalid_input("a secret names where its value comes from, not the value itself")
      .with_hint("write env:NAME for an environment variable or file:PATH for a file");
}

// The path without ".", ".." and doubled slashes; nothing when it leads out of where it starts.
std::optional<std::string> normalised(std::string_view path) {
  std::vector<std::string> parts;
  for (const auto part : base::split(path, '/')) {
    if (part == "..") {
      if (parts.empty()) {
        return std::nullopt;
      }
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.emplace_back(part);
    }
  }
  return parts.empty() ? "." : base::join(parts, "/");
}

Result<std::string> parse_folder_path(const std::string& text) {
  if (text.empty() || has_control_bytes(text)) {
    return refusal(text, "a path", "write a path relative to the project manifest");
  }
  if (text.starts_with('/') || text.starts_with('~')) {
    return Error::invalid_input("'{}' is not inside the project", base::printable(text))
        .with_hint("write a path relative to the project manifest");
  }
  const auto path = normalised(text);
  if (!path) {
    return Error::invalid_input("'{}' leads out of the project's folder", base::printable(text));
  }
  return *path;
}

Result<std::string> parse_container_path(const std::string& text) {
  if (!text.starts_with('/') || has_control_bytes(text) || text.find(':') != std::string::npos) {
    return refusal(text, "a path in a container", "write an absolute path without ':', such as /var/lib/app");
  }
  const auto parts = base::split(text, '/');
  if (std::ranges::any_of(parts, [](std::string_view part) { return part == ".." || part == "."; })) {
    return refusal(text, "a path in a container", "leave out '.' and '..'");
  }
  auto path = normalised(std::string_view(text).substr(1)).value_or(".");
  if (path == ".") {
    return Error::invalid_input("nothing can be put over the whole file system of a container");
  }
  return "/" + path;
}

Result<std::string> parse_package(const std::string& text) {
  const auto path = normalised(text);
  if (text.empty() || text.starts_with('-') || text.starts_with('/') || !path || !consists_of(text, "_./+-")) {
    return refusal(text, "a package", "name a Go package inside the source folder (./cmd/api) or a CMake target");
  }
  return text;
}

Result<std::string> parse_image(const std::string& text) {
  const auto name = parse_image_name(text);
  if (!name) {
    return name.error();
  }
  return text;
}

Result<std::string> parse_pods_or_percentage(const std::string& text) {
  const bool is_percentage = text.ends_with('%');
  const auto count = base::parse_integer(std::string_view(text).substr(0, text.size() - (is_percentage ? 1 : 0)));
  if (!count || *count < 0 || *count > (is_percentage ? 100 : 1000)) {
    return refusal(text, "a number of pods", "write a number or a percentage: 1 or 25%");
  }
  return text;
}

}  // namespace

Form<std::string> any_text(std::string_view name) {
  return text<std::string>({.name = name}, parse_any);
}

Form<std::string> loose_text(std::string_view name) {
  return text<std::string>({.name = name, .accepts_numbers = true}, parse_any);
}

Form<std::string> dns_label() {
  return text<std::string>(
      {.name = "DNS label",
       .doc = "lower-case letters, digits and `-`, starting and ending with a letter or digit, at most 63 (RFC 1123)",
       .pattern = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"},
      parse_dns_label);
}

Form<std::string> service_name() {
  return text<std::string>({.name = "service name",
                            .doc = "a DNS label that starts with a letter (RFC 1035)",
                            .pattern = "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"},
                           parse_service_name);
}

Form<std::string> object_name() {
  return text<std::string>({.name = "object name",
                            .doc = "DNS labels joined by `.`: the name of a Kubernetes object",
                            .pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"},
                           parse_object_name);
}

Form<std::string> port_name() {
  return text<std::string>({.name = "port name",
                            .doc = "at most 15 lower-case letters, digits and `-`, with at least one letter (RFC 6335)",
                            .pattern = "^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$"},
                           parse_port_name);
}

Form<std::string> variable_name() {
  return text<std::string>({.name = "variable name",
                            .doc = "letters, digits and `_`, not starting with a digit",
                            .pattern = "^[A-Za-z_][A-Za-z0-9_]*$"},
                           parse_variable_name);
}

Form<std::string> file_word(std::string_view name) {
  return text<std::string>({.name = name, .pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]*$"}, parse_file_word);
}

Form<std::string> host_name() {
  return text<std::string>({.name = "host name",
                            .doc = "`api.example.com`, or `*.example.com` for all names below one",
                            .pattern = "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"},
                           parse_host_name);
}

Form<std::string> web_path() {
  return text<std::string>({.name = "URL path", .doc = "starts with `/`", .pattern = "^/[^ ]*$"}, parse_web_path);
}

Form<std::string> http_url() {
  return text<std::string>({.name = "URL", .doc = "`https://…` or `http://…`", .pattern = "^https?://.+$"},
                           parse_http_url);
}

Form<std::string> json_pointer() {
  return text<std::string>(
      {.name = "JSON pointer", .doc = "`/status`, `/checks/0/state` (RFC 6901)", .pattern = "^/.*$"},
      parse_json_pointer);
}

Form<std::string> header_name() {
  return text<std::string>({.name = "header name", .pattern = "^[A-Za-z0-9_-]+$"}, parse_header_name);
}

Form<std::string> object_path_name() {
  return text<std::string>({.name = "name of an object",
                            .doc = "`name`, or `namespace/name` where it is in another namespace",
                            .pattern = "^[-a-z0-9.]+(/[-a-z0-9.]+)?$"},
                           parse_object_path_name);
}

Form<SecretSource> secret_source() {
  return text<SecretSource>({.name = "source of a secret",
                             .doc = "`env:NAME` for an environment variable, `file:PATH` for a file",
                             .pattern = "^(env|file):.+$"},
                            parse_secret_source);
}

Form<std::string> folder_path() {
  return text<std::string>({.name = "path in the project",
                            .doc = "relative to the project manifest, never leading out of its folder",
                            .pattern = "^[^/~].*$"},
                           parse_folder_path);
}

Form<std::string> container_path() {
  return text<std::string>(
      {.name = "path in the container", .doc = "absolute, without `..` and `:`", .pattern = "^/[^:]+$"},
      parse_container_path);
}

Form<std::string> package_name() {
  return text<std::string>({.name = "package",
                            .doc = "a Go package inside the source folder (`./cmd/api`) or a CMake target",
                            .pattern = "^[A-Za-z0-9_.+][A-Za-z0-9_./+-]*$"},
                           parse_package);
}

Form<std::string> cluster_uid() {
  return text<std::string>({.name = "UID",
                            .doc = "as `kubectl get namespace kube-system -o jsonpath={.metadata.uid}` prints it",
                            .pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
                           parse_uid);
}

Form<std::string> certificate_digest() {
  return text<std::string>(
      {.name = "digest", .doc = "`sha256:` and 64 hexadecimal digits", .pattern = "^sha256:[0-9a-f]{64}$"},
      parse_certificate_digest);
}

Form<std::string> image_name() {
  return text<std::string>(
      {.name = "image reference", .doc = "`repository`, `repository:tag` or `repository@sha256:…`"}, parse_image);
}

Form<std::string> registry() {
  return text<std::string>({.name = "registry", .doc = "`host[:port][/path]`, without a scheme"},
                           [](const std::string& written) { return parse_registry(written); });
}

Form<std::string> registry_host() {
  return text<std::string>({.name = "registry's host", .doc = "`host[:port]`"},
                           [](const std::string& written) { return parse_registry_host(written); });
}

Form<base::Milliseconds> duration(base::Milliseconds least) {
  const auto parse = [least](const std::string& written) -> Result<base::Milliseconds> {
    const auto value = base::parse_duration(written);
    if (value && value->count() % 1000 != 0) {
      return Error::invalid_input("'{}' is not a whole number of seconds", written);
    }
    if (value && *value < least) {
      return Error::invalid_input("'{}' is too short: at least {} are needed", written, base::to_string(least));
    }
    return value;
  };
  return text<base::Milliseconds>({.name = "duration",
                                   .doc = "whole seconds as numbers with units: `30s`, `5m`, `1h30m`",
                                   .pattern = "^(0|([0-9]+(ms|s|m|h|d))+)$",
                                   .accepts_numbers = true},
                                  parse);
}

Form<base::Milliseconds> exact_duration() {
  const auto parse = [](const std::string& written) -> Result<base::Milliseconds> {
    const auto value = base::parse_duration(written);
    if (value && value->count() == 0) {
      return Error::invalid_input("'{}' is no time at all", written);
    }
    return value;
  };
  return text<base::Milliseconds>({.name = "time span",
                                   .doc = "numbers with units: `250ms`, `2s`, `1m`",
                                   .pattern = "^(([0-9]+(ms|s|m|h|d))+)$",
                                   .accepts_numbers = true},
                                  parse);
}

Form<double> decimal(double least, double most) {
  const auto parse = [least, most](const std::string& written) -> Result<double> {
    const auto value = parse_decimal(written);
    if (!value) {
      return refusal(written, "a number", "write digits with a '.' for the fraction, such as 0.01");
    }
    if (*value < least || *value > most) {
      return Error::invalid_input("'{}' is not between {} and {}", written, least, most);
    }
    return *value;
  };
  return text<double>({.name = "decimal number",
                       .doc = "digits, with a fraction where there is one: `0.01`, `2`",
                       .pattern = "^-?[0-9]*\\.?[0-9]*$",
                       .accepts_numbers = true},
                      parse);
}

Form<base::Quantity> quantity() {
  return text<base::Quantity>(
      {.name = "quantity",
       .doc = "a number with an optional unit: `100m` or `0.5` of a core, `128Mi` or `1Gi` of memory",
       .pattern = "^([0-9]+\\.?[0-9]*|\\.[0-9]+)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$",
       .accepts_numbers = true},
      [](const std::string& written) { return base::Quantity::parse(written); });
}

Form<std::string> pods_or_percentage() {
  return text<std::string>({.name = "number of pods",
                            .doc = "a number, or a percentage of all pods: `1`, `25%`",
                            .pattern = "^[0-9]+%?$",
                            .accepts_numbers = true},
                           parse_pods_or_percentage);
}

}  // namespace deployctl::project
