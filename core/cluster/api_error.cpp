// Refusals are told apart by HTTP status, then by `reason` and `details.causes`, never by prose alone. Two exceptions
// are forced on us: a missing permission names its verb and resource only in the message, and an apply whose object
// does not fit the schema is a 500 without a reason.
#include "core/cluster/api_error.hpp"

#include "core/base/text.hpp"
#include "core/cluster/connection.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::cluster {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t longest_message = 2000;

std::string what(const Operation& operation) {
  return operation.name_space.empty() ? operation.object
                                      : fmt::format("{} in namespace {}", operation.object, operation.name_space);
}

std::string shortened(std::string_view text) {
  const auto trimmed = base::trim(text);
  const auto cut =
      trimmed.size() <= longest_message ? trimmed : trimmed.substr(0, base::utf8_boundary(trimmed, longest_message));
  return base::printable(cut);
}

std::string message_of(const StatusDetails& status) {
  return status.message.empty() ? fmt::format("HTTP status {}", status.code) : status.message;
}

// The text between two markers; empty when one is missing.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const auto start = text.find(before);
  if (start == std::string_view::npos) {
    return {};
  }
  const auto rest = text.substr(start + before.size());
  const auto end = rest.find(after);
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

// `… is forbidden: User "ci" cannot patch resource "deployments" in API group "apps" in the namespace "shop"`.
Error forbidden(const StatusDetails& status, const Operation& operation) {
  const auto& message = status.message;
  const auto user = between(message, "User \"", "\"");
  const auto verb = between(message, " cannot ", " resource ");
  const auto resource = between(message, " resource \"", "\"");
  if (!user.empty() && !verb.empty() && !resource.empty()) {
    const auto name_space = between(message, "in the namespace \"", "\"");
    const auto where = name_space.empty() ? std::string("in the cluster") : fmt::format("in namespace {}", name_space);
    return Error::unauthorized("user {} may not {} {} {}", user, verb, resource, where)
        .with_hint("grant the verb '{}' on '{}' with a Role and a RoleBinding", verb, resource);
  }
  if (status.has_cause("NamespaceTerminating")) {
    return Error::failed("cannot {} {}: the namespace is being deleted", operation.verb, what(operation))
        .with_hint("wait until it has gone, or use another namespace");
  }
  if (message.find("exceeded quota") != std::string::npos || message.find("denied the request") != std::string::npos) {
    return Error::refused("cannot {} {}: {}", operation.verb, what(operation), message);
  }
  return Error::unauthorized("cannot {} {}: {}", operation.verb, what(operation), message_of(status));
}

Error unauthenticated(const Connection& connection) {
  auto error =
      connection.user_name.empty()
          ? Error::unauthorized("the cluster at {} does not accept us: no user is configured", connection.description())
          : Error::unauthorized("the cluster at {} does not accept the credentials of user {}",
                                connection.description(), connection.user_name);
  return error.with_hint("log in again, or check the user's token or certificate in {}", connection.kubeconfig);
}

Error not_found(const StatusDetails& status, const Operation& operation) {
  if (!status.is_status) {
    return Error::not_found("the cluster does not serve {}", operation.object)
        .with_hint("its version may be too old or too new for this kind");
  }
  if (status.kind == "namespaces") {
    return Error::not_found("there is no namespace {}", status.name)
        .with_hint("create it first: kubectl create namespace {}", status.name);
  }
  return Error::not_found("there is no {}", what(operation));
}

// "failed to create typed patch object (shop/api; apps/v1, Kind=Deployment): .spec.replica: field not declared in
// schema"
bool is_unfit_object(const StatusDetails& status) {
  return status.code == 500 && status.message.find("failed to create typed") != std::string::npos;
}

