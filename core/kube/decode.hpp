// Pieces that the decoders of several kinds share.
#pragma once

#include "core/json/reader.hpp"
#include "core/kube/deployment.hpp"

#include <string>
#include <vector>

namespace deployctl::kube {

std::vector<Condition> read_conditions(json::Reader conditions);
// Who has written the object last, controllers left out, and when; both empty when nobody is known.
struct Write {
  std::string manager;
  std::string time;  // RFC 3339
};
Write newest_write(json::Reader metadata);
// The uid of the owner that controls the object; empty when nobody does.
std::string controller_uid(json::Reader metadata);
// 0 when there is no template.
TemplateHash hash_of_template(json::Reader pod_template);

}  // namespace deployctl::kube
