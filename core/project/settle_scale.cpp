// How many pods there are.
#include "core/project/settle_parts.hpp"

namespace deployctl::project {

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

}  // namespace deployctl::project
