#include "handler/user_binding.hpp"

#include "error/api_error.hpp"

#include <gtest/gtest.h>

namespace handler {
namespace {

using error::ApiError;
using error::Code;

// "40001 email: is required; name: …" or "ok".
template <typename Bind>
std::string outcome(Bind bind, const std::string& text) {
  try {
    bind(text);
    return "ok";
  } catch (const ApiError& error) {
    std::string all = std::to_string(static_cast<int>(error.code()));
    for (const auto& each : error.fields()) {
      all += (all.size() == 5 ? " " : "; ") + each.field + ": " + each.reason;
    }
    return all;
  }
}

TEST(New_user, is_bound_from_json) {
  EXPECT_EQ(bind_new_user(R"({"name": " 小明 ", "email": "Ming@example.cn", "age": 30, "extra": true})"),
            (model::NewUser{.name = "小明", .email = "Ming@example.cn", .age = 30}));
  EXPECT_EQ(bind_new_user(R"({"name": "A", "email": "a@b.cn", "age": null})").age, std::nullopt);
}

TEST(New_user, that_is_not_valid_is_refused_with_a_reason_for_every_field) {
  const std::string long_name(65, 'x');
  const std::string name_at_limit(64, 'x');
  const struct {
    std::string body;
    std::string outcome;
  } rows[] = {
      {"", "40003"},
      {"{", "40003"},
      {"[]", "40003"},
      {"null", "40003"},
      {R"({"name": "\ud800"})", "40003"},
      {"{}", "40001 name: is required; email: is required"},
      {R"({"name": null, "email": "a@b.cn"})", "40001 name: is required"},
      {R"({"name": 7, "email": 8})", "40001 name: must be a string; email: must be a string"},
      {R"({"name": "  ", "email": "a@b.cn"})", "40001 name: must not be empty"},
      {R"({"name": ")" + long_name + R"(", "email": "a@b.cn"})", "40001 name: must not be longer than 64 characters"},
      {R"({"name": ")" + name_at_limit + R"(", "email": "a@b.cn"})", "ok"},
      {R"({"name": "a\u0000b", "email": "a@b.cn"})", "40001 name: must not contain control characters"},
      {R"({"name": "A", "email": "a@b.cn", "age": -1})", "40001 age: must be a whole number from 0 to 150"},
      {R"({"name": "A", "email": "a@b.cn", "age": 151})", "40001 age: must be a whole number from 0 to 150"},
      {R"({"name": "A", "email": "a@b.cn", "age": 1.5})", "40001 age: must be a whole number from 0 to 150"},
      {R"({"name": "A", "email": "a@b.cn", "age": "9"})", "40001 age: must be a whole number from 0 to 150"},
      {R"({"name": "A", "email": "a@b.cn", "age": 18446744073709551615})",
       "40001 age: must be a whole number from 0 to 150"},
      {R"({"name": "A", "email": "a@b.cn", "age": 0})", "ok"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(outcome(bind_new_user, row.body), row.outcome) << row.body;
  }
}

TEST(New_user, needs_an_email_that_could_be_one) {
  for (const char* good : {"a@b.cn", "first.last+tag@mail.example.com", "a_b@x-y.io", "1@2.3"}) {
    EXPECT_EQ(outcome(bind_new_user, R"({"name": "A", "email": ")" + std::string(good) + R"("})"), "ok") << good;
  }
  const std::string long_local = std::string(65, 'a') + "@b.cn";
  const std::string long_all = "a@" + std::string(60, 'b') + "." + std::string(60, 'b') + "." + std::string(60, 'b') +
                               "." + std::string(60, 'b') + "." + std::string(20, 'c');
  for (const auto& bad :
       {std::string("a"), std::string("@b.cn"), std::string("a@"), std::string("a@b"), std::string("a@b..cn"),
        std::string(".a@b.cn"), std::string("a@-b.cn"), std::string("a b@c.cn"), std::string("a@b.cn,c@d.cn"),
        std::string("a@@b.cn"), long_local, long_all}) {
    EXPECT_EQ(outcome(bind_new_user, R"({"name": "A", "email": ")" + bad + R"("})"),
              "40001 email: must be an e-mail address")
        << bad;
  }
}

TEST(User_id, is_a_whole_number_from_1) {
  EXPECT_EQ(bind_user_id("1"), 1);
  EXPECT_EQ(bind_user_id("9223372036854775807"), 9223372036854775807);
  for (const char* bad : {"", "0", "-1", "+1", "1x", " 1", "1.0", "abc", "9223372036854775808"}) {
    EXPECT_EQ(outcome(bind_user_id, bad), "40002 id: must be a whole number from 1") << bad;
  }
}

}  // namespace
}  // namespace handler
