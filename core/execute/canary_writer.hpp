// What walking a canary and taking it back write to the cluster.
//
// What exists for the canary alone is ours whoever has changed it. What the stable pods have too (a Service, a route,
// an autoscaler) may have been changed by somebody else meanwhile: on the way forward that is an error (conflict)
// unless the run takes fields over, on the way back only the canary is taken out of it, and the rest stays as they made
// it.
#pragma once

#include "core/execute/canary.hpp"

namespace deployctl::execute {

class CanaryWriter {
 public:
  // The run must outlive it.
  explicit CanaryWriter(const CanaryRun& run) : run_(run) {}

  [[nodiscard]] kube::ObjectKey deployment_key() const;

  // The canary's Service and so many pods; its Deployment as the cluster took it.
  base::Result<kube::Object> make(int replicas);
  // Keeps the autoscaler of the stable pods, if any, from taking pods away because the canary took their load.
  base::Status hold_autoscaler(int replicas);
  void release_autoscaler();

  // Gives it its share of the requests, and waits until the share holds where the router tells.
  base::Status route(const project::Canary& settings, int weight);
  // All requests to the stable pods, and the same.
  base::Status route_to_stable(const project::Canary& settings, canary::End end);

  // What exists for the canary alone; what is gone already is not missed.
  base::Status remove_all(const project::Canary& settings, canary::End end);

  void note(events::Note::Level level, std::string text);

 private:
  base::Result<kube::Object> apply(const kube::Object& object, cluster::Force force);
  [[nodiscard]] bool is_canarys_own(const kube::ObjectKey& key) const;
  base::Status give_back(const kube::Object& route);
  base::Status take_out_of(const kube::ObjectKey& key);
  base::Status remove(const kube::ObjectKey& key);
  base::Status wait_for_gateways(const kube::Object& applied);

  const CanaryRun& run_;
};

}  // namespace deployctl::execute
