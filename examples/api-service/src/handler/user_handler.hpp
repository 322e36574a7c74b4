// The routes about users.
#pragma once

#include "router/context.hpp"
#include "service/user_service.hpp"

namespace handler {

class UserHandler {
 public:
  // The service must outlive this.
  explicit UserHandler(service::UserService& users) : users_(users) {}

  router::Handler get();      // GET /users/:id
  router::Handler create();   // POST /users
  router::Handler profile();  // GET /api/v1/users/profile, behind middleware::identity

 private:
  service::UserService& users_;
};

}  // namespace handler
