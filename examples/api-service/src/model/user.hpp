// The user: the one thing this service keeps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace model {

using UserId = std::int64_t;  // from 1

// What a client sends to make one; checked, see handler/user_binding.hpp.
struct NewUser {
  std::string name;
  std::string email;
  std::optional<int> age;
  bool operator==(const NewUser&) const = default;
};

struct User {
  UserId id = 0;
  std::string name;
  std::string email;
  std::optional<int> age;
  std::string created_at;  // ISO 8601, UTC
};

}  // namespace model
