#include "core/generate/backing.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::generate {
namespace {

// Commands ask over TCP on purpose: while mysql and postgres prepare an empty data folder, a temporary server answers
// on the local socket only.
const std::vector<KnownImage>& known_images() {
  static const std::vector<KnownImage> images = {
      {"clickhouse-server", "http", 8123, {"clickhouse-client", "--query", "SELECT 1"}},
      {"elasticsearch", "http", 9200, {"curl", "-fsS", "http://127.0.0.1:9200/_cluster/health"}},
      {"etcd", "client", 2379, {"etcdctl", "--endpoints=http://127.0.0.1:2379", "endpoint", "health"}},
      {"mariadb", "mysql", 3306, {"healthcheck.sh", "--connect", "--innodb_initialized"}},
      {"memcached", "memcached", 11211, {}},
      {"minio", "http", 9000, {"mc", "ready", "local"}},
      {"mongo", "mongodb", 27017, {"mongosh", "--quiet", "--eval", "db.adminCommand('ping').ok"}},
      {"mysql", "mysql", 3306, {"mysqladmin", "ping", "-h", "127.0.0.1", "--silent"}},
      {"nats", "nats", 4222, {}},
      {"postgres", "postgres", 5432, {"pg_isready", "-h", "127.0.0.1", "-U", "postgres"}},
      {"rabbitmq", "amqp", 5672, {"rabbitmq-diagnostics", "-q", "ping"}},
      {"redis", "redis", 6379, {"redis-cli", "ping"}},
      {"valkey", "redis", 6379, {"valkey-cli", "ping"}},
  };
  return images;
}

std::string_view repository_name(std::string_view reference) {
  const auto without_digest = base::split_once(reference, '@').first;
  const auto last_part = without_digest.substr(without_digest.rfind('/') + 1);
  return base::split_once(last_part, ':').first;
}

}  // namespace

const KnownImage* known_image(const project::Service& service) {
  if (service.is_built()) {
    return nullptr;
  }
  const auto& images = known_images();
  const auto found = std::ranges::find(images, repository_name(*service.image), &KnownImage::name);
  return found == images.end() ? nullptr : &*found;
}

std::vector<project::Port> effective_ports(const project::Service& service) {
  const auto* known = known_image(service);
  if (!service.ports.empty() || known == nullptr) {
    return service.ports;
  }
  return {{.name = std::string(known->port_name), .number = known->port, .span = service.image.span}};
}

}  // namespace deployctl::generate
