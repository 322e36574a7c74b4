// What differs between one object as it is and as the project manifest wants it, field by field, with who changed it.
// Pure: what an apply would make of it has been asked for before (execute/drift.hpp).
#pragma once

#include "core/execute/removal.hpp"
#include "core/kube/object.hpp"

#include <optional>
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

// An object of a service: as it is wanted, as it is, and as the server says that an apply would make it.
struct ObjectStates {
  std::string service;
  kube::Object wanted;
  kube::Object live;
  kube::Object applied;
  bool has_autoscaler = false;  // which has its replicas
  bool has_canary = false;      // which leads requests with it
};

struct ObjectDrift {
  std::vector<Difference> differences;
  std::optional<Removal> removal;  // of what was added
};

// Values that the server sets by itself are no difference, nor are replicas that an autoscaler has, nor what is lent to
// a canary. `context` is that of the kubeconfig, empty: the current one.
ObjectDrift object_drift(const ObjectStates& states, const std::string& context);

// An object that is not there, or that the project no longer has.
Difference missing_object(const std::string& service, const std::string& object);
Difference extra_object(const kube::Object& live);

}  // namespace deployctl::execute
