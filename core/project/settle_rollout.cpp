// How many pods there are, and how new ones take the place of old ones.
#include "core/project/settle_parts.hpp"

#include <algorithm>

namespace deployctl::project {
namespace {

bool is_for_one_pod(const Volume& volume) {
  return volume.access.starts_with("ReadWriteOnce");
}

bool is_zero(std::string_view amount) {
  return amount == "0" || amount == "0%";
}

int most_pods(const Service& service) {
  return service.scale ? service.scale->max : service.replicas;
}

void check_rolling(const WrittenStrategy& written, const Strategy& strategy, base::Diagnostics& out) {
  if (is_zero(strategy.max_surge) && is_zero(strategy.max_unavailable)) {
    const auto& place = written.max_surge ? written.max_surge->at : written.max_unavailable->at;
    out.error(place, "'max_surge' and 'max_unavailable' cannot both be 0: no pod could ever be replaced");
  }
}

void warn_of_volumes(const Service& service, bool is_chosen_rolling, base::Diagnostics& out) {
  for (const auto& volume : service.volumes) {
    if (!is_for_one_pod(volume)) {
      continue;
    }
    if (most_pods(service) > 1) {
      out.warning(volume.span,
                  fmt::format("volume '{}' is {}: {} pods cannot share it across nodes", volume.name, volume.access,
                              most_pods(service)),
                  "use 'access: ReadWriteMany' or one replica");
    } else if (is_chosen_rolling) {
      out.warning(volume.span,
                  fmt::format("volume '{}' is {}: in a rolling update the new pod may wait for it forever", volume.name,
                              volume.access),
                  "use 'strategy: {type: recreate}'");
    }
  }
}

}  // namespace

void settle_scale(const WrittenService& written, Service& service, base::Diagnostics& out) {
  service.replicas = value_or(written.replicas, 1);
  const auto* given = sound(written.scale);
  if (given == nullptr) {
    return;
  }
  refuse_both(written.replicas, written.scale, "'replicas' and 'scale' exclude each other", out);
  Scale scale;
  scale.min = value_or(given->min, 1);
  scale.max = value_or(given->max, scale.min);
  scale.cpu = value_or(given->cpu, scale.cpu);
  if (scale.min > scale.max) {
    out.error(given->min ? given->min->at : given->max->at,
              fmt::format("'min' ({}) is above 'max' ({})", scale.min, scale.max));
  }
  if (!service.resources.cpu_request && !service.resources.cpu_limit &&
      !(written.resources && written.resources->is_broken)) {
    out.warning(written.scale->key, "'scale' follows the CPU request, and there is none",
                "add 'resources: {cpu: 100m}', or the autoscaler has nothing to go by");
  }
  service.scale = scale;
  service.replicas = scale.min;
}

void settle_strategy(const WrittenService& written, Service& service, base::Diagnostics& out) {
  const auto given = value_or(written.strategy, {});
  auto& strategy = service.strategy;
  const bool is_chosen_rolling =
      given.type ? given.type->value == Strategy::Type::rolling : given.max_surge || given.max_unavailable;
  const bool must_recreate = std::ranges::any_of(service.volumes, is_for_one_pod);
  const auto usual = must_recreate && !is_chosen_rolling ? Strategy::Type::recreate : Strategy::Type::rolling;
  strategy.type = value_or(given.type, usual);
  strategy.max_surge = value_or(given.max_surge, strategy.max_surge);
  strategy.max_unavailable = value_or(given.max_unavailable, strategy.max_unavailable);
  strategy.deadline = value_or(given.deadline, strategy.deadline);
  if (strategy.type == Strategy::Type::recreate) {
    refuse_useless(given.max_surge, "max_surge", "with 'type: recreate'", out);
    refuse_useless(given.max_unavailable, "max_unavailable", "with 'type: recreate'", out);
  } else {
    check_rolling(given, strategy, out);
  }
  warn_of_volumes(service, is_chosen_rolling, out);
}

}  // namespace deployctl::project
