// The project manifest as it was written: every key that was given, typed, with its place; nothing defaulted and
// nothing compared with anything else yet. settle.hpp makes a Target of it.
#pragma once

#include "core/project/form.hpp"
#include "core/project/model.hpp"

#include <memory>
#include <string>
#include <vector>

namespace deployctl::project {

using Texts = std::vector<base::Located<std::string>>;
using TextMap = std::vector<Named<std::string>>;

struct WrittenProbe {
  Optional<std::string> path;
  Optional<std::string> port;
  Optional<Texts> command;
  Optional<base::Milliseconds> initial_delay;
  Optional<base::Milliseconds> period;
  Optional<base::Milliseconds> timeout;
  Optional<int> threshold;
};

struct WrittenHealth {
  Optional<std::string> path;  // the short form
  Optional<WrittenProbe> liveness;
  Optional<WrittenProbe> readiness;
  Optional<WrittenProbe> startup;
};

struct WrittenBuild {
  Optional<Builder> builder;
  Optional<std::string> package;
  Optional<std::string> dockerfile;
  Optional<std::string> target;
  Optional<TextMap> args;
  Optional<Texts> secrets;
  Optional<std::string> base;
  Optional<std::string> runtime;
  Optional<Texts> platforms;
  Optional<base::Quantity> max_size;
  Optional<TextMap> artifact;
  Optional<LayerCompression> compression;
  Optional<bool> sbom;
  Optional<bool> provenance;
};

struct WrittenVolume {
  Optional<std::string> mount;
  Optional<base::Quantity> size;
  Optional<std::string> storage_class;
  Optional<std::string> access;
};

struct WrittenAmounts {
  Optional<base::Quantity> cpu;
  Optional<base::Quantity> memory;
};

struct WrittenResources {
  Optional<base::Quantity> cpu;
  Optional<base::Quantity> memory;
  Optional<WrittenAmounts> requests;
  Optional<WrittenAmounts> limits;
};

struct WrittenScale {
  Optional<int> min;
  Optional<int> max;
  Optional<int> cpu;
};

struct WrittenStrategy {
  Optional<Strategy::Type> type;
  Optional<std::string> max_surge;
  Optional<std::string> max_unavailable;
  Optional<base::Milliseconds> deadline;
};

struct WrittenServicePort {
  Optional<ServicePort::Type> type;
  Optional<int> port;
  Optional<int> node_port;
  Optional<std::string> external_name;
};

struct WrittenIngress {
  Optional<std::string> host;
  Optional<std::string> path;
  Optional<std::string> class_name;
  Optional<std::string> tls;
};

struct WrittenService {
  Optional<std::string> source;
  Optional<Stack> stack;
  Optional<std::string> image;
  Optional<Pin> pin;
  Optional<WrittenBuild> build;
  Optional<Texts> command;
  Optional<int> port;
  Optional<std::vector<Named<int>>> ports;
  Optional<WrittenHealth> health;
  Optional<TextMap> env;
  Optional<std::vector<Named<SecretSource>>> secrets;
  Optional<TextMap> files;
  Optional<std::vector<Named<WrittenVolume>>> volumes;
  Optional<WrittenResources> resources;
  Optional<int> replicas;
  Optional<WrittenScale> scale;
  Optional<WrittenStrategy> strategy;
  Optional<WrittenServicePort> service;
  Optional<WrittenIngress> ingress;
  Optional<Texts> depends_on;
};

// Shared between the base and the environments that leave the service as it is.
using Services = std::vector<Named<std::shared_ptr<const WrittenService>>>;

struct WrittenCi {
  struct Provider {};
  Optional<Provider> github;
  Optional<Provider> gitlab;
};

// One environment before it is laid over the rest: its services stay a tree until then.
struct WrittenEnvironment {
  Optional<std::string> registry;
  Optional<std::string> context;
  Optional<std::string> name_space;
  Optional<Approval> approval;
  Optional<const yaml::Node*> services;
};

struct WrittenProject {
  Optional<std::string> project;
  Optional<std::string> registry;
  Optional<std::string> context;
  Optional<std::string> name_space;
  Optional<Approval> approval;
  Optional<Services> services;
  Optional<std::vector<Named<const yaml::Node*>>> environments;
  Optional<WrittenCi> ci;
};

}  // namespace deployctl::project
