#include "core/execute/images.hpp"

#include "core/plan/plan.hpp"

#include <gtest/gtest.h>

namespace deployctl::execute {
namespace {

kube::Object pod_with(const std::string& image) {
  return {{{"spec", {{"containers", {{{"name", "api"}, {"image", image}}}}}}}};
}

TEST(Images, PutsTheServiceImageInPlaceOfThePlaceholder) {
  Images images;
  images.set("api", "example.com/api:1@sha256:ab");
  const auto filled = images.filled_in(pod_with(plan::placeholder_for("api")));
  ASSERT_TRUE(filled);
  EXPECT_EQ(filled->body["spec"]["containers"][0]["image"], "example.com/api:1@sha256:ab");
}

TEST(Images, LeavesOtherImagesAlone) {
  const auto filled = Images().filled_in(pod_with("mysql:8.0"));
  ASSERT_TRUE(filled);
  EXPECT_EQ(*filled, pod_with("mysql:8.0"));
}

TEST(Images, RefusesAPlaceholderWithoutAnImage) {
  const auto filled = Images().filled_in(pod_with(plan::placeholder_for("api")));
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().message, "the image of api is not known");
}

}  // namespace
}  // namespace deployctl::execute
