// The head holds an index (how many chunks, the checksum and size of what they are together) and the first chunk; the
// others are Secrets of their own, because one object holds 1 MiB and base64 is counted decoded. A chunk without a head
// is left over from a run that ended while writing, and means nothing.
#include "core/kube/release_secret.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"
#include "core/oci/compression.hpp"
#include "core/oci/decompressor.hpp"
#include "core/oci/digest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace deployctl::kube {
namespace {

using base::Error;
using base::Result;
using json::Reader;
using json::Value;

constexpr std::size_t chunk_bytes = 900'000;         // of the 1,048,576 that a Secret holds
constexpr std::size_t largest_packed = 16u << 20u;   // compressed
constexpr std::size_t largest_release = 64u << 20u;  // as JSON
constexpr std::size_t largest_summary = 64u << 10u;  // of the 262,144 bytes that all annotations have together
constexpr std::size_t largest_listing = 24u << 10u;  // of images, and of the inventory
constexpr std::size_t largest_outcome = 1'000;

constexpr std::string_view managed_by_label = "app.kubernetes.io/managed-by";
constexpr std::string_view project_label = "deployctl.dev/project";
constexpr std::string_view environment_label = "deployctl.dev/environment";
constexpr std::string_view chunk_label = "deployctl.dev/chunk";
constexpr std::string_view summary_annotation = "deployctl.dev/summary";
constexpr std::string_view epoch_annotation = "deployctl.dev/epoch";
constexpr std::string_view outcome_annotation = "deployctl.dev/outcome";
constexpr std::string_view finished_annotation = "deployctl.dev/finished";
constexpr std::string_view progress_annotation = "deployctl.dev/progress";
constexpr std::string_view journal_annotation = "deployctl.dev/journal";
constexpr std::string_view contracts_annotation = "deployctl.dev/contracts";

// What a release may hold. Nothing that gives rights, and no Secret: a forged release gives nobody more than the
// workloads of its namespace.
constexpr std::array<std::string_view, 10> release_kinds{"ConfigMap",
                                                         "PersistentVolumeClaim",
                                                         "Service",
                                                         "Deployment",
                                                         "StatefulSet",
                                                         "HorizontalPodAutoscaler",
                                                         "PodDisruptionBudget",
                                                         "Ingress",
                                                         "HTTPRoute",
                                                         "VirtualService"};

// An environment's name as labels and names of objects can have it; one that had to be changed keeps apart by a hash.
std::string environment_part(const std::string& environment) {
  if (environment.empty() || base::is_dns_label(environment)) {
    return environment;
  }
  std::string part;
  for (const char byte : base::to_lower(environment).substr(0, 40)) {
    part += (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ? byte : '-';
  }
  return "e-" + part + "-" + std::string(oci::Digest::of(environment).encoded().substr(0, 8));
}

// ---- Writing ----------------------------------------------------------------------------------------------------

Value to_json(const Release& release) {
  auto objects = Value::array();
  for (const auto& object : release.objects) {
    objects.push_back(object.body);
  }
  return {{"format", 1},
          {"number", release.number},
          {"project", release.project},
          {"environment", release.environment},
          {"commit", release.commit},
          {"tag", release.tag},
          {"actor", release.actor},
          {"action", release.action},
          {"tool", release.tool_version},
          {"started", release.started},
          {"epoch", release.epoch},
          {"services", release.services},
          {"images", release.images},
          {"secrets", release.secrets},
          {"two_sides", to_json(release.two_sides)},
          {"depends_on", release.depends_on},
          {"objects", std::move(objects)}};
}

// "apps/v1/Deployment" -> names.
Value listing(const std::vector<ObjectKey>& keys) {
  auto listed = Value::object();
  for (const auto& key : keys) {
    listed[key.api_version + "/" + key.kind].push_back(key.name);
  }
  return listed;
}

bool fits_into_summary(const Value& value) {
  return json::to_compact_text(value).size() <= largest_listing;
}

std::string summary_text(const Release& release, const std::string& name_space) {
  Value summary = {{"commit", release.commit},          {"tag", release.tag},           {"actor", release.actor},
                   {"action", release.action},          {"tool", release.tool_version}, {"started", release.started},
                   {"content", content_digest(release)}};
  if (const Value services = release.services; fits_into_summary(services)) {
    summary["services"] = services;
  }
  if (const Value images = release.images; fits_into_summary(images)) {
    summary["images"] = images;
  }
  if (const auto listed = listing(inventory(release, name_space)); fits_into_summary(listed)) {
    summary["inventory"] = listed;
  }
  return json::to_compact_text(summary);
}

Result<std::string> packed(const Release& release) {
  std::string out;
  const auto text = json::to_compact_text(to_json(release));
  auto compressor = oci::Compressor::make(oci::Compression::zstd, [&](std::string_view piece) -> base::Status {
    out += piece;
    return {};
  });
  if (!compressor) {
    return compressor.error();
  }
  for (const auto& step : {compressor->add(text), compressor->finish()}) {
    if (!step) {
      return step.error();
    }
  }
  if (text.size() > largest_release || out.size() > largest_packed) {
    return Error::failed("the record of the release is {}, more than deployctl keeps", base::human_bytes(text.size()));
  }
  return out;
}

Object secret(const LedgerScope& scope, long long number, const std::string& name) {
  Value labels = {
      {managed_by_label, "deployctl"}, {project_label, scope.project}, {release_label, std::to_string(number)}};
  if (!scope.environment.empty()) {
    labels[std::string(environment_label)] = environment_part(scope.environment);
  }
  return {.body = {{"apiVersion", "v1"},
                   {"kind", "Secret"},
                   {"metadata", {{"name", name}, {"namespace", scope.name_space}, {"labels", std::move(labels)}}},
                   {"type", release_secret_type},
                   {"immutable", true},
                   {"data", Value::object()}}};
}

std::string chunk_name(const LedgerScope& scope, long long number, std::size_t chunk) {
  return fmt::format("{}.c{}", release_key(scope, number).name, chunk);
}

// ---- Reading ----------------------------------------------------------------------------------------------------

Error damaged(const Object& head, std::string_view why) {
  return Error::failed("the record {} cannot be read: {}", base::printable(head.name()), base::printable(why))
      .with_hint(
          "it was changed by something else than deployctl; delete it (kubectl delete secret {}) to go on "
          "without it",
          base::printable(head.name()));
}

std::string label(const Object& secret, std::string_view name) {
  return Reader(secret.body).at("metadata", "labels", name).string_or();
}

std::string annotation(const Object& secret, std::string_view name) {
  return Reader(secret.body).at("metadata", "annotations", name).string_or();
}

std::vector<std::string> read_contracts(const Object& head) {
  const auto text = annotation(head, contracts_annotation);
  std::vector<std::string> tasks;
  for (const auto task : base::split(text, ',')) {
    if (!task.empty()) {
      tasks.push_back(base::printable(task));
    }
  }
  return tasks;
}

std::vector<std::string> texts(const Reader& list) {
  std::vector<std::string> read;
  for (const auto& element : list.elements()) {
    read.push_back(element.string_or());
  }
  return read;
}

std::map<std::string, std::string> text_map(const Reader& object) {
  std::map<std::string, std::string> read;
  for (const auto& member : object.members()) {
    read[member.key] = member.value.string_or();
  }
  return read;
}

// "apps/v1/Deployment" is {"apps/v1", "Deployment"}.
std::pair<std::string, std::string> split_kind(const std::string& text) {
  const auto slash = text.rfind('/');
  return slash == std::string::npos ? std::pair{std::string(), text}
                                    : std::pair{text.substr(0, slash), text.substr(slash + 1)};
}

std::vector<ObjectKey> read_listing(const Reader& listed, const std::string& name_space) {
  std::vector<ObjectKey> keys;
  for (const auto& member : listed.members()) {
    const auto [api_version, kind] = split_kind(member.key);
    for (const auto& name : member.value.elements()) {
      keys.push_back({api_version, kind, name_space, name.string_or()});
    }
  }
  return keys;
}

struct Index {
  std::size_t chunks = 0;  // with the one in the head
  std::string digest;
};

Result<std::string> data_of(const Object& secret, std::string_view key) {
  const auto encoded = Reader(secret.body).at("data", key).string();
  auto bytes = encoded ? base::base64_decode(*encoded) : std::nullopt;
  if (!bytes) {
    return damaged(secret, fmt::format("it has no '{}'", key));
  }
  return *std::move(bytes);
}

Result<Index> read_index(const Object& head) {
  const auto text = data_of(head, "index");
  if (!text) {
    return text.error();
  }
  const auto parsed = json::parse(*text, "the index", {.bytes = 4096, .depth = 4});
  if (!parsed) {
    return damaged(head, parsed.error().message);
  }
  const auto chunks = Reader(*parsed).at("chunks").integer_or();
  if (chunks < 1 || static_cast<std::size_t>(chunks) > largest_packed / chunk_bytes + 1) {
    return damaged(head, fmt::format("it says that it has {} chunks", chunks));
  }
  return Index{static_cast<std::size_t>(chunks), Reader(*parsed).at("digest").string_or()};
}

Result<std::string> joined(const Object& head, std::span<const Object> chunks, const Index& index) {
  auto together = data_of(head, "release");
  for (std::size_t i = 0; together && i < chunks.size(); ++i) {
    const auto more = data_of(chunks[i], "release");
    if (!more) {
      return more.error();
    }
    *together += *more;
  }
  if (together && (chunks.size() + 1 != index.chunks || oci::Digest::of(*together).text() != index.digest)) {
    return damaged(head, "its checksum is wrong");
  }
  return together;
}

Result<std::string> unpacked(const Object& head, std::string_view bytes) {
  std::string text;
  oci::Decompressor decompressor([&](std::string_view piece) -> base::Status {
    if (text.size() + piece.size() > largest_release) {
      return Error::failed("it is larger than any release");
    }
    text += piece;
    return {};
  });
  for (const auto& step : {decompressor.add(bytes), decompressor.finish()}) {
    if (!step) {
      return damaged(head, step.error().message);
    }
  }
  return text;
}

// Why an object cannot be part of a release; empty when it can.
std::string why_not_part(const Object& object, const LedgerScope& scope) {
  const auto key = object.key();
  if (std::ranges::find(release_kinds, key.kind) == release_kinds.end() || !find_resource(key.api_version, key.kind)) {
    return fmt::format("it holds an object of kind {} ({})", key.kind, key.api_version);
  }
  if (key.name_space != scope.name_space) {
    return fmt::format("it holds {} of namespace '{}'", to_string(key), key.name_space);
  }
  if (key.name.empty() || key.name.size() > 253 || key.name.find_first_of("/%?# ") != std::string::npos) {
    return fmt::format("it holds a {} named '{}'", key.kind, key.name);
  }
  return {};
}

Release release_from(const Value& value) {
  const Reader reader(value);
  Release release{.number = reader.at("number").integer_or(),
                  .project = reader.at("project").string_or(),
                  .environment = reader.at("environment").string_or(),
                  .commit = reader.at("commit").string_or(),
                  .tag = reader.at("tag").string_or(),
                  .actor = reader.at("actor").string_or(),
                  .action = reader.at("action").string_or(),
                  .tool_version = reader.at("tool").string_or(),
                  .started = reader.at("started").string_or(),
                  .epoch = reader.at("epoch").integer_or(),
                  .services = texts(reader.at("services")),
                  .images = text_map(reader.at("images")),
                  .objects = {},
                  .secrets = texts(reader.at("secrets")),
                  .two_sides = {},
                  .depends_on = {}};
  for (const auto& [service, sides] : reader.at("two_sides").members()) {
    release.two_sides[service] = {sides.at("other").string_or(),
                                  std::chrono::milliseconds(sides.at("keep_ms").integer_or())};
  }
  for (const auto& service : reader.at("depends_on").members()) {
    release.depends_on[service.key] = texts(service.value);
  }
  for (const auto& object : reader.at("objects").elements()) {
    release.objects.push_back({.body = *object.value()});
  }
  return release;
}

std::string why_not_of(const Release& release, const Object& head, const LedgerScope& scope) {
  if (release.project != scope.project || release.environment != scope.environment) {
    return fmt::format("it is of project '{}', environment '{}'", release.project, release.environment);
  }
  if (release.number != release_number(head)) {
    return fmt::format("it says that it is release {}", release.number);
  }
  for (const auto& object : release.objects) {
    if (auto reason = why_not_part(object, scope); !reason.empty()) {
      return reason;
    }
  }
  return {};
}

}  // namespace

std::string ledger_name(const LedgerScope& scope) {
  const auto environment = environment_part(scope.environment);
  return "deployctl." + scope.project + (environment.empty() ? "" : "." + environment);
}

ObjectKey release_key(const LedgerScope& scope, long long number) {
  return {"v1", "Secret", scope.name_space, fmt::format("{}.v{}", ledger_name(scope), number)};
}

std::string ledger_selector(const LedgerScope& scope) {
  const auto environment = environment_part(scope.environment);
  return fmt::format(
      "{}=deployctl,{}={},{}{}", managed_by_label, project_label, scope.project, environment.empty() ? "!" : "",
      environment.empty() ? std::string(environment_label) : fmt::format("{}={}", environment_label, environment));
}

Result<std::vector<Object>> to_secrets(const Release& release, const LedgerScope& scope) {
  const auto bytes = packed(release);
  if (!bytes) {
    return bytes.error();
  }
  const auto count = std::max<std::size_t>(1, (bytes->size() + chunk_bytes - 1) / chunk_bytes);
  std::vector<Object> secrets;
  for (std::size_t i = 1; i < count; ++i) {
    auto& chunk = secrets.emplace_back(secret(scope, release.number, chunk_name(scope, release.number, i)));
    chunk.body["metadata"]["labels"][std::string(chunk_label)] = std::to_string(i);
    chunk.body["data"]["release"] = base::base64_encode(bytes->substr(i * chunk_bytes, chunk_bytes));
  }
  auto& head = secrets.emplace_back(secret(scope, release.number, release_key(scope, release.number).name));
  auto& metadata = head.body["metadata"];
  metadata["labels"][std::string(release_state_label)] = to_string(ReleaseState::pending);
  metadata["annotations"] = {{summary_annotation, summary_text(release, scope.name_space)},
                             {epoch_annotation, std::to_string(release.epoch)}};
  const Value index = {{"chunks", count}, {"digest", oci::Digest::of(*bytes).text()}};
  head.body["data"] = {{"index", base::base64_encode(json::to_compact_text(index))},
                       {"release", base::base64_encode(bytes->substr(0, chunk_bytes))}};
  return secrets;
}

std::optional<long long> release_number(const Object& secret) {
  const auto number = base::parse_integer(label(secret, release_label));
  return number && *number > 0 ? number : std::nullopt;
}

bool is_release_head(const Object& secret) {
  return !label(secret, release_state_label).empty() && label(secret, chunk_label).empty();
}

Result<ReleaseSummary> read_release_summary(const Object& head, const LedgerScope& scope) {
  const auto number = release_number(head);
  const auto state = parse_release_state(label(head, release_state_label));
  if (!number || !state || head.name() != release_key(scope, *number).name) {
    return damaged(head, "its labels are wrong");
  }
  const auto summary =
      json::parse(annotation(head, summary_annotation), "its summary", {.bytes = 2 * largest_summary, .depth = 8});
  if (!summary) {
    return damaged(head, summary.error().message);
  }
  const Reader reader(*summary);
  ReleaseSummary read{.number = *number,
                      .state = *state,
                      .commit = reader.at("commit").string_or(),
                      .tag = reader.at("tag").string_or(),
                      .actor = reader.at("actor").string_or(),
                      .action = reader.at("action").string_or(),
                      .tool_version = reader.at("tool").string_or(),
                      .started = reader.at("started").string_or(),
                      .finished = annotation(head, finished_annotation),
                      .outcome = annotation(head, outcome_annotation),
                      .epoch = base::parse_integer(annotation(head, epoch_annotation)).value_or(0),
                      .services = texts(reader.at("services")),
                      .images = text_map(reader.at("images")),
                      .inventory = {},
                      .progress = nullptr,
                      .content = reader.at("content").string_or(),
                      .journal = annotation(head, journal_annotation),
                      .contracts = read_contracts(head),
                      .resource_version = head.resource_version()};
  if (const auto listed = reader.at("inventory"); listed.is_object()) {
    read.inventory = read_listing(listed, scope.name_space);
  }
  if (const auto progress = annotation(head, progress_annotation); !progress.empty()) {
    if (auto parsed = json::parse(progress, "its progress", {.bytes = 2 * largest_summary, .depth = 32})) {
      read.progress = std::move(*parsed);
    }
  }
  return read;
}

Result<std::vector<ObjectKey>> release_chunks(const Object& head, const LedgerScope& scope) {
  const auto index = read_index(head);
  const auto number = release_number(head);
  if (!index || !number) {
    return index ? damaged(head, "its labels are wrong") : index.error();
  }
  std::vector<ObjectKey> keys;
  for (std::size_t i = 1; i < index->chunks; ++i) {
    keys.push_back({"v1", "Secret", scope.name_space, chunk_name(scope, *number, i)});
  }
  return keys;
}

Result<Release> read_release(const Object& head, std::span<const Object> chunks, const LedgerScope& scope) {
  const auto index = read_index(head);
  if (!index) {
    return index.error();
  }
  const auto bytes = joined(head, chunks, *index);
  if (!bytes) {
    return bytes.error();
  }
  const auto text = unpacked(head, *bytes);
  if (!text) {
    return text.error();
  }
  const auto value = json::parse(*text, "the release", {.bytes = largest_release});
  if (!value) {
    return damaged(head, value.error().message);
  }
  if (Reader(*value).at("format").integer_or() != 1) {
    return Error::failed("{} was written by a newer deployctl", head.name())
        .with_hint("use that version, or a newer one");
  }
  auto release = release_from(*value);
  if (const auto reason = why_not_of(release, head, scope); !reason.empty()) {
    return damaged(head, reason);
  }
  return release;
}

Value release_patch(const ReleaseChange& change, std::string_view resource_version) {
  Value metadata = {{"resourceVersion", resource_version}};
  if (change.state) {
    metadata["labels"][std::string(release_state_label)] = to_string(*change.state);
  }
  const auto annotate = [&](std::string_view name, const std::optional<std::string>& text) {
    if (text) {
      metadata["annotations"][std::string(name)] = *text;
    }
  };
  if (change.outcome) {
    const auto line = base::printable(*change.outcome);
    annotate(outcome_annotation, line.substr(0, base::utf8_boundary(line, std::min(line.size(), largest_outcome))));
  }
  annotate(finished_annotation, change.finished);
  annotate(progress_annotation,
           change.progress ? std::optional(json::to_compact_text(*change.progress)) : std::nullopt);
  annotate(journal_annotation, change.journal);
  annotate(contracts_annotation, change.contracts ? std::optional(base::join(*change.contracts, ",")) : std::nullopt);
  annotate(epoch_annotation, change.epoch ? std::optional(std::to_string(*change.epoch)) : std::nullopt);
  return {{"metadata", std::move(metadata)}};
}

}  // namespace deployctl::kube
