// The keys of a service.
#include "core/project/table.hpp"
#include "core/project/table_strategy.hpp"
#include "core/project/values.hpp"

namespace deployctl::project {
namespace {

using namespace std::chrono_literals;

constexpr int most_pods = 1000;

Form<std::string> platform() {
  std::vector<std::pair<std::string_view, std::string>> known;
  for (const std::string_view each :
       {"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/ppc64le", "linux/riscv64", "linux/s390x"}) {
    known.emplace_back(each, each);
  }
  return word<std::string>("platform", std::move(known));
}

Form<std::string> access_mode() {
  std::vector<std::pair<std::string_view, std::string>> known;
  for (const std::string_view each : {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"}) {
    known.emplace_back(each, each);
  }
  return word<std::string>("access mode", std::move(known));
}

Form<Builder> builder_word() {
  return word<Builder>("builder", {{"docker", Builder::docker}, {"native", Builder::native}});
}

Form<LayerCompression> compression_word() {
  return word<LayerCompression>("compression", {{"gzip", LayerCompression::gzip}, {"zstd", LayerCompression::zstd}});
}

Form<WrittenBuild> build_form() {
  using B = WrittenBuild;
  return mapping<B>(
      "build", "How the image is built. All of it can be left out.",
      {
          field("builder", &B::builder, builder_word(),
                {.doc = "docker: a container engine, from a Dockerfile; native: without an engine, from what the "
                        "compiler on this machine makes or from `artifact`",
                 .example = "native",
                 .fallback = "docker"}),
          field("package", &B::package, package_name(),
                {.doc = "Go: the package of the program; C++: the CMake target",
                 .example = "./cmd/api",
                 .fallback = "the only one there is"}),
          field("dockerfile", &B::dockerfile, folder_path(),
                {.doc = "a Dockerfile of your own, relative to the source folder, used as it is",
                 .example = "Dockerfile",
                 .fallback = "a generated one"}),
          field("target", &B::target, file_word("stage name"),
                {.doc = "the stage of the Dockerfile to stop at", .example = "runtime"}),
          field("args", &B::args, map_of(variable_name(), loose_text("text")),
                {.doc = "build arguments; they stay visible in the image, so nothing secret",
                 .example = "{GOPROXY: \"https://goproxy.cn,direct\"}"}),
          field(
              "secrets", &B::secrets, list_of(file_word("secret id")),
              {.doc =
                   "BuildKit secrets that a step of the build may mount; the value of each is that of the environment "
                   "variable of its name",
               .example = "[npm_token]"}),
          field("base", &B::base, image_name(),
                {.doc = "the image that compiles", .example = "golang:1.22-bookworm", .fallback = "the stack's own"}),
          field("runtime", &B::runtime, image_name(),
                {.doc = "the image that the result stands on; `scratch` is none",
                 .example = "gcr.io/distroless/static-debian12:nonroot",
                 .fallback = "the stack's own"}),
          field("platforms", &B::platforms, list_of(platform(), Empty::refused),
                {.doc = "what to build for; several at once need `builder: native`",
                 .example = "[linux/amd64, linux/arm64]",
                 .fallback = "the engine's own platform"}),
          field("max_size", &B::max_size, quantity(),
                {.doc = "build and push fail when the image is larger", .example = "30Mi"}),
          field("artifact", &B::artifact, map_of(container_path(), folder_path(), Empty::refused),
                {.doc = "native builder: files and folders made already, relative to the source folder, by their "
                        "places in the image; each is a layer, the first the lowest; `{arch}` and `{os}` are the "
                        "platform's",
                 .example = "{/app: dist/server}"}),
          field("compression", &B::compression, compression_word(),
                {.doc = "native builder: of the layers; zstd is smaller, and Docker 20.10 does not read it",
                 .example = "zstd",
                 .fallback = "gzip"}),
          field("sbom", &B::sbom, boolean(),
                {.doc = "a push attaches a list of what is in the image to it, as SPDX",
                 .example = "true",
                 .fallback = "false"}),
          field("provenance", &B::provenance, boolean(),
                {.doc = "a push attaches a statement of what the image was built from, by what",
                 .example = "true",
                 .fallback = "false"}),
      });
}

Form<WrittenProbe> probe_form() {
  using P = WrittenProbe;
  auto whole = mapping<P>(
      "probe", "One check of a running container. Without `path` and `command` it opens a TCP connection.",
      {
          field("path", &P::path, web_path(), {.doc = "answers 200 to 399 when all is well", .example = "/health"}),
          field(
              "port", &P::port, loose_text("port name or number"),
              {.doc = "one of the service's ports, by name or number", .example = "http", .fallback = "the first one"}),
          field("command", &P::command, list_of(loose_text("text"), Empty::refused),
                {.doc = "a program in the container instead; exit code 0 when all is well", .example = "[pg_isready]"}),
          field("initial_delay", &P::initial_delay, duration(0s),
                {.doc = "before the first check", .example = "5s", .fallback = "0s"}),
          field("period", &P::period, duration(1s),
                {.doc = "between two checks", .example = "10s", .fallback = "10s; readiness 5s; startup 2s"}),
          field("timeout", &P::timeout, duration(1s), {.doc = "of one check", .example = "2s", .fallback = "2s"}),
          field("threshold", &P::threshold, number(1, 1000),
                {.doc = "failures in a row before something is done", .example = "3", .fallback = "3; startup 60"}),
      });
  return short_or_whole<std::string, P>(
      web_path(),
      [](std::string path, const yaml::Node& node) {
        P probe;
        probe.path = Given<std::string>{std::move(path), node.span, node.span};
        return probe;
      },
      std::move(whole));
}

Form<WrittenHealth> health_form() {
  using H = WrittenHealth;
  auto whole = mapping<H>("health", "The checks of a service. A path alone sets up all three.",
                          {
                              field("liveness", &H::liveness, probe_form(),
                                    {.doc = "the container is restarted when it fails", .example = "/health"}),
                              field("readiness", &H::readiness, probe_form(),
                                    {.doc = "no requests are sent while it fails", .example = "/ready"}),
                              field("startup", &H::startup, probe_form(),
                                    {.doc = "the others begin when it first succeeds", .example = "/health"}),
                          });
  return short_or_whole<std::string, H>(
      web_path(),
      [](std::string path, const yaml::Node& node) {
        H health;
        health.path = Given<std::string>{std::move(path), node.span, node.span};
        return health;
      },
      std::move(whole));
}

Form<WrittenVolume> volume_form() {
  using V = WrittenVolume;
  return mapping<V>(
      "volume", "Storage that outlives the container.",
      {
          field("mount", &V::mount, container_path(),
                {.doc = "where it appears in the container", .example = "/var/lib/app", .need = Need::required}),
          field("size", &V::size, quantity(),
                {.doc = "how much is asked for", .example = "1Gi", .need = Need::required}),
          field("class", &V::storage_class, object_name(),
                {.doc = "storage class", .example = "standard", .fallback = "the cluster's default"}),
          field("access", &V::access, access_mode(),
                {.doc = "who may mount it at the same time", .example = "ReadWriteOnce", .fallback = "ReadWriteOnce"}),
      });
}

Form<WrittenAmounts> amounts_form() {
  using A = WrittenAmounts;
  return mapping<A>("amounts", "CPU and memory.",
                    {
                        field("cpu", &A::cpu, quantity(), {.doc = "cores", .example = "100m"}),
                        field("memory", &A::memory, quantity(), {.doc = "bytes", .example = "128Mi"}),
                    });
}

Form<WrittenResources> resources_form() {
  using R = WrittenResources;
  return mapping<R>("resources", "What one pod may use: `cpu` and `memory`, or `requests` and `limits`.",
                    {
                        field("cpu", &R::cpu, quantity(),
                              {.doc = "cores that are set aside; more is used when there is more", .example = "100m"}),
                        field("memory", &R::memory, quantity(),
                              {.doc = "memory that is set aside, and the limit at the same time", .example = "128Mi"}),
                        field("requests", &R::requests, amounts_form(),
                              {.doc = "what is set aside, in full", .example = "{cpu: 100m, memory: 128Mi}"}),
                        field("limits", &R::limits, amounts_form(),
                              {.doc = "what cannot be exceeded, in full", .example = "{memory: 256Mi}"}),
                    });
}

Form<WrittenScale> scale_form() {
  using S = WrittenScale;
  return mapping<S>(
      "scale", "Pods that follow the load (HorizontalPodAutoscaler), in place of `replicas`.",
      {
          field("min", &S::min, number(1, most_pods), {.doc = "least number of pods", .example = "2", .fallback = "1"}),
          field("max", &S::max, number(1, most_pods),
                {.doc = "greatest number of pods", .example = "10", .need = Need::required}),
          field("cpu", &S::cpu, number(1, 1000),
                {.doc = "per cent of the CPU request to aim at", .example = "50", .fallback = "70"}),
      });
}

Form<WrittenServicePort> service_port_form() {
  using S = WrittenServicePort;
  using Type = ServicePort::Type;
  return mapping<S>(
      "address", "The stable address of the pods (a Kubernetes Service). There is one as soon as there is a port.",
      {
          field("type", &S::type,
                word<Type>("service type", {{"ClusterIP", Type::cluster_ip},
                                            {"NodePort", Type::node_port},
                                            {"LoadBalancer", Type::load_balancer},
                                            {"ExternalName", Type::external_name}}),
                {.doc = "who can reach it; ExternalName stands for a service outside the cluster",
                 .example = "NodePort",
                 .fallback = "ClusterIP"}),
          field("port", &S::port, number(1, 65535),
                {.doc = "the port it listens on", .example = "80", .fallback = "the container's first port"}),
          field("node_port", &S::node_port, number(30000, 32767),
                {.doc = "NodePort: the port on every node", .example = "30080", .fallback = "one the cluster chooses"}),
          field("external_name", &S::external_name, host_name(),
                {.doc = "ExternalName: the host it stands for", .example = "db.example.com"}),
      });
}

Form<WrittenIngress> ingress_form() {
  using I = WrittenIngress;
  return mapping<I>(
      "ingress", "A host name for the service outside the cluster.",
      {
          field("host", &I::host, host_name(),
                {.doc = "host name", .example = "api.example.com", .need = Need::required}),
          field("path", &I::path, web_path(), {.doc = "requests below this path", .example = "/v1", .fallback = "`/`"}),
          field("class", &I::class_name, object_name(),
                {.doc = "ingress class", .example = "nginx", .fallback = "the cluster's default"}),
          field("tls", &I::tls, object_name(),
                {.doc = "the Secret that holds certificate and key", .example = "api-tls", .fallback = "plain HTTP"}),
          field("gateway", &I::gateway, object_path_name(),
                {.doc = "the Gateway that routes, in place of an Ingress: the service gets an HTTPRoute, or a "
                        "VirtualService with `router: istio`",
                 .example = "infra/public",
                 .fallback = "an Ingress"}),
      });
}

Form<Stack> stack_word() {
  return word<Stack>("stack", {{"go", Stack::go},
                               {"cpp", Stack::cpp},
                               {"node", Stack::node},
                               {"python", Stack::python},
                               {"java", Stack::java},
                               {"rust", Stack::rust},
                               {"static", Stack::static_site},
                               {"dockerfile", Stack::dockerfile}});
}

Form<WrittenTask> task_form() {
  using T = WrittenTask;
  using When = Task::When;
  using Compatible = Task::Compatible;
  return mapping<T>(
      "task",
      "A command that is run to its end once for each release, as a Job with the service's new image, `env`, `secrets` "
      "and `files`. Nothing of the service changes when one before the rollout fails.",
      {
          field("command", &T::command, list_of(loose_text("text"), Empty::refused),
                {.doc = "what is run, written like the service's `command`",
                 .example = "[\"/app\", \"migrate\"]",
                 .need = Need::required}),
          field("when", &T::when,
                word<When>("time", {{"before-rollout", When::before_rollout}, {"after-rollout", When::after_rollout}}),
                {.doc = "before the first new pod of the service, or when all of them are there",
                 .example = "after-rollout",
                 .fallback = "before-rollout; after-rollout with `compatible: contract`"}),
          field(
              "compatible", &T::compatible,
              word<Compatible>("kind", {{"expand", Compatible::expand}, {"contract", Compatible::contract}}),
              {.doc = "whether releases before this one can live with what it does: `expand` (a new column), they can; "
                      "`contract` (a column less), they cannot: it runs when the last of the old pods is gone, and "
                      "there is no way back behind it",
               .example = "contract",
               .fallback = "expand"}),
          field("timeout", &T::timeout, duration(1s),
                {.doc = "how long it may take, with all its tries", .example = "5m", .fallback = "5m"}),
          field("retries", &T::retries, number(0, 10),
                {.doc = "how often it is tried again when it fails", .example = "2", .fallback = "0"}),
          field("service_account", &T::service_account, object_name(),
                {.doc = "the ServiceAccount it runs as, which gets its token",
                 .example = "migrations",
                 .fallback = "the service's"}),
      });
}

std::vector<Field<WrittenService>> image_fields() {
  using S = WrittenService;
  return {
      field("source", &S::source, folder_path(),
            {.doc = "the build context, relative to this file", .example = "services/api", .fallback = "`.`"}),
      field("stack", &S::stack, stack_word(),
            {.doc = "what the source is made of; anything but go and cpp needs a Dockerfile in the source folder",
             .example = "go",
             .fallback = "detected from the files in the source folder"}),
      field("image", &S::image, image_name(),
            {.doc = "alone: a ready image to run, such as a database; beside source, stack or build: the repository of "
                    "the image that is built, without tag",
             .example = "mysql:8.0",
             .fallback = "`<registry>/<service>`"}),
      field(
          "pin", &S::pin, word<Pin>("pin", {{"digest", Pin::digest}, {"tag", Pin::tag}}),
          {.doc = "how a ready image is rolled out: `digest` looks its tag up in the registry and keeps what it found "
                  "until the tag in this file changes or `--pull` is given; `tag` leaves it to the cluster, which may "
                  "reach registries that this machine does not",
           .example = "tag",
           .fallback = "digest"}),
      field("build", &S::build, build_form(), {.doc = "how the image is built", .example = "{package: ./cmd/api}"}),
      field("command", &S::command, list_of(loose_text("text"), Empty::refused),
            {.doc = "what the container runs", .example = "[\"/app\", \"serve\"]", .fallback = "the image's own"}),
  };
}

std::vector<Field<WrittenService>> container_fields() {
  using S = WrittenService;
  return {
      field("service_account", &S::service_account, object_name(),
            {.doc = "the ServiceAccount its pods run as, in the namespace; they get its token",
             .example = "api",
             .fallback = "the namespace's default one, without a token"}),
      field("port", &S::port, number(1, 65535), {.doc = "the port the program listens on", .example = "8080"}),
      field("ports", &S::ports, map_of(port_name(), number(1, 65535), Empty::refused),
            {.doc = "several ports by name, in place of `port`; the first is the main one",
             .example = "{http: 8080, metrics: 9090}"}),
      field("health", &S::health, health_form(),
            {.doc = "a path that answers 200 to 399 when all is well, or the checks one by one",
             .example = "/health",
             .fallback = "no checks"}),
      field("env", &S::env, map_of(variable_name(), loose_text("text")),
            {.doc = "environment variables", .example = "{LOG_LEVEL: info}"}),
      field("secrets", &S::secrets, map_of(variable_name(), secret_source()),
            {.doc = "environment variables whose values come from an environment variable or a file at rollout",
             .example = "{DB_PASSWORD: \"env:DB_PASSWORD\"}"}),
      field("files", &S::files, map_of(container_path(), folder_path()),
            {.doc = "files of the project that appear in the container",
             .example = "{/etc/app/app.yaml: config/app.yaml}"}),
      field("volumes", &S::volumes, map_of(dns_label(), volume_form()),
            {.doc = "storage that outlives the container, by name",
             .example = "{data: {mount: /var/lib/app, size: 1Gi}}"}),
      field("resources", &S::resources, resources_form(),
            {.doc = "what one pod may use", .example = "{cpu: 100m, memory: 128Mi}", .fallback = "no limits"}),
  };
}

std::vector<Field<WrittenService>> rollout_fields() {
  using S = WrittenService;
  return {
      field("replicas", &S::replicas, number(0, most_pods), {.doc = "number of pods", .example = "3", .fallback = "1"}),
      field("scale", &S::scale, scale_form(),
            {.doc = "pods that follow the load, in place of `replicas`", .example = "{min: 2, max: 10, cpu: 50}"}),
      field("strategy", &S::strategy, strategy_form(),
            {.doc = "how new pods take the place of the old ones", .example = "{type: rolling, deadline: 5m}"}),
      field("service", &S::service, service_port_form(),
            {.doc = "the stable address of the pods", .example = "{type: NodePort, port: 80, node_port: 30080}"}),
      field("ingress", &S::ingress, ingress_form(),
            {.doc = "a host name outside the cluster", .example = "{host: api.example.com}"}),
      field("depends_on", &S::depends_on, list_of(service_name()),
            {.doc = "services that are rolled out first", .example = "[mysql, redis]"}),
      field("tasks", &S::tasks, map_of(dns_label(), task_form()),
            {.doc = "commands run once for each release, such as migrations, by name, in this order",
             .example = "{migrate: {command: [\"/app\", \"migrate\"]}}"}),
  };
}

Form<WrittenService> make_service_form() {
  auto fields = image_fields();
  for (auto&& group : {container_fields(), rollout_fields()}) {
    fields.insert(fields.end(), group.begin(), group.end());
  }
  return mapping<WrittenService>("service", "One program: built from source, or a ready image.", std::move(fields));
}

}  // namespace

const Form<WrittenService>& service_form() {
  static const auto form = make_service_form();
  return form;
}

Form<std::string> service_key_form() {
  return service_name();
}

}  // namespace deployctl::project
