// Objects that kubectl made and that we go on with. Server-side apply removes a field only when its last manager drops
// it: what `kubectl apply` or `kubectl create` has set would stay for ever. So its fields become ours first (as
// client-go's csaupgrade does for kubectl itself), and the apply that follows removes what is not wanted.
#pragma once

#include "core/json/value.hpp"
#include "core/kube/field_diff.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace deployctl::kube {

// `live` as it is when the fields of kubectl's client-side managers are fields of `ours`; nothing when they have none.
// Who has edited the object by hand, or scales it, keeps what is theirs, but for `also` and the variables that `wanted`
// sets itself; replicas that `wanted` leaves to an autoscaler are not taken, because dropping them would set them to
// one.
std::optional<json::Value> adopted(const json::Value& live, const json::Value& wanted, std::string_view ours,
                                   std::span<const FieldPath> also = {});

// The same as a JSON patch (RFC 6902), which is refused when the object is in another version than `live`.
std::optional<json::Value> adoption_patch(const json::Value& live, const json::Value& wanted, std::string_view ours,
                                          std::span<const FieldPath> also = {});

}  // namespace deployctl::kube
