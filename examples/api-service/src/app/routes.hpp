// The table of routes: the first file to read.
#pragma once

#include "app/lifecycle.hpp"
#include "config/config.hpp"
#include "logging/logger.hpp"
#include "metrics/metrics.hpp"
#include "repository/user_repository.hpp"
#include "router/router.hpp"
#include "service/user_service.hpp"

namespace app {

struct Services {
  const config::Config& config;
  logging::Logger& logger;
  metrics::Metrics& metrics;
  const Lifecycle& lifecycle;
  repository::UserRepository& user_repository;
  service::UserService& users;
};

// All of them must outlive the router.
void add_routes(router::Router& router, const Services& services);

}  // namespace app
