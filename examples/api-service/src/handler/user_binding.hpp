// From what a client sent to checked values: Gin's binding and validation. All pure; throws ApiError, which names every
// field that is wrong.
#pragma once

#include "model/user.hpp"

#include <string_view>

namespace handler {

// The body of POST /users: {"name": …, "email": …, "age": …}; fields it does not know are ignored.
model::NewUser bind_new_user(std::string_view body);

model::UserId bind_user_id(std::string_view text);

}  // namespace handler
