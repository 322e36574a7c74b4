// A release as Secrets: an immutable one, or several when it is large.
//
// The data of the Secrets never changes: the whole desired state, zstd-compressed JSON. What changes (state, outcome,
// progress) stands in labels and annotations of the head, the Secret a release is known by. What is read is not
// trusted: anybody who may write Secrets in the namespace may have written it.
#pragma once

#include "core/base/result.hpp"
#include "core/kube/release.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

inline constexpr std::string_view release_secret_type = "deployctl.dev/release.v1";
inline constexpr std::string_view release_label = "deployctl.dev/release";
inline constexpr std::string_view release_state_label = "deployctl.dev/state";

// "deployctl.shop.prod": what the Lease and the Secrets of a ledger are named after.
std::string ledger_name(const LedgerScope& scope);
// The Secret a release is known by: "deployctl.shop.prod.v12".
ObjectKey release_key(const LedgerScope& scope, long long number);
// Selects every Secret of the ledger, chunks too.
std::string ledger_selector(const LedgerScope& scope);

// The Secrets in the order they are to be created: the head last, so that a release is there as a whole or not at all.
// failed when it is larger than a release may be.
base::Result<std::vector<Object>> to_secrets(const Release& release, const LedgerScope& scope);

// The number in a Secret's labels; nothing when it is none of the ledger's.
std::optional<long long> release_number(const Object& secret);
// Whether it is the head; otherwise it is a chunk.
bool is_release_head(const Object& secret);
// From the head's metadata; its data need not be there. failed when the head is damaged.
base::Result<ReleaseSummary> read_release_summary(const Object& head, const LedgerScope& scope);

// The other Secrets the data of this head is in, in order. failed when the head is damaged.
base::Result<std::vector<ObjectKey>> release_chunks(const Object& head, const LedgerScope& scope);
// failed when anything does not fit: sizes, checksum, form, another project, another namespace, a kind that no release
// has.
base::Result<Release> read_release(const Object& head, std::span<const Object> chunks, const LedgerScope& scope);

// Changes of the head; what is nothing stays as it is.
struct ReleaseChange {
  std::optional<ReleaseState> state;
  std::optional<std::string> outcome;
  std::optional<std::string> finished;
  std::optional<json::Value> progress;
  std::optional<std::string> journal;
  std::optional<std::vector<std::string>> contracts;
  std::optional<long long> epoch;
};
// A merge patch (RFC 7396) that the API server refuses when the head is no longer in that version.
json::Value release_patch(const ReleaseChange& change, std::string_view resource_version);

}  // namespace deployctl::kube
