// What is said of secrets that have no value here.
#include "core/execute/secrets.hpp"

#include "tests/support/variables.hpp"

#include <gtest/gtest.h>

namespace deployctl::execute {
namespace {

TEST(BuildSecrets, WithoutAValueAreNamedTogether) {
  project::Build build;
  build.secrets = {{"npm_token", {}}, {"pip_token", {}}, {"go_token", {}}};
  tests::Variables environment;
  environment.values["go_token"] = "x";
  EXPECT_EQ(check_build_secrets(build, environment).error().message,
            "build secrets have no value: the environment variables npm_token, pip_token are not set");
  EXPECT_EQ(check_build_secrets(build, environment).error().code, base::ErrorCode::invalid_input);
  environment.values["npm_token"] = "x";
  environment.values["pip_token"] = "";
  EXPECT_TRUE(check_build_secrets(build, environment)) << "an empty one is somebody's wish";
}

}  // namespace
}  // namespace deployctl::execute
