// Whose a workload is, by its labels.
#include "core/plan/belonging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::plan {
namespace {

kube::Object labelled(const json::Value& labels) {
  return {.body = {{"apiVersion", "apps/v1"},
                   {"kind", "Deployment"},
                   {"metadata", {{"name", "api"}, {"namespace", "web"}, {"labels", labels}}}}};
}

struct Row {
  std::string what;
  json::Value labels;
  std::string refusal;  // how it begins
};

TEST(Belonging, IsReadFromTheLabels) {
  project::Target target;
  target.project = {"shop", {}};
  target.environment = "dev";
  target.name_space = "web";
  const json::Value ours = {{"app.kubernetes.io/managed-by", "deployctl"}, {"app.kubernetes.io/part-of", "shop"}};
  const auto with = [](json::Value labels, const char* name, const char* value) {
    labels[name] = value;
    return labels;
  };
  const Row rows[] = {
      {"nobody's", json::Value::object(), ""},
      {"kubectl's", {{"app.kubernetes.io/part-of", "other"}}, ""},
      {"of no environment", ours, ""},
      {"ours", with(ours, "deployctl.dev/environment", "dev"), ""},
      {"another environment's", with(ours, "deployctl.dev/environment", "prod"),
       "deployment/api in namespace web belongs to prod of shop, and this is dev of shop"},
      {"another project's", with(ours, "app.kubernetes.io/part-of", "store"),
       "deployment/api in namespace web belongs to store, and this is dev of shop"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto checked = check_belonging(target, labelled(row.labels));
    EXPECT_EQ(checked ? "" : checked.error().message, row.refusal);
    EXPECT_TRUE(checked || checked.error().code == base::ErrorCode::refused);
  }
}

}  // namespace
}  // namespace deployctl::plan
