#include "core/registry/failure.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::registry {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t longest_words = 300;

std::string shown(std::string_view text) {
  return base::printable(text.substr(0, base::utf8_boundary(text, longest_words)));
}

// What the server said, at best "DENIED: requested access to the resource is denied".
std::string words_of(const http::Response& response) {
  const auto entries = error_entries(response);
  if (!entries.empty()) {
    const auto& first = entries.front();
    const auto separator = first.code.empty() || first.message.empty() ? "" : ": ";
    return shown(first.code + separator + first.message);
  }
  const auto type = response.headers.get("Content-Type").value_or("");
  const auto text = base::trim(response.body);
  return type.starts_with("text/plain") ? shown(text.substr(0, text.find('\n'))) : "";
}

// Registries say it with 400, 409 or 412, but always in this word.
bool is_immutable(const http::Response& response) {
  return response.status >= 400 && response.status < 500 &&
         base::to_lower(words_of(response)).find("immutable") != std::string::npos;
}

ErrorCode code_of(const http::Response& response) {
  if (is_immutable(response)) {
    return ErrorCode::conflict;
  }
  switch (response.status) {
    case 401:
    case 403:
      return ErrorCode::unauthorized;
    case 404:
      return ErrorCode::not_found;
    case 409:
      return ErrorCode::conflict;
    case 502:
    case 503:
    case 504:
      return ErrorCode::unreachable;
    default:
      return ErrorCode::failed;
  }
}

std::string asked_to_wait(const std::string& wait) {
  return fmt::format("the registry asks to wait: {} (seconds or a date)", shown(wait));
}

std::string hint_of(const http::Response& response, const Attempt& attempt) {
  if (is_immutable(response)) {
    return "the registry lets no tag be moved to another image: push under a new tag";
  }
  const auto wait = response.headers.get("Retry-After");
  switch (response.status) {
    case 401:
      return attempt.has_credentials ? fmt::format("check them with `docker login {}`", attempt.registry)
                                     : fmt::format("log in with `docker login {}`", attempt.registry);
    case 403:
      return attempt.has_credentials ? "ask the registry's owner for the right to push there"
                                     : fmt::format("log in with `docker login {}`", attempt.registry);
    case 413:
      return "a proxy in front of the registry limits the size of uploads";
    case 429:
      return wait ? asked_to_wait(*wait) : "the registry limits how often it may be asked: try again later";
    default:
      return wait ? asked_to_wait(*wait) : "";
  }
}

}  // namespace

std::vector<ErrorEntry> error_entries(const http::Response& response) {
  const auto value = json::parse(response.body, "the registry's error");
  std::vector<ErrorEntry> entries;
  if (value) {
    for (const auto& entry : json::Reader(*value).at("errors").elements()) {
      entries.push_back({.code = entry.at("code").string_or(), .message = entry.at("message").string_or()});
    }
  }
  return entries;
}

bool has_error_code(const http::Response& response, std::string_view code) {
  const auto entries = error_entries(response);
  return std::ranges::find(entries, code, &ErrorEntry::code) != entries.end();
}

Error refusal(const http::Response& response, const Attempt& attempt) {
  const auto words = words_of(response);
  const auto where = attempt.repository.empty() ? attempt.registry : attempt.registry + "/" + attempt.repository;
  const auto code = code_of(response);
  const auto who = code == ErrorCode::unauthorized && !attempt.credentials.empty() ? " " + attempt.credentials : "";
  auto error = Error::make(code, "cannot {} {}{}: it answered {}{}{}", attempt.doing, where, who, response.status,
                           words.empty() ? "" : " ", words);
  error.hint = hint_of(response, attempt);
  return error;
}

}  // namespace deployctl::registry
