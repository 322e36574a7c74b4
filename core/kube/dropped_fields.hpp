// Taking fields out of an object together with the defaults that the server has put beside them: what older servers'
// server-side apply cannot do (Kubernetes 1.20: a probe without its handler, two sources of one volume). Pure.
#pragma once

#include "core/kube/field_diff.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

// What the manager has applied to `live` and `wanted` does not say any more, each as far up as nothing of anybody else
// is in it. Labels and other maps with free keys go key by key.
std::vector<FieldPath> dropped_fields(const json::Value& live, const json::Value& wanted, std::string_view manager);

// A part of the object that is to go and stays because of what somebody else has set in it.
struct HeldField {
  FieldPath path;
  std::string manager;
};
std::vector<HeldField> held_fields(const json::Value& live, const json::Value& wanted, std::string_view manager);

// What only others than the manager and Kubernetes' own controllers have set and `wanted` does not say, each as far up
// as nothing of the manager's is in it, but list elements one by one.
std::vector<FieldPath> added_fields(const json::Value& live, const json::Value& wanted, std::string_view manager);

// A strategic merge patch that takes these fields out and does nothing else.
json::Value patch_removing(const std::vector<FieldPath>& fields);

// A strategic merge patch: everything of `wanted`, without what is dropped. The server refuses it when the object is no
// longer in that version.
json::Value patch_dropping(const json::Value& wanted, const std::vector<FieldPath>& dropped,
                           std::string_view resource_version);

// A JSON patch of `after` that makes what the manager owns by updates what it was in `before`, so that the next apply
// is alone in owning what it says. An empty list when nothing has changed.
json::Value patch_disowning(const json::Value& before, const json::Value& after, std::string_view manager);

}  // namespace deployctl::kube
