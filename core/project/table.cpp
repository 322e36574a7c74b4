// The keys of the whole file and of an environment.
#include "core/project/table.hpp"

#include "core/project/values.hpp"

namespace deployctl::project {
namespace {

constexpr FieldText registry_text{.doc = "where built images are pushed: an image is `<registry>/<service>`",
                                  .example = "registry.example.com/team",
                                  .fallback = "none: then every service has to name its `image`"};
constexpr FieldText context_text{
    .doc = "context of the kubeconfig file: which cluster", .example = "prod", .fallback = "the current one"};
constexpr FieldText namespace_text{
    .doc = "Kubernetes namespace", .example = "miniapp", .fallback = "the project's name"};
constexpr FieldText cluster_text{.doc =
                                     "the one cluster that may be changed, by the UID of its namespace kube-system and "
                                     "its CA certificate; any other "
                                     "is refused. `deployctl doctor` prints both",
                                 .example = "{uid: 6f1c2d9e-0b1a-4c5d-8e7f-102938475665}",
                                 .fallback = "the one the first rollout of this user met"};
constexpr FieldText pull_secret_text{.doc = "Secret in the namespace that pods pull their images with",
                                     .example = "regcred",
                                     .fallback = "those of the namespace's default service account"};
constexpr FieldText approval_text{
    .doc = "manual: a rollout asks first, or needs --yes", .example = "manual", .fallback = "automatic"};

Form<Approval> approval() {
  return word<Approval>("approval", {{"automatic", Approval::automatic}, {"manual", Approval::manual}});
}

Form<WrittenCluster> cluster_form() {
  using C = WrittenCluster;
  return mapping<C>(
      "cluster", "Which cluster it is. Who may not read kube-system pins the CA.",
      {
          field("uid", &C::uid, cluster_uid(),
                {.doc = "UID of the namespace kube-system", .example = "6f1c2d9e-0b1a-4c5d-8e7f-102938475665"}),
          field("ca", &C::ca, certificate_digest(),
                {.doc = "SHA-256 of the CA certificate (DER): `openssl x509 -in ca.crt -outform der | "
                        "sha256sum`",
                 .example = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}),
      });
}

// The node itself, for what is read later; its shape is described all the same.
Form<const yaml::Node*> unread(ShapePtr shape) {
  return {shape, [](const yaml::Node& node, const Subject&, base::Diagnostics&) {
            return std::optional<const yaml::Node*>(&node);
          }};
}

ShapePtr services_shape() {
  return std::make_shared<Shape>(Shape{.kind = Shape::Kind::map,
                                       .element = service_form().shape,
                                       .key = service_key_form().shape,
                                       .may_be_empty = false});
}

Form<WrittenCi> ci_form() {
  using Provider = WrittenCi::Provider;
  const auto provider = [] { return mapping<Provider>("ci provider", "There is nothing to set yet.", {}); };
  return mapping<WrittenCi>(
      "ci", "Which pipelines `generate ci` writes.",
      {
          field("github", &WrittenCi::github, provider(), {.doc = "GitHub Actions", .example = "{}"}),
          field("gitlab", &WrittenCi::gitlab, provider(), {.doc = "GitLab CI", .example = "{}"}),
      });
}

Form<WrittenRegistryTrust> registry_trust_form() {
  using R = WrittenRegistryTrust;
  return mapping<R>("registry trust",
                    "How a registry is spoken to whose certificate no authority of this machine has signed.",
                    {
                        field("insecure", &R::insecure, boolean(),
                              {.doc = "plain http, or https with any certificate; every run warns of it",
                               .example = "true",
                               .fallback = "false"}),
                        field("ca", &R::ca, folder_path(),
                              {.doc = "file with the certificates (PEM) of the authorities that may vouch for it",
                               .example = "certs/registry-ca.pem",
                               .fallback = "as the system and `certs.d` say"}),
                    });
}

Form<WrittenEnvironment> make_environment_form() {
  using E = WrittenEnvironment;
  return mapping<E>(
      "environment",
      "What differs in one environment. Mappings are laid over what stands above key by key, anything else takes the "
      "place of what stands above, and null removes it.",
      {
          field("registry", &E::registry, registry(), registry_text),
          field("context", &E::context, any_text("text"), context_text),
          field("namespace", &E::name_space, dns_label(), namespace_text),
          field("cluster", &E::cluster, cluster_form(), cluster_text),
          field("pull_secret", &E::pull_secret, object_name(), pull_secret_text),
          field("approval", &E::approval, approval(), approval_text),
          field("services", &E::services, unread(services_shape()),
                {.doc = "changes to the services, and services of this environment only",
                 .example = "{api: {replicas: 5}}"}),
      },
      {{"project", "'project' cannot differ between environments"},
       {"environments", "'environments' cannot stand in an environment"},
       {"registries", "'registries' cannot differ between environments"},
       {"ci", "'ci' cannot differ between environments"}});
}

Form<WrittenProject> make_project_form() {
  using P = WrittenProject;
  return mapping<P>(
      "project", "The whole file.",
      {
          field("project", &P::project, dns_label(),
                {.doc = "the project's name", .example = "miniapp", .need = Need::required}),
          field("registry", &P::registry, registry(), registry_text),
          field("registries", &P::registries, map_of(registry_host(), registry_trust_form()),
                {.doc = "registries that need an authority of their own, or cannot show who they are, by `host[:port]`",
                 .example = "{\"registry.lan:5000\": {ca: certs/lan.pem}}"}),
          field("services", &P::services, map_of(service_key_form(), shared(service_form()), Empty::refused),
                {.doc = "the programs of the project, by name",
                 .example = "{api: {port: 8080}}",
                 .need = Need::required}),
          field("environments", &P::environments, map_of(dns_label(), unread(environment_form().shape)),
                {.doc = "where it runs, by name; each is laid over what stands above",
                 .example = "{prod: {context: prod}}"}),
          field("context", &P::context, any_text("text"), context_text),
          field("namespace", &P::name_space, dns_label(), namespace_text),
          field("cluster", &P::cluster, cluster_form(), cluster_text),
          field("pull_secret", &P::pull_secret, object_name(), pull_secret_text),
          field("approval", &P::approval, approval(), approval_text),
          field("ci", &P::ci, ci_form(), {.doc = "which pipelines are generated", .example = "{github: {}}"}),
      },
      {{"hooks", "hooks are not available yet"}});
}

}  // namespace

const Form<WrittenEnvironment>& environment_form() {
  static const auto form = make_environment_form();
  return form;
}

const Form<WrittenProject>& project_form() {
  static const auto form = make_project_form();
  return form;
}

}  // namespace deployctl::project
