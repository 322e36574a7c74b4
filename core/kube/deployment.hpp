// What the API server says about workloads, cut down to what a rollout is judged by: Deployments, the replica sets
// they make, and StatefulSets. A cluster with thousands of objects is followed from these, not from whole bodies.
#pragma once

#include "core/json/value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

struct Condition {
  std::string type;    // "Progressing"
  std::string status;  // "True", "False", "Unknown"
  std::string reason;
  std::string message;
  std::string since;  // it has this status; RFC 3339

  friend bool operator==(const Condition&, const Condition&) = default;
};

// The condition of that type, or null.
const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);

// A fingerprint of a pod template that leaves out the label pod-template-hash: equal for a Deployment and the replica
// set made from it.
using TemplateHash = std::size_t;
TemplateHash template_hash(const json::Value& pod_template);

struct Deployment {
  std::string name;
  std::string name_space;
  std::string uid;
  std::string resource_version;
  std::string last_writer;  // field manager of the newest write that was not the controller's; may be empty
  long long generation = 0;
  long long observed_generation = 0;
  int desired = 1;  // spec.replicas
  int replicas = 0;
  int updated = 0;
  int ready = 0;
  int available = 0;
  bool is_paused = false;
  bool is_terminating = false;  // has a deletionTimestamp
  TemplateHash pod_template = 0;
  std::string revision;
  std::vector<Condition> conditions;

  static Deployment from_json(const json::Value& body);
};

struct ReplicaSet {
  std::string name;
  std::string uid;
  std::string owner_uid;  // of the controller; empty: nobody's
  std::string created;    // RFC 3339, which sorts as text
  std::string revision;
  std::string pod_template_hash;  // the label of that name
  int desired = 0;                // spec.replicas
  int replicas = 0;               // status
  TemplateHash pod_template = 0;
  std::vector<Condition> conditions;

  static ReplicaSet from_json(const json::Value& body);
};

struct StatefulSet {
  std::string name;
  std::string uid;
  long long generation = 0;
  long long observed_generation = 0;
  int desired = 1;
  int replicas = 0;
  int updated = 0;
  int ready = 0;
  int available = 0;  // ready where the server does not report it
  int partition = 0;
  bool is_on_delete = false;  // pods are replaced only when someone deletes them
  std::string current_revision;
  std::string update_revision;

  static StatefulSet from_json(const json::Value& body);
};

}  // namespace deployctl::kube
