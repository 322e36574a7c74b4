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

// "2m" or "manual".
struct StepPause {
  base::Milliseconds least{0};
  bool is_manual = false;
};

struct WrittenCanaryStep {
  Optional<int> weight;
  Optional<StepPause> pause;
};

struct WrittenHeader {
  Optional<std::string> name;
  Optional<std::string> value;
};

struct WrittenHttpGate {
  Optional<std::string> path;
  Optional<std::string> url;
  Optional<int> status;
  Optional<TextMap> json;
  Optional<base::Milliseconds> within;
  Optional<int> probes;
  Optional<int> passes;
};

struct WrittenPrometheusGate {
  Optional<std::string> server;
  Optional<std::string> query;
  Optional<double> at_least;
  Optional<double> at_most;
  Optional<int> results;
  Optional<std::string> requests;
  Optional<int> min_requests;
  Optional<base::Milliseconds> max_age;
  Optional<SecretSource> token;
};

struct WrittenErrorsGate {
  Optional<std::string> server;
  Optional<std::string> requests;
  Optional<std::string> errors;
  Optional<int> min_requests;
  Optional<double> ratio;
  Optional<double> tolerated;
  Optional<base::Milliseconds> max_age;
  Optional<SecretSource> token;
};

struct WrittenGate {
  Optional<WrittenHttpGate> http;
  Optional<WrittenPrometheusGate> prometheus;
  Optional<WrittenErrorsGate> errors;
  Optional<base::Milliseconds> initial_delay;
  Optional<base::Milliseconds> interval;
  Optional<int> failure_limit;
  Optional<int> success_limit;
};

enum class PromoteBy { itself, user };

using WrittenPatience = std::optional<base::Milliseconds>;  // nothing: never

struct WrittenStrategy {
  Optional<Strategy::Type> type;
  Optional<std::string> max_surge;
  Optional<std::string> max_unavailable;
  Optional<base::Milliseconds> deadline;
  Optional<std::vector<Named<WrittenPatience>>> rules;
  Optional<Router> router;
  Optional<std::vector<base::Located<WrittenCanaryStep>>> steps;
  Optional<WrittenHeader> header;
  Optional<std::string> cookie;
  Optional<std::vector<base::Located<WrittenGate>>> gates;
  Optional<OnInconclusive> on_inconclusive;
  Optional<base::Milliseconds> max_wait;
  Optional<base::Milliseconds> keep;
  Optional<PromoteBy> promote;
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
  Optional<std::string> gateway;
};

struct WrittenTask {
  Optional<Texts> command;
  Optional<Task::When> when;
  Optional<Task::Compatible> compatible;
  Optional<base::Milliseconds> timeout;
  Optional<int> retries;
  Optional<std::string> service_account;
};

struct WrittenService {
  Optional<std::string> source;
  Optional<Stack> stack;
  Optional<std::string> image;
  Optional<Pin> pin;
  Optional<WrittenBuild> build;
  Optional<Texts> command;
  Optional<std::string> service_account;
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
  Optional<std::vector<Named<WrittenTask>>> tasks;
};

// Shared between the base and the environments that leave the service as it is.
using Services = std::vector<Named<std::shared_ptr<const WrittenService>>>;

struct WrittenCluster {
  Optional<std::string> uid;
  Optional<std::string> ca;
};

struct WrittenRegistryTrust {
  Optional<bool> insecure;
  Optional<std::string> ca;
};

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
  Optional<WrittenCluster> cluster;
  Optional<std::string> pull_secret;
  Optional<Approval> approval;
  Optional<const yaml::Node*> services;
};

struct WrittenProject {
  Optional<std::string> project;
  Optional<std::string> registry;
  Optional<std::string> context;
  Optional<std::string> name_space;
  Optional<WrittenCluster> cluster;
  Optional<std::string> pull_secret;
  Optional<Approval> approval;
  Optional<std::vector<Named<WrittenRegistryTrust>>> registries;
  Optional<Services> services;
  Optional<std::vector<Named<const yaml::Node*>>> environments;
  Optional<WrittenCi> ci;
};

}  // namespace deployctl::project
