// What is pruned before the rest is done, because it would be in its way: pure. Everything else is pruned last.
#pragma once

#include "core/plan/plan.hpp"

#include <map>
#include <set>
#include <vector>

namespace deployctl::plan {

// Services that are to have a node port which another one has that is pruned, or gives it up: the new one, the old one.
using MovedPorts = std::map<kube::ObjectKey, kube::ObjectKey>;

// That a Service asks for or has.
std::set<long long> node_ports(const kube::Object& service);
// That it will have when it is applied to what is live: the server keeps those that it does not name.
std::set<long long> node_ports_after(const kube::Object& wanted, const kube::Object& live);

// Of the Services that `steps` apply, those that want a node port of another one among `before`.
MovedPorts moved_ports(const std::vector<Step>& steps, const std::vector<Step>& before);

// Puts into `steps` those of `prunes` that must not wait, right before what they make way for; answers with the others.
//
// The autoscaler of a workload that has replicas of its own again goes before these are applied, which it would change.
// A Service whose node port goes to another one stays until the pods of that one are ready, and the new Service, which
// its pods do not need, is applied after it. One that stays and gives the port up is applied before the one that gets
// it.
std::vector<Step> make_way(std::vector<Step>& steps, std::vector<Step> prunes, const MovedPorts& moved = {});

// The Services that cannot get their port in one run, because the one that gives it up waits for them: they exchange
// ports, or the other one's service depends on theirs.
std::vector<kube::ObjectKey> blocked_handovers(const std::vector<Step>& steps, const MovedPorts& moved);

}  // namespace deployctl::plan
