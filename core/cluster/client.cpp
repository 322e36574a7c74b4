#include "core/cluster/client.hpp"

#include "core/cluster/conflict.hpp"
#include "core/cluster/dropping.hpp"
#include "core/cluster/lost_log.hpp"
#include "core/http/retry.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::cluster {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using kube::Object;
using kube::ObjectKey;

constexpr int page_size = 500;
constexpr int attempts_at_listing = 3;

Operation operation_on(std::string verb, const ObjectKey& key) {
  return {.verb = std::move(verb), .object = kube::to_string(key), .name_space = key.name_space};
}

Result<kube::Resource> resource_for(const ObjectKey& key) {
  if (auto resource = kube::find_resource(key.api_version, key.kind)) {
    return *resource;
  }
  return Error::failed("objects of kind {} ({}) are not known to deployctl", key.kind, key.api_version);
}

Result<Object> object_in(const http::Response& response) {
  auto body = json::parse(response.body, "the API server's answer", {.bytes = 64u << 20u});
  if (!body) {
    return body.error();
  }
  return Object{.body = std::move(*body)};
}

std::string metadata(const Object& object, std::string_view name) {
  return json::Reader(object.body).at("metadata", name).string_or();
}

bool is_terminating(const Object& object) {
  return !metadata(object, "deletionTimestamp").empty();
}

Error terminating_error(const Object& object) {
  return Error::failed("{} is being deleted", kube::to_string(object.key()))
      .with_hint("wait until it has gone; a finalizer may be holding it: {}",
                 json::to_compact_text(object.body.at("metadata").value("finalizers", json::Value::array())));
}

std::string_view content_type_of(PatchType type) {
  switch (type) {
    case PatchType::merge:
      return "application/merge-patch+json";
    case PatchType::strategic_merge:
      return "application/strategic-merge-patch+json";
    case PatchType::json:
      return "application/json-patch+json";
  }
  return "";
}

// Seconds, as the times in objects are.
std::string time_of(const http::Headers& headers) {
  const auto date = headers.get("Date");
  const auto time = date ? http::parse_http_date(*date) : std::nullopt;
  return time ? io::to_rfc3339(*time) : std::string();
}

void add_dry_run(Call& call, DryRun dry_run) {
  if (dry_run == DryRun::yes) {
    call.query.emplace_back("dryRun", "All");
  }
}

}  // namespace

Client::Client(Connection connection, http::Transport& transport, io::Clock& clock)
    : api_(std::move(connection), transport, clock), discovery_(api_) {}

Result<Object> Client::get(const ObjectKey& key, std::stop_token stop) {
  const auto resource = resource_for(key);
  if (!resource) {
    return resource.error();
  }
  const auto response = api_.send({.path = kube::object_path(*resource, key.name_space, key.name),
                                   .operation = operation_on("read", key),
                                   .timeouts = reading_timeouts()},
                                  std::move(stop));
  if (!response) {
    return response.error();
  }
  return object_in(*response);
}

namespace {

// What stands on the page is moved to `list`; the items of a list do not repeat its kind.
std::string take_page(json::Value& page, const kube::Resource& resource, ObjectList& list) {
  const json::Reader metadata(page["metadata"]);
  list.resource_version = metadata.at("resourceVersion").string_or();
  auto next = metadata.at("continue").string_or();
  auto& items = page["items"];
  for (auto& item : items) {
    item["apiVersion"] = resource.api_version();
    item["kind"] = resource.kind;
    list.items.push_back({.body = std::move(item)});
  }
  return next;
}

Call list_call(const ListQuery& query) {
  Call call{.path = kube::collection_path(query.resource, query.name_space),
            .operation = {.verb = "list", .object = query.resource.plural, .name_space = query.name_space},
            .timeouts = reading_timeouts()};
  if (query.detail == Detail::metadata) {
    call.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
  }
  call.query.emplace_back("limit", std::to_string(page_size));
  if (!query.label_selector.empty()) {
    call.query.emplace_back("labelSelector", query.label_selector);
  }
  if (!query.field_selector.empty()) {
    call.query.emplace_back("fieldSelector", query.field_selector);
  }
  return call;
}

}  // namespace

