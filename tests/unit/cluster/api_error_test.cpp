#include "core/cluster/api_error.hpp"

#include "core/cluster/conflict.hpp"
#include "core/cluster/connection.hpp"
#include "core/cluster/field_path.hpp"
#include "core/io/clock.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::cluster {
namespace {

Connection connection() {
  return {.server = *base::Url::parse("https://k8s:6443"),
          .context = "dev",
          .kubeconfig = "~/.kube/config",
          .user_name = "me",
          .name_space = "shop"};
}

const Operation applying{.verb = "apply", .object = "deployment/api", .name_space = "shop"};

struct Row {
  int status;
  std::string_view body;
  base::ErrorCode code;
  std::string_view message;
  std::string_view hint;
};

// The bodies are what API servers 1.20 and 1.36 answered, shortened to what is read.
TEST(ApiError, SaysInWordsWhatTheServerRefused) {
  using enum base::ErrorCode;
  const Row rows[] = {
      {403,
       R"({"kind":"Status","reason":"Forbidden","message":"deployments.apps \"api\" is forbidden: User \"ci\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"shop\""})",
       unauthorized, "user ci may not patch deployments in namespace shop",
       "grant the verb 'patch' on 'deployments' with a Role and a RoleBinding"},
      {403,
       R"({"kind":"Status","reason":"Forbidden","message":"nodes is forbidden: User \"ci\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"})",
       unauthorized, "user ci may not list nodes in the cluster",
       "grant the verb 'list' on 'nodes' with a Role and a RoleBinding"},
      {403,
       R"({"kind":"Status","reason":"Forbidden","message":"unable to create new content","details":{"causes":[{"reason":"NamespaceTerminating"}]}})",
       failed, "cannot apply deployment/api in namespace shop: the namespace is being deleted",
       "wait until it has gone, or use another namespace"},
      {401, R"({"kind":"Status","reason":"Unauthorized","message":"Unauthorized"})", unauthorized,
       "the cluster at https://k8s:6443 (context dev of ~/.kube/config) does not accept the credentials of user me",
       "log in again, or check the user's token or certificate in ~/.kube/config"},
      {404, R"({"kind":"Status","reason":"NotFound","details":{"name":"api","kind":"deployments"}})", not_found,
       "there is no deployment/api in namespace shop", ""},
      {404, R"({"kind":"Status","reason":"NotFound","details":{"name":"shop","kind":"namespaces"}})", not_found,
       "there is no namespace shop", "create it first: kubectl create namespace shop"},
      {404, "404 page not found\n", not_found, "the cluster does not serve deployment/api",
       "its version may be too old or too new for this kind"},
      {409, R"({"kind":"Status","reason":"Conflict","message":"the object has been modified"})", conflict,
       "cannot apply deployment/api in namespace shop: the object has been modified", ""},
      {422,
       R"({"kind":"Status","reason":"Invalid","message":"long","details":{"causes":[{"reason":"FieldValueInvalid","message":"Invalid value: field is immutable","field":"spec.selector"}]}})",
       invalid_input,
       "the cluster refuses deployment/api in namespace shop: spec.selector: Invalid value: field is immutable", ""},
      {422,
       R"({"kind":"Status","reason":"Invalid","message":"long","details":{"causes":[{"reason":"FieldValueTooLong","message":"Too long: must have at most 1048576 bytes"}]}})",
       invalid_input, "the cluster refuses deployment/api in namespace shop: Too long: must have at most 1048576 bytes",
       ""},
      {400,
       R"({"kind":"Status","reason":"BadRequest","message":"admission webhook \"audit.example.com\" does not support dry run"})",
       failed,
       "cannot try out to apply deployment/api in namespace shop: admission webhook \"audit.example.com\" does not "
       "support dry run",
       "declare in its configuration that the webhook has no side effects (sideEffects: None or NoneOnDryRun)"},
      {413,
       R"({"kind":"Status","reason":"RequestEntityTooLarge","message":"Request entity too large: limit is 3145728"})",
       invalid_input,
       "the cluster refuses deployment/api in namespace shop: Request entity too large: limit is 3145728", ""},
      {500,
       R"({"kind":"Status","message":"failed to create typed patch object (shop/api; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema"})",
       invalid_input,
       "the cluster refuses deployment/api in namespace shop: failed to create typed patch object (shop/api; apps/v1, "
       "Kind=Deployment): .spec.replica: field not declared in schema",
       ""},
      {429, "Too many requests, please try again later.", failed,
       "cannot apply deployment/api in namespace shop: the API server is overloaded", "try again later"},
      {503, "", failed, "cannot apply deployment/api in namespace shop: HTTP status 503", ""},
      {302, "", failed,
       "cannot apply deployment/api in namespace shop: https://k8s:6443 (context dev of ~/.kube/config) answers with a "
       "redirect, as an API server does not",
       ""},
  };
  for (const auto& row : rows) {
    const auto error =
        to_error(read_status({.status = row.status, .body = std::string(row.body)}), applying, connection());
    EXPECT_EQ(error.message, row.message);
    EXPECT_EQ(error.code, row.code) << row.message;
    EXPECT_EQ(error.hint, row.hint) << row.message;
  }
}

