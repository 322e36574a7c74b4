#include "service/user_service.hpp"

#include "error/api_error.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <map>

namespace service {
namespace {

using error::ApiError;
using error::Code;
using model::NewUser;
using model::User;

// Users in a map.
class FakeUsers : public repository::UserRepository {
 public:
  asio::awaitable<std::optional<User>> find(model::UserId id) override {
    const auto found = users_.find(id);
    co_return found == users_.end() ? std::nullopt : std::optional(found->second);
  }
  asio::awaitable<std::optional<User>> add(NewUser user) override {
    for (const auto& [id, known] : users_) {
      if (known.email == user.email) {
        co_return std::nullopt;
      }
    }
    const auto id = static_cast<model::UserId>(users_.size()) + 1;
    users_[id] = {.id = id, .name = user.name, .email = user.email, .age = user.age, .created_at = "now"};
    co_return users_[id];
  }
  asio::awaitable<void> ping() override { co_return; }

 private:
  std::map<model::UserId, User> users_;
};

template <typename Act>
Code code_of(Act act) {
  try {
    act();
    return Code::ok;
  } catch (const ApiError& error) {
    return error.code();
  }
}

TEST(User_service, gives_back_the_user_it_made) {
  FakeUsers users;
  UserService service(users);
  const auto made = run(service.create({.name = "Ann", .email = "a@b.cn", .age = {}}));
  EXPECT_EQ(run(service.get(made.id)).name, "Ann");
}

TEST(User_service, does_not_know_a_user_that_is_not_there) {
  FakeUsers users;
  UserService service(users);
  EXPECT_EQ(code_of([&] { run(service.get(7)); }), Code::user_not_found);
}

TEST(User_service, keeps_an_email_for_one_user) {
  FakeUsers users;
  UserService service(users);
  run(service.create({.name = "Ann", .email = "a@b.cn", .age = {}}));
  EXPECT_EQ(code_of([&] { run(service.create({.name = "Bob", .email = "a@b.cn", .age = {}})); }), Code::email_taken);
}

}  // namespace
}  // namespace service
