// How a Service is changed while other pods take the place of those it leads to: pure.
//
// A target port that is a name is looked up in each pod by itself (Service API, "Field spec.ports: targetPort"). Pods
// that lack it get no request, whether they are ready or not: a name that only the new pods have must not be wanted
// before they are there, and one that only the old pods have not after they have gone. The number that both listen on
// is right all the time.
#pragma once

#include "core/kube/object.hpp"

#include <optional>
#include <span>
#include <vector>

namespace deployctl::kube {

// Whether both lead clients to the same ports of the same pods.
bool leads_the_same(const Object& one, const Object& other);

struct AddressChange {
  bool can_be_at_once = true;  // the pods that serve have what the Service as it is wanted looks for
  // Otherwise: the Service that leads to old and new pods alike, until it can be as it is wanted.
  std::optional<Object> meanwhile;
  // Routes, which lead to the first port, find it meanwhile by the number and name that they know now.
  bool keeps_ports = false;
  // The new pods lack a port that the Service as it is now leads to: as long as it stays so, requests do not reach
  // them.
  bool misses_new_pods = false;
};

// `live` and `wanted` are the Service, `deployment` the wanted one, `serving` the pods that are ready now: it is at
// once when there are none. Ports that no client can use yet do not count, unless they come in the place of others.
// Services without a selector or without ports are at once; one that selects other pods waits for them.
AddressChange address_change(const Object& live, const Object& wanted, const Object& deployment,
                             std::span<const Object> serving);

}  // namespace deployctl::kube