// Pages of one list are of one version, until it expires between two of them: then the list begins anew.
Result<ObjectList> Client::list(const ListQuery& query, std::stop_token stop) {
  for (int attempt = 1;; ++attempt) {
    ObjectList list;
    std::string next;
    StatusDetails refusal;
    do {
      auto call = list_call(query);
      if (!next.empty()) {
        call.query.emplace_back("continue", next);
      }
      const auto response = api_.send(call, stop, &refusal);
      if (!response && refusal.code == 410 && attempt < attempts_at_listing) {
        break;
      }
      if (!response) {
        return response.error();
      }
      auto page = json::parse(response->body, "the API server's answer", {.bytes = call.max_body_bytes});
      if (!page) {
        return page.error();
      }
      next = take_page(*page, query.resource, list);
    } while (!next.empty());
    if (refusal.code != 410) {
      return list;
    }
  }
}

Result<Applied> Client::apply(const Object& original, const ApplyOptions& options) {
  auto served = in_served_version(original, options.stop);
  if (!served) {
    return served.error();
  }
  const auto& object = *served;
  const auto before = live_version(object, options);
  if (!before) {
    return before.error();
  }
  auto answer = apply_or_drop(object, options);
  if (!answer) {
    return answer.error();
  }
  auto& [applied, is_new, time] = *answer;
  // The server takes the write, but the object will be gone soon.
  if (is_terminating(applied)) {
    return terminating_error(applied);
  }
  // In a dry run the version may be unknown, and "" no sign.
  const bool is_created = is_new || (before->empty() && options.dry_run == DryRun::no);
  const bool is_same = metadata(applied, "resourceVersion") == *before;
  return Applied{.change = is_created ? Change::created
                           : is_same  ? Change::unchanged
                                      : Change::configured,
                 .object = std::move(applied),
                 .warnings = api_.take_warnings(),
                 .time = std::move(time)};
}

// What the server finds invalid may be so only because of what its apply leaves of fields that are to go.
Result<Client::ApplyAnswer> Client::apply_or_drop(const Object& object, const ApplyOptions& options) {
  StatusDetails refusal;
  auto response = send_apply(object, options, refusal);
  if (!response && refusal.code == 422) {
    auto written = write_dropping(*this, object, options.dry_run, options.stop);
    if (!written) {
      return written.error();
    }
    if (*written && options.dry_run == DryRun::yes) {
      return ApplyAnswer{.object = std::move(**written)};
    }
    if (*written) {
      response = send_apply(object, options, refusal);
    }
  }
  if (!response) {
    return response.error();
  }
  auto applied = object_in(*response);
  if (!applied) {
    return applied.error();
  }
  return ApplyAnswer{
      .object = std::move(*applied), .is_new = response->status == 201, .time = time_of(response->headers)};
}

Result<std::string> Client::live_version(const Object& object, const ApplyOptions& options) {
  if (options.known_version) {
    return *options.known_version;
  }
  const auto live = get(object.key(), options.stop);
  if (!live && live.error().code == ErrorCode::not_found) {
    return std::string();
  }
  if (!live) {
    return live.error();
  }
  return is_terminating(*live) ? Result<std::string>(terminating_error(*live))
                               : Result<std::string>(metadata(*live, "resourceVersion"));
}

// The body is read as YAML by the server even though it is JSON, hence json::to_compact_text (Kubernetes documentation,
// "Server-Side Apply").
Result<http::Response> Client::send_apply(const Object& object, const ApplyOptions& options, StatusDetails& refusal) {
  const auto key = object.key();
  const auto resource = resource_for(key);
  if (!resource) {
    return resource.error();
  }
  Call call{.method = "PATCH",
            .path = kube::object_path(*resource, key.name_space, key.name),
            .query = {{"fieldManager", std::string(field_manager)}},
            .content_type = "application/apply-patch+yaml",
            .body = json::to_compact_text(object.body),
            .operation = operation_on("apply", key),
            .timeouts = writing_timeouts()};
  add_dry_run(call, options.dry_run);
  auto forced = call;
  forced.query.emplace_back("force", "true");
  auto response = api_.send(options.force == Force::yes ? forced : call, options.stop, &refusal);
  if (response || !is_ownership_conflict(refusal)) {
    return response;
  }
  if (is_conflict_with(refusal, field_manager)) {
    return api_.send(forced, options.stop, &refusal);
  }
  const auto live = get(key, options.stop);
  return conflict_error(object, live ? &*live : nullptr, refusal);
}

