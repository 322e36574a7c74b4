// Blue-green rollouts: which side of a service an object goes to, the switch of the Service from one to the other, and
// what becomes of the side that is left (generate/sides.hpp).
//
// Nothing is remembered between two runs but what stands in the cluster: the Service's selector, and on the side that
// is kept until when.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/generate/sides.hpp"
#include "core/kube/object.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// The services that have a step SwitchTraffic among the steps of a run. The steps of one service call it one after the
// other, those of several services at once.
class Sides {
 public:
  // The client and the ports must outlive it; the client may be null when there is no such step.
  Sides(const std::vector<plan::Step>& steps, cluster::Client* client, const Ports& ports);

  // The object as it is to be applied now. Of a service with two sides: its Deployment is the side that is not live,
  // unless the live one runs these very pods or there is none; what is applied after the switch (its Service too)
  // belongs to the side that then is live.
  base::Result<kube::Object> placed(const std::string& service, const kube::Object& object);

  // Makes the Service lead to the new pods (or says that this waits for `promote`), with whatever else the release
  // wants of it, in one write that is refused (conflict) when somebody else has changed the Service since it was read,
  // and waits until its endpoints are theirs alone.
  base::Status switch_traffic(const plan::Step& step);

  // Whether the switch has written the object just so.
  [[nodiscard]] bool has_written(const std::string& service, const kube::Object& object) const;

  // Whether its new side is complete and waits for `promote`.
  [[nodiscard]] bool waits(const std::string& service) const;

  // Lets the side go that is not live: scaled down to nothing, marked to be kept for a while, or deleted.
  base::Status retire(const plan::Step& step, const plan::RetireSide& action);

 private:
  struct State {
    bool goes_home = false;  // to the blue side, for good
    bool waits_for_promote = false;
    bool is_held = false;        // the other side is complete and waits
    base::Milliseconds keep{0};  // for the side that is left
    bool is_known = false;
    generate::Side live = generate::Side::blue;
    long long wanted_pods = 1;  // of the one that is chosen
    generate::Side chosen = generate::Side::blue;
    std::optional<kube::Object> service;          // as it is wanted, on the blue side
    std::optional<kube::Object> switched;         // the same as the switch has written it
    std::optional<kube::Object> live_deployment;  // as it was found
  };

  base::Status look(const std::string& service, const kube::Object& like, State& state);
  base::Result<kube::Object> choose(const kube::Object& deployment, State& state);
  base::Result<std::string> switch_over(const plan::Step& step, State& state);

  cluster::Client* client_;
  const Ports& ports_;
  std::map<std::string, State> states_;  // by service; no service is added later
};

// Scales down the side of a service that is not live, unless it is kept to go back to.
base::Status abort_side(const project::Target& target, const std::string& service, cluster::Client& client,
                        const Ports& ports);

}  // namespace deployctl::execute
