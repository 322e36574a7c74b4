#include "core/json/reader.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::json {
namespace {

const Value& sample() {
  static const auto value = Value::parse(R"({
    "metadata": {"name": "api", "labels": {"app.kubernetes.io/name": "api"}, "generation": 3},
    "spec": {"paused": true, "nothing": null, "containers": [{"name": "a"}, {"name": "b"}],
             "huge": 18446744073709551615, "ratio": 0.5}
  })");
  return value;
}

TEST(Reader, finds_members_by_a_path_of_keys) {
  const Reader reader(sample());
  EXPECT_EQ(reader.at("metadata", "labels", "app.kubernetes.io/name").string(), "api");
  EXPECT_EQ(reader.at("metadata", "generation").integer(), 3);
  EXPECT_EQ(reader.at("spec", "paused").boolean(), true);
  EXPECT_EQ(reader.at("spec", "containers").at(1).at("name").string_or(), "b");
}

TEST(Reader, of_nothing_answers_every_question_with_nothing) {
  const auto nothing = Reader(sample()).at("spec", "absent", "deeper").at(7);
  EXPECT_FALSE(nothing.exists());
  EXPECT_FALSE(nothing.is_null());
  EXPECT_EQ(nothing.string(), std::nullopt);
  EXPECT_EQ(nothing.integer_or(5), 5);
  EXPECT_EQ(nothing.string_or("x"), "x");
  EXPECT_FALSE(nothing.boolean_or());
  EXPECT_TRUE(nothing.elements().empty());
  EXPECT_TRUE(nothing.members().empty());
  EXPECT_EQ(nothing.size(), 0U);
  EXPECT_EQ(nothing.value(), nullptr);
  EXPECT_EQ(nothing.path(), "spec.absent.deeper[7]");
}

TEST(Reader, gives_nothing_for_a_value_of_another_type) {
  const Reader reader(sample());
  EXPECT_EQ(reader.at("metadata").string(), std::nullopt);
  EXPECT_EQ(reader.at("metadata", "name").integer(), std::nullopt);
  EXPECT_EQ(reader.at("spec", "ratio").integer(), std::nullopt);
  EXPECT_EQ(reader.at("spec", "huge").integer(), std::nullopt);
  EXPECT_EQ(reader.at("metadata", "generation").boolean(), std::nullopt);
  EXPECT_TRUE(reader.at("spec", "nothing").is_null());
}

TEST(Reader, says_in_words_what_a_demand_did_not_find) {
  const Reader reader(sample());
  EXPECT_EQ(reader.at("metadata", "uid").required_string().error().message, "metadata.uid is missing");
  EXPECT_EQ(reader.at("metadata", "generation").required_string().error().message,
            "metadata.generation is not a string");
  EXPECT_EQ(reader.at("metadata", "name").required_integer().error().message, "metadata.name is not a whole number");
  EXPECT_EQ(reader.required_string().error().message, "the value is not a string");
  EXPECT_EQ(Reader(sample(), "pod").at("x").required_integer().error().message, "pod.x is missing");
}

TEST(Reader, lists_elements_and_members_with_their_paths) {
  const Reader reader(sample());
  const auto containers = reader.at("spec", "containers").elements();
  ASSERT_EQ(containers.size(), 2U);
  EXPECT_EQ(containers[1].path(), "spec.containers[1]");
  const auto labels = reader.at("metadata", "labels").members();
  ASSERT_EQ(labels.size(), 1U);
  EXPECT_EQ(labels[0].key, "app.kubernetes.io/name");
  EXPECT_EQ(labels[0].value.path(), "metadata.labels[\"app.kubernetes.io/name\"]");
  EXPECT_EQ(reader.size(), 2U);
}

}  // namespace
}  // namespace deployctl::json