// Kinds that have moved between versions are sent in the newest one the server has; all others as they are, without
// asking.
Result<Object> Client::in_served_version(Object object, std::stop_token stop) {
  if (object.name_space().empty()) {
    if (const auto resource = kube::find_resource(object.api_version(), object.kind());
        resource && resource->scope == kube::Scope::name_space) {
      object.body["metadata"]["namespace"] = connection().name_space;
    }
  }
  const auto key = served(object.key(), std::move(stop));
  if (!key) {
    return key.error();
  }
  object.body["apiVersion"] = key->api_version;
  return object;
}

Result<ObjectKey> Client::served(ObjectKey key, std::stop_token stop) {
  const auto resource = kube::find_resource(key.api_version, key.kind);
  const auto known = resource ? kube::known_versions(resource->group, resource->kind) : std::vector<std::string>();
  if (known.size() < 2) {
    return key;
  }
  const auto versions = discovery_.versions(resource->group, std::move(stop));
  if (!versions) {
    return versions.error();
  }
  const auto best = std::ranges::find_if(
      known, [&](const std::string& version) { return std::ranges::find(*versions, version) != versions->end(); });
  if (best == known.end()) {
    return Error::not_found("the cluster does not serve {} ({})", resource->kind, resource->group);
  }
  key.api_version = resource->group + "/" + *best;
  return key;
}

Result<Object> Client::write(Call call, std::stop_token stop) {
  call.timeouts = writing_timeouts();
  const auto response = api_.send(call, std::move(stop));
  if (!response) {
    return response.error();
  }
  return object_in(*response);
}

Result<Object> Client::create(const Object& object, std::stop_token stop) {
  const auto key = object.key();
  const auto resource = resource_for(key);
  if (!resource) {
    return resource.error();
  }
  return write({.method = "POST",
                .path = kube::collection_path(*resource, key.name_space),
                .query = {{"fieldManager", std::string(field_manager)}},
                .content_type = "application/json",
                .body = json::to_compact_text(object.body),
                .operation = operation_on("create", key),
                .repeat = Repeat::no},
               std::move(stop));
}

Result<Object> Client::replace(const Object& object, std::stop_token stop) {
  const auto key = object.key();
  const auto resource = resource_for(key);
  if (!resource) {
    return resource.error();
  }
  return write({.method = "PUT",
                .path = kube::object_path(*resource, key.name_space, key.name),
                .query = {{"fieldManager", std::string(field_manager)}},
                .content_type = "application/json",
                .body = json::to_compact_text(object.body),
                .operation = operation_on("replace", key),
                .repeat = Repeat::no},
               std::move(stop));
}

Result<Object> Client::patch(const ObjectKey& key, PatchType type, const json::Value& patch, DryRun dry_run,
                             std::stop_token stop) {
  const auto resource = resource_for(key);
  if (!resource) {
    return resource.error();
  }
  Call call{.method = "PATCH",
            .path = kube::object_path(*resource, key.name_space, key.name),
            .query = {{"fieldManager", std::string(field_manager)}},
            .content_type = std::string(content_type_of(type)),
            .body = json::to_compact_text(patch),
            .operation = operation_on("patch", key),
            .repeat = type == PatchType::json ? Repeat::no : Repeat::yes};
  add_dry_run(call, dry_run);
  return write(std::move(call), std::move(stop));
}

