// One project in one environment, decoded, defaulted and checked: what everything after the project manifest works on.
//
// Values that later checks may complain about keep their span (base::Located). Nothing here is optional that a default
// settles: readers never ask "and if it is not given?" twice.
#pragma once

#include "core/base/duration.hpp"
#include "core/base/quantity.hpp"
#include "core/base/source.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace deployctl::project {

enum class Stack { go, cpp, node, python, java, rust, static_site, dockerfile, image };

// Name and value in the order of the project manifest.
using NamedValues = std::vector<std::pair<std::string, base::Located<std::string>>>;

struct Port {
  std::string name;  // "http" for a single `port`
  int number = 0;
  base::SourceSpan span;
};

struct Probe {
  std::string path;  // HTTP path; empty: a TCP connection is enough
  std::string port;  // the name of one of the service's ports
  base::Milliseconds initial_delay{0};
  base::Milliseconds period{10'000};
  base::Milliseconds timeout{2'000};
  int threshold = 3;                 // failures in a row
  std::vector<std::string> command;  // exec probe instead of path and port, when not empty
};

struct Health {
  std::optional<Probe> liveness;
  std::optional<Probe> readiness;
  std::optional<Probe> startup;
};

// What makes the image: a container engine from a Dockerfile, or we ourselves from what compilers on this machine make.
enum class Builder { docker, native };

enum class LayerCompression { gzip, zstd };

// Something already made that goes into the image: a file, or everything below a folder.
struct Artifact {
  std::string path;                   // in the image, absolute
  base::Located<std::string> source;  // relative to the source folder
};

struct Build {
  Builder builder = Builder::docker;
  Stack stack = Stack::dockerfile;
  base::Located<std::string> source;      // the build context, relative to the project's folder
  base::Located<std::string> package;     // go: "./cmd/api"; cpp: the CMake target; may be empty
  base::Located<std::string> dockerfile;  // the user's own, relative to source; empty: a generated one
  std::string target;                     // stage to stop at
  NamedValues args;
  std::vector<base::Located<std::string>> secrets;  // BuildKit secret ids
  base::Located<std::string> base;                  // builder image
  base::Located<std::string> runtime;               // image the result stands on
  std::vector<std::string> platforms;               // empty: the engine's own
  std::optional<base::Quantity> max_size;
  std::vector<Artifact> artifacts;  // native builder only, like the compression
  LayerCompression compression = LayerCompression::gzip;
  bool sbom = false;        // a list of what is in the image is put beside it in the registry
  bool provenance = false;  // and a statement of where it comes from

  [[nodiscard]] bool is_native() const { return builder == Builder::native; }
};

// A value that never stands in the project manifest itself.
struct SecretSource {
  enum class From { environment, file };
  From from = From::environment;
  std::string name;  // variable or path relative to the project's folder
};

struct Secret {
  std::string variable;  // in the container
  SecretSource source;
  base::SourceSpan span;
};

// A file of the project that appears in the container.
struct ConfigFile {
  std::string path;                   // in the container, absolute
  base::Located<std::string> source;  // relative to the project's folder
};

struct Volume {
  std::string name;
  std::string mount;  // absolute
  base::Quantity size;
  std::string storage_class;  // empty: the cluster's default
  std::string access = "ReadWriteOnce";
  base::SourceSpan span;
};

struct Resources {
  std::optional<base::Quantity> cpu_request;
  std::optional<base::Quantity> memory_request;
  std::optional<base::Quantity> cpu_limit;
  std::optional<base::Quantity> memory_limit;
};

struct Scale {
  int min = 1;
  int max = 1;
  int cpu = 70;  // per cent of the request
};

// Requests that show whether the new version is well: "probes" of them each time, "passes" must be as they should be.
struct HttpGate {
  std::string path;  // asked of the new pods through the Kubernetes API; or
  std::string url;   // asked as users ask, with the canary's header where there is one
  int status = 200;
  std::vector<std::pair<std::string, std::string>> json;  // JSON pointer -> the text of the value that must be there
  std::optional<base::Milliseconds> within;               // slower answers do not count
  int probes = 5;
  int passes = 5;
};

// One instant query whose every value must lie within bounds.
struct PrometheusGate {
  std::string server;  // base URL
  std::string query;
  std::optional<double> at_least;
  std::optional<double> at_most;
  int results = 1;       // exactly so many values
  std::string requests;  // a query for how many requests that is about; empty: not asked
  int min_requests = 0;
  base::Milliseconds max_age{60'000};  // of a value
  std::optional<SecretSource> token;   // sent as a bearer token
};

// Errors of the canary against those of the stable pods, counted until a sequential test decides.
struct ErrorsGate {
  std::string server;    // of Prometheus
  std::string requests;  // queries of counters, asked for the canary's pods and for the stable ones
  std::string errors;
  int min_requests = 100;   // of the canary, before a further step is taken
  double ratio = 2;         // so many times the stable's error rate is bad
  double tolerated = 0.01;  // an error rate below it never is
  base::Milliseconds max_age{60'000};
  std::optional<SecretSource> token;
};

struct Gate {
  std::variant<HttpGate, PrometheusGate, ErrorsGate> check;
  base::Milliseconds initial_delay{0};
  base::Milliseconds interval{10'000};
  int failure_limit = 0;  // measurements of a step that may fail
  int success_limit = 1;  // measurements in a row that must pass before the next step
};

// What becomes of a release whose gates cannot tell for longer than `max_wait`.
enum class OnInconclusive { abort, pause, promote };

struct Gates {
  std::vector<Gate> gates;
  OnInconclusive on_inconclusive = OnInconclusive::abort;
  base::Milliseconds max_wait{300'000};
};

// What gives the canary its share of the requests: the number of its pods, or a part of the cluster that splits them.
enum class Router { replicas, nginx, gateway, istio };

struct CanaryStep {
  int weight = 0;               // per cent of the requests, 1 to 99
  base::Milliseconds pause{0};  // how long it is watched at least
  bool waits_for_promote = false;
};

// A header that a request carries to be sent to the canary whatever its share.
struct RequestHeader {
  std::string name;
  std::string value = "always";
};

struct Canary {
  Router router = Router::replicas;
  std::vector<CanaryStep> steps;  // never empty, weights never falling
  std::optional<RequestHeader> header;
  std::string cookie;  // with the value "always", like the header; empty: none
  Gates gates;
};

struct BlueGreen {
  base::Milliseconds keep{600'000};  // the old pods stay for so long after the switch
  bool waits_for_promote = false;    // the switch is made by `deployctl promote`
};

struct Strategy {
  enum class Type { rolling, recreate, canary, blue_green };
  Type type = Type::rolling;
  std::string max_surge = "1";  // a number or a percentage
  std::string max_unavailable = "0";
  base::Milliseconds deadline{300'000};  // no progress for so long is a failure
  // Rule of the verdict -> how long its sign may last before the rollout fails; nothing: it never fails for that.
  std::map<std::string, std::optional<base::Milliseconds>> rules;
  Canary canary;  // means something with that type only
  BlueGreen blue_green;
};

struct ServicePort {
  enum class Type { cluster_ip, node_port, load_balancer, external_name };
  Type type = Type::cluster_ip;
  int port = 0;  // of the Service; the container's own port unless given
  std::optional<int> node_port;
  std::string external_name;
};

struct Ingress {
  std::string host;
  std::string path = "/";
  std::string class_name;    // empty: the cluster's default
  std::string tls_secret;    // empty: plain HTTP
  std::string gateway = {};  // "[namespace/]name" of a Gateway that routes in place of an Ingress; empty: an Ingress
  base::SourceSpan span;
};

// A command that is run to its end once for each release, in a container like the service's.
struct Task {
  enum class When { before_rollout, after_rollout };
  // Whether releases before this one can live with what the task has done.
  enum class Compatible { expand, contract };
  std::string name;
  std::vector<std::string> command;  // as the service's own
  When when = When::before_rollout;
  Compatible compatible = Compatible::expand;  // contract: after the rollout, when the last old pod is gone
  base::Milliseconds timeout{300'000};         // with all its tries
  int retries = 0;
  std::string service_account;  // empty: the service's
};

// How the cluster is told which ready image to run: the digest the tag stands for, or the tag alone.
enum class Pin { digest, tag };

struct Service {
  base::Located<std::string> name;
  // Either a build, or a ready image (a backing service such as mysql:8.0).
  std::optional<Build> build;
  base::Located<std::string> image;  // with a build: <registry>/<name>, without tag
  Pin pin = Pin::digest;             // of a ready image; what is built is always pinned by digest
  std::vector<std::string> command;  // empty: the image's own
  std::string service_account;  // of its pods, which then get its token; empty: the namespace's default one, without
  std::vector<Port> ports;
  Health health;
  NamedValues env;
  std::vector<Secret> secrets;
  std::vector<ConfigFile> files;
  std::vector<Volume> volumes;
  Resources resources;
  int replicas = 1;
  std::optional<Scale> scale;  // then an autoscaler owns the replicas
  Strategy strategy;
  std::optional<ServicePort> service;  // nothing when there is no port
  std::optional<Ingress> ingress;
  std::vector<base::Located<std::string>> depends_on;
  std::vector<Task> tasks;

  [[nodiscard]] bool is_built() const { return build.has_value(); }
};

enum class Approval { automatic, manual };

// The one cluster an environment may be rolled out to; at least one of the two is given.
struct ClusterPin {
  std::string uid;        // of its namespace kube-system
  std::string authority;  // "sha256:…" of its CA certificate (DER)
  base::SourceSpan span;
};

struct CiSettings {
  bool github = false;
  bool gitlab = false;
};

// Name of a git hook and the deployctl commands it runs.
using Hooks = std::vector<std::pair<std::string, std::vector<std::string>>>;

// Why a registry is believed to be the right one, where the system's authorities do not know it.
struct RegistryTrust {
  base::Located<std::string> host;  // host[:port]; without a port: any port
  bool is_insecure = false;         // plain http, or any certificate
  std::string ca;                   // file of authorities, relative to the project's folder; empty: as else
};

struct Target {
  std::string directory;      // absolute folder of the project manifest
  std::string manifest_name;  // its file name: "deployctl.yaml"
  base::Located<std::string> project;
  std::string environment;                // empty: no environment chosen
  std::vector<std::string> environments;  // all that the project manifest names
  base::Located<std::string> registry;    // host[:port][/path]; empty when every service names its image
  std::vector<RegistryTrust> registries;
  base::Located<std::string> context;  // kubeconfig context; empty: the current one
  std::string name_space;              // Kubernetes namespace; the project's name unless given
  std::optional<ClusterPin> cluster;   // nothing: the one the first rollout met
  std::string pull_secret;             // the Secret pods pull images with; empty: their service account's
  Approval approval = Approval::automatic;
  std::vector<Service> services;  // in the order of the project manifest
  CiSettings ci;
  Hooks hooks;

  // The service of that name, or null.
  [[nodiscard]] const Service* find(std::string_view service_name) const;
};

// "go", "cpp", …, "static", "dockerfile", "image".
std::string_view to_string(Stack stack);

}  // namespace deployctl::project
