// Live against wanted: what differs in the cluster from what the project manifest says, and who changed it. Changes
// nothing.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/ports.hpp"
#include "core/execute/removal.hpp"
#include "core/project/model.hpp"

#include <string>
#include <vector>

namespace deployctl::execute {

struct Difference {
  enum class Kind {
    changed,  // a field has another value
    missing,  // an object, or a field of one, is not there
    added,    // a field that somebody else set and the project manifest says nothing about
    extra,    // an object of this project that it no longer has
  };
  Kind kind = Kind::changed;
  std::string service;  // empty: of none that there is
  std::string object;   // "deployment/api"
  std::string field;    // empty: the whole object
  std::string live;     // compact text, "***" for what a Secret holds; empty: not there
  std::string wanted;
  std::string manager;  // who set what is there; empty: unknown
  std::string time;     // RFC 3339, of the manager's last change to the object
};

struct Drift {
  std::vector<Difference> differences;
  std::vector<Removal> removals;  // what takes out what was added, object by object
  std::string open;               // what waits or is under way of the newest release, in words; empty: nothing
};

// Of the services, in their order. Images, tag and commit are those of the newest release that was deployed; without
// one, those that run. Values that the server sets by itself are no difference, nor are replicas that an autoscaler
// has, nor what a canary that is open has made and leads requests with.
base::Result<Drift> find_differences(const project::Target& target, const std::vector<std::string>& services,
                                     const Ports& ports);

}  // namespace deployctl::execute