base::Status Client::remove(const ObjectKey& key, const RemoveOptions& options) {
  const auto resource = resource_for(key);
  if (!resource) {
    return resource.error();
  }
  json::Value body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (!options.uid.empty()) {
    body["preconditions"]["uid"] = options.uid;
  }
  if (!options.resource_version.empty()) {
    body["preconditions"]["resourceVersion"] = options.resource_version;
  }
  const auto response = api_.send({.method = "DELETE",
                                   .path = kube::object_path(*resource, key.name_space, key.name),
                                   .content_type = "application/json",
                                   .body = json::to_compact_text(body),
                                   .operation = operation_on("delete", key),
                                   .timeouts = writing_timeouts()},
                                  options.stop);
  return response ? base::Status() : base::Status(response.error());
}

Result<std::string> Client::logs(const LogQuery& query, std::stop_token stop) {
  const auto path = kube::object_path(kube::resource_of("Pod"), query.name_space, query.pod) + "/log";
  Call call{.path = path,
            .accept = "*/*",
            .operation = {.verb = "read", .object = "the log of pod/" + query.pod, .name_space = query.name_space},
            .timeouts = reading_timeouts()};
  const auto add = [&](std::string name, std::string value) {
    if (!value.empty()) {
      call.query.emplace_back(std::move(name), std::move(value));
    }
  };
  add("container", query.container);
  add("previous", query.previous ? "true" : "");
  add("tailLines", query.tail_lines ? std::to_string(*query.tail_lines) : "");
  add("sinceTime", query.since_time);
  add("timestamps", query.timestamps ? "true" : "");
  add("limitBytes", query.limit_bytes > 0 ? std::to_string(query.limit_bytes) : "");
  auto response = api_.send(call, std::move(stop));
  if (!response) {
    return response.error();
  }
  if (is_lost_log(response->body)) {
    return Error::not_found("the log of pod/{} is gone, with its container", query.pod);
  }
  return std::move(response->body);
}

Result<std::string> Client::server_version(std::stop_token stop) {
  const auto body = api_.send_for_json({.path = "/version",
                                        .operation = {.verb = "read", .object = "the server's version"},
                                        .timeouts = reading_timeouts()},
                                       std::move(stop));
  if (!body) {
    return body.error();
  }
  return json::Reader(*body).at("gitVersion").required_string();
}

Result<bool> Client::may(std::string_view verb, const kube::Resource& resource, std::string_view name_space,
                         std::string_view subresource, std::stop_token stop) {
  const json::Value review = {{"apiVersion", "authorization.k8s.io/v1"},
                              {"kind", "SelfSubjectAccessReview"},
                              {"spec",
                               {{"resourceAttributes",
                                 {{"namespace", std::string(name_space)},
                                  {"verb", std::string(verb)},
                                  {"group", resource.group},
                                  {"resource", resource.plural},
                                  {"subresource", std::string(subresource)}}}}}};
  const auto body = api_.send_for_json({.method = "POST",
                                        .path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                                        .content_type = "application/json",
                                        .body = json::to_compact_text(review),
                                        .operation = {.verb = "ask for", .object = "our permissions"},
                                        .timeouts = reading_timeouts()},
                                       std::move(stop));
  if (!body) {
    return body.error();
  }
  return json::Reader(*body).at("status", "allowed").boolean_or();
}

Result<kube::AccessRules> Client::access_rules(std::string_view name_space, std::stop_token stop) {
  const json::Value review = {{"apiVersion", "authorization.k8s.io/v1"},
                              {"kind", "SelfSubjectRulesReview"},
                              {"spec", {{"namespace", std::string(name_space)}}}};
  const auto body = api_.send_for_json({.method = "POST",
                                        .path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                                        .content_type = "application/json",
                                        .body = json::to_compact_text(review),
                                        .operation = {.verb = "ask for", .object = "our permissions"},
                                        .timeouts = reading_timeouts()},
                                       std::move(stop));
  if (!body) {
    return body.error();
  }
  return kube::access_rules_from(*body);
}

Result<std::unique_ptr<Client>> connect(const ConnectOptions& options, const Ports& ports) {
  auto connection = open_connection(options, ports);
  if (!connection) {
    return connection.error();
  }
  return std::make_unique<Client>(std::move(*connection), ports.transport, ports.clock);
}

}  // namespace deployctl::cluster
