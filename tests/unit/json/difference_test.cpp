#include "core/json/value.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::json {
namespace {

// One line a difference: "path: before -> after".
std::string diff_text(std::string_view before, std::string_view after) {
  std::string text;
  for (const auto& difference : diff(Value::parse(before), Value::parse(after))) {
    text += difference.path + ": " + difference.before + " -> " + difference.after + "\n";
  }
  return text;
}

TEST(Diff, of_equal_values_is_empty_whatever_the_order_of_members) {
  EXPECT_EQ(diff_text(R"({"a":1,"b":[1]})", R"({"b":[1],"a":1})"), "");
}

TEST(Diff, names_changed_added_and_removed_members) {
  EXPECT_EQ(
      diff_text(R"({"spec":{"replicas":1,"paused":true}})", R"({"spec":{"replicas":3,"selector":{"app":"api"}}})"),
      "spec.replicas: 1 -> 3\n"
      "spec.paused: true -> \n"
      "spec.selector:  -> {\"app\":\"api\"}\n");
}

TEST(Diff, quotes_keys_that_hold_dots_and_slashes) {
  EXPECT_EQ(diff_text(R"({"labels":{"app.kubernetes.io/name":"a"}})", R"({"labels":{"app.kubernetes.io/name":"b"}})"),
            "labels[\"app.kubernetes.io/name\"]: \"a\" -> \"b\"\n");
}

TEST(Diff, compares_plain_arrays_by_index) {
  EXPECT_EQ(diff_text(R"({"args":["a","b"]})", R"({"args":["a","c","d"]})"),
            "args[1]: \"b\" -> \"c\"\n"
            "args[2]:  -> \"d\"\n");
}

TEST(Diff, matches_named_things_by_their_name) {
  EXPECT_EQ(diff_text(R"({"containers":[{"name":"api","image":"a:1"},{"name":"log"}]})",
                      R"({"containers":[{"name":"proxy"},{"name":"api","image":"a:2"}]})"),
            "containers[api].image: \"a:1\" -> \"a:2\"\n"
            "containers[log]: {\"name\":\"log\"} -> \n"
            "containers[proxy]:  -> {\"name\":\"proxy\"}\n");
}

TEST(Diff, reports_a_changed_order_of_named_things) {
  EXPECT_EQ(diff_text(R"({"env":[{"name":"A"},{"name":"B"}]})", R"({"env":[{"name":"B"},{"name":"A"}]})"),
            "env: [\"A\",\"B\"] -> [\"B\",\"A\"]\n");
}

TEST(Diff, falls_back_to_indexes_when_a_name_is_there_twice) {
  EXPECT_EQ(diff_text(R"([{"name":"a","x":1},{"name":"a","x":2}])", R"([{"name":"a","x":1},{"name":"a","x":3}])"),
            "[1].x: 2 -> 3\n");
}

TEST(Diff, shows_a_change_of_type_as_a_whole) {
  EXPECT_EQ(diff_text(R"({"a":[1]})", R"({"a":{"b":1}})"), "a: [1] -> {\"b\":1}\n");
}

}  // namespace
}  // namespace deployctl::json
