#include "core/kube/applied_before.hpp"

#include <gtest/gtest.h>

namespace deployctl::kube {
namespace {

struct Case {
  const char* name;
  const char* manager;
  const char* operation;
  const char* time;
  const char* answered_at;
  bool expected;
};

class AppliedBefore : public testing::TestWithParam<Case> {};

TEST_P(AppliedBefore, IsToldByTheManagersEntry) {
  const auto& each = GetParam();
  const Object answer{{{"metadata",
                        {{"resourceVersion", "7"},
                         {"managedFields",
                          {{{"manager", "kubectl"}, {"operation", "Update"}, {"time", "2026-01-01T10:00:00Z"}},
                           {{"manager", each.manager}, {"operation", each.operation}, {"time", each.time}}}}}}}};
  EXPECT_EQ(was_applied_before(answer, "deployctl", each.answered_at), each.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, AppliedBefore,
    testing::Values(Case{"Long", "deployctl", "Apply", "2026-01-01T09:58:59Z", "2026-01-01T10:00:00Z", true},
                    Case{"Now", "deployctl", "Apply", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", false},
                    Case{"WithinTheLongestRequest", "deployctl", "Apply", "2026-01-01T09:59:00Z",
                         "2026-01-01T10:00:00Z", false},
                    Case{"Later", "deployctl", "Apply", "2026-01-01T10:05:00Z", "2026-01-01T10:00:00Z", false},
                    Case{"NoClock", "deployctl", "Apply", "2026-01-01T09:00:00Z", "", false},
                    Case{"NoTime", "deployctl", "Apply", "soon", "2026-01-01T10:00:00Z", false},
                    Case{"OfSomebodyElse", "helm", "Apply", "2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z", false},
                    Case{"ByUpdate", "deployctl", "Update", "2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z", false}),
    [](const auto& info) { return info.param.name; });

TEST(AppliedBefore, NotWhatIsNotThereYet) {
  const Object answer{
      {{"metadata",
        {{"managedFields", {{{"manager", "deployctl"}, {"operation", "Apply"}, {"time", "2026-01-01T09:00:00Z"}}}}}}}};
  EXPECT_FALSE(was_applied_before(answer, "deployctl", "2026-01-01T10:00:00Z"));
}

}  // namespace
}  // namespace deployctl::kube
