#include "core/json/object.hpp"

#include <gtest/gtest.h>

namespace deployctl::json {
namespace {

TEST(Objects, AreWhatBracesWouldMake) {
  const std::string name = "web";
  EXPECT_EQ(object(), Value::object());
  EXPECT_EQ(object("name", name, "port", 8080, "on", true, "inner", object("x", std::string_view("y"))),
            (Value{{"name", name}, {"port", 8080}, {"on", true}, {"inner", {{"x", "y"}}}}));
  EXPECT_EQ(to_compact_text(object("b", 1, "a", 2)), R"({"b":1,"a":2})") << "in the order given";
}

TEST(Objects, CanBeAddedToAfterwards) {
  auto made = object("a", 1);
  made["b"] = 2;
  EXPECT_EQ(to_compact_text(made), R"({"a":1,"b":2})");
}

TEST(Lists, OfOneItemAreNoCopiesOfIt) {
  EXPECT_EQ(to_compact_text(list_of(object("a", 1))), R"([{"a":1}])");
  EXPECT_EQ(to_compact_text(list_of(Value::array({1, 2}))), "[[1,2]]") << "a list in a list";
}

}  // namespace
}  // namespace deployctl::json