Error invalid(const StatusDetails& status, const Operation& operation) {
  if (status.message.find("does not support dry run") != std::string::npos) {
    return Error::failed("cannot try out to {} {}: {}", operation.verb, what(operation), message_of(status))
        .with_hint(
            "declare in its configuration that the webhook has no side effects (sideEffects: None or NoneOnDryRun)");
  }
  if (status.causes.empty()) {
    return Error::invalid_input("the cluster refuses {}: {}", what(operation), message_of(status));
  }
  std::vector<std::string> parts;
  for (const auto& cause : status.causes) {
    parts.push_back(cause.field.empty() ? cause.message : cause.field + ": " + cause.message);
  }
  return Error::invalid_input("the cluster refuses {}: {}", what(operation), base::join(parts, "; "));
}

std::optional<std::chrono::milliseconds> read_retry_after(const http::Response& response) {
  const auto field = response.headers.get("Retry-After");
  const auto seconds = field ? base::parse_integer(base::trim(*field)) : std::nullopt;
  if (!seconds || *seconds < 0 || *seconds > 3600) {
    return std::nullopt;
  }
  return std::chrono::seconds(*seconds);
}

void read_status_object(const json::Value& body, StatusDetails& status) {
  const json::Reader root(body);
  if (root.at("kind").string_or() != "Status") {
    return;
  }
  const auto details = root.at("details");
  status.is_status = true;
  status.reason = root.at("reason").string_or();
  status.message = shortened(root.at("message").string_or());
  status.kind = details.at("kind").string_or();
  status.name = details.at("name").string_or();
  for (const auto& cause : details.at("causes").elements()) {
    status.causes.push_back({.reason = cause.at("reason").string_or(),
                             .message = shortened(cause.at("message").string_or()),
                             .field = cause.at("field").string_or()});
  }
  if (const auto seconds = details.at("retryAfterSeconds").integer(); seconds && *seconds > 0 && !status.retry_after) {
    status.retry_after = std::chrono::seconds(std::min(*seconds, 3600LL));
  }
}

}  // namespace

bool StatusDetails::has_cause(std::string_view wanted) const {
  return std::ranges::any_of(causes, [&](const StatusCause& cause) { return cause.reason == wanted; });
}

StatusDetails read_status(const http::Response& response) {
  StatusDetails status{.code = response.status, .retry_after = read_retry_after(response)};
  if (const auto body = json::parse(response.body, "the API server's answer")) {
    read_status_object(*body, status);
  }
  if (!status.is_status) {
    status.message = shortened(response.body);
  }
  return status;
}

Error to_error(const StatusDetails& status, const Operation& operation, const Connection& connection) {
  switch (status.code) {
    case 401:
      return unauthenticated(connection);
    case 403:
      return forbidden(status, operation);
    case 404:
      return not_found(status, operation);
    case 409:
      return Error::make(ErrorCode::conflict, "cannot {} {}: {}", operation.verb, what(operation), message_of(status));
    case 400:
    case 413:
    case 415:
    case 422:
      return invalid(status, operation);
    case 429:
      return Error::failed("cannot {} {}: the API server is overloaded", operation.verb, what(operation))
          .with_hint("try again later");
    default:
      break;
  }
  if (is_unfit_object(status)) {
    return invalid(status, operation);
  }
  if (status.code >= 300 && status.code < 400) {
    return Error::failed("cannot {} {}: {} answers with a redirect, as an API server does not", operation.verb,
                         what(operation), connection.description());
  }
  return Error::failed("cannot {} {}: {}", operation.verb, what(operation), message_of(status));
}

Error no_answer(const Error& error, const Operation& operation, const Connection& connection) {
  if (error.code != ErrorCode::unreachable) {
    return error.within("asking the cluster to {} {}", operation.verb, what(operation));
  }
  return Error::unreachable("cannot reach the cluster at {}: {}", connection.description(), to_string(error))
      .with_hint("check that the cluster runs, that this machine can reach it, and that the context is the right one");
}

std::optional<std::chrono::milliseconds> retry_delay(const StatusDetails& status) {
  if (status.code == 429) {
    return status.retry_after.value_or(std::chrono::seconds(1));
  }
  return status.code >= 500 && status.retry_after ? status.retry_after : std::nullopt;
}

}  // namespace deployctl::cluster