TEST(ApiError, OfAServerThatDoesNotAnswerNamesItAndTheContext) {
  const auto error = no_answer(base::Error::unreachable("connection refused"), applying, connection());
  EXPECT_EQ(to_string(error),
            "cannot reach the cluster at https://k8s:6443 (context dev of ~/.kube/config): connection refused");
  EXPECT_EQ(error.code, base::ErrorCode::unreachable);
  EXPECT_EQ(error.hint,
            "check that the cluster runs, that this machine can reach it, and that the context is the right one");
}

TEST(RetryDelay, IsForThoseWhoAskToComeBack) {
  const auto delay = [](int status, std::string_view after, std::string_view body = "") {
    http::Response response{.status = status, .body = std::string(body)};
    if (!after.empty()) {
      response.headers.set("Retry-After", std::string(after));
    }
    return retry_delay(read_status(response)).value_or(std::chrono::milliseconds(-1)).count();
  };
  EXPECT_EQ(delay(429, "3"), 3000);
  EXPECT_EQ(delay(429, ""), 1000) << "an overloaded server may forget to say when";
  EXPECT_EQ(delay(503, "2"), 2000);
  EXPECT_EQ(delay(500, ""), -1) << "an apply that does not fit the schema will never fit it";
  EXPECT_EQ(delay(504, "", R"({"kind":"Status","details":{"retryAfterSeconds":1}})"), 1000);
  EXPECT_EQ(delay(409, "1"), -1);
}

TEST(Conflict, NamesFieldManagerAndBothValues) {
  const kube::Object ours{
      .body = {
          {"kind", "Deployment"},
          {"metadata", {{"name", "api"}}},
          {"spec",
           {{"replicas", 2}, {"template", {{"spec", {{"containers", {{{"name", "api"}, {"image", "api:2"}}}}}}}}}}}};
  kube::Object live = ours;
  live.body["spec"]["replicas"] = 5;
  live.body["spec"]["template"]["spec"]["containers"][0]["image"] = "api:1";
  const auto status = read_status(
      {.status = 409,
       .body =
           R"({"kind":"Status","details":{"causes":[)"
           R"({"reason":"FieldManagerConflict","message":"conflict with \"kubectl-scale\" using apps/v1","field":".spec.replicas"},)"
           R"({"reason":"FieldManagerConflict","message":"conflict with \"kubectl-set\" using apps/v1","field":".spec.template.spec.containers[name=\"api\"].image"}]}})"});
  ASSERT_TRUE(is_ownership_conflict(status));
  EXPECT_FALSE(is_conflict_with(status, "kubectl-scale"));
  EXPECT_EQ(conflict_error(ours, &live, status).message,
            "deployment/api has fields that others manage: .spec.replicas belongs to kubectl-scale (it has 5, we want "
            "2); .spec.template.spec.containers[name=\"api\"].image belongs to kubectl-set (it has \"api:1\", we want "
            "\"api:2\")");
}

TEST(Conflict, KeepsTheValuesOfASecretToItself) {
  const kube::Object ours{
      .body = {{"kind", "Secret"}, {"metadata", {{"name", "db"}}}, {"data", {{"password", "eA=="}}}}};
  const auto status = read_status(
      {.status = 409,
       .body =
           R"({"kind":"Status","details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"vault\"","field":".data.password"}]}})"});
  EXPECT_EQ(conflict_error(ours, &ours, status).message,
            "secret/db has fields that others manage: .data.password belongs to vault");
}

TEST(FieldPath, LeadsToTheValueOrNowhere) {
  const json::Value object = {{"a", {{"b", {{{"k", "x"}, {"p", 1}}, {{"k", "y"}, {"p", 2}, {"v", "here"}}}}}}};
  const auto find = [&](std::string_view path) {
    const auto* value = find_field(object, path);
    return value == nullptr ? std::string("nowhere") : value->dump();
  };
  EXPECT_EQ(find(".a.b[1].v"), "\"here\"");
  EXPECT_EQ(find(R"(.a.b[k="y",p=2].v)"), "\"here\"");
  EXPECT_EQ(find(R"(.a.b[k="z"].v)"), "nowhere");
  EXPECT_EQ(find(".a.c"), "nowhere");
  EXPECT_EQ(find(".a.b[9]"), "nowhere");
  EXPECT_EQ(find(".a.b[1"), "nowhere");
  EXPECT_EQ(find("a"), "nowhere");
}

TEST(Rfc3339, IsReadWithFractionsAndOffsets) {
  const auto seconds = [](std::string_view text) {
    const auto time = io::parse_rfc3339(text);
    return time ? time->time_since_epoch().count() : -1;
  };
  EXPECT_EQ(seconds("2026-01-01T00:00:00Z"), 1'767'225'600'000);
  EXPECT_EQ(seconds("2026-01-01T01:00:00.123456789+01:00"), 1'767'225'600'123);
  EXPECT_EQ(seconds("2025-12-31T19:00:00-05:00"), 1'767'225'600'000);
  for (const auto* text : {"", "now", "2026-01-01", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                           "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00Zx"}) {
    EXPECT_EQ(seconds(text), -1) << text;
  }
}

}  // namespace
}  // namespace deployctl::cluster
