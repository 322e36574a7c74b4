#include "app/routes.hpp"

#include "handler/system_handler.hpp"
#include "handler/user_handler.hpp"
#include "middleware/middleware.hpp"

namespace app {

void add_routes(router::Router& router, const Services& services) {
  const auto& config = services.config;
  router.use(middleware::trace());
  router.use(middleware::access_log(services.logger));
  router.use(middleware::measure(services.metrics));
  router.use(middleware::errors(services.logger));
  router.use(middleware::timeout(config.request_timeout));

  router.get("/health", handler::health());
  router.get("/ready", handler::ready(services.lifecycle, services.user_repository));
  router.get("/version", handler::version({config.version, config.commit, config.build_time}));
  router.get("/metrics", handler::metrics(services.metrics));

  auto api = router.group("/api");
  api.get("/hello", handler::hello(config.greeting));

  handler::UserHandler users(services.users);
  router.get("/users/:id", users.get());
  router.post("/users", users.create());

  auto v1 = api.group("/v1");
  v1.use(middleware::identity());
  v1.get("/users/profile", users.profile());
}

}  // namespace app
