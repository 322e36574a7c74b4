// The Services of a run: when each is written so that no request is lost while pods are replaced
// (kube/address_change.hpp), and whether they lead to pods in the end. Those with two sides change with their switch
// (execute/sides.hpp).
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/address_change.hpp"
#include "core/kube/object.hpp"
#include "core/plan/plan.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// The steps of one service call it one after the other, those of several services at once.
class Addresses {
 public:
  // Steps, client and ports must outlive it; the client may be null when no step meets the cluster.
  Addresses(const std::vector<plan::Step>& steps, cluster::Client* client, const Ports& ports);

  // What is to be applied now in place of the Service: itself, one that leads to old and new pods alike, or nothing,
  // where any change would take the old pods their requests. In the last two cases the Service waits for the verdict on
  // the pods.
  base::Result<std::optional<kube::Object>> at_first(const plan::Step& step, const kube::Object& service);

  // What is to be applied before the pods of a service whose Service comes after them, because a canary needs it as it
  // is: nothing, or one that leads to old and new pods alike.
  base::Result<std::optional<kube::Object>> before_pods(const std::string& service);

  // Whether an object that leads requests to the Service waits with it: it knows the Service by ports that it does not
  // have yet. It is kept, and given back with the Service.
  bool holds(const plan::Step& step, const kube::Object& object);

  // What has waited for the verdict, to be applied in this order: the Service first. Told once.
  struct Waiting {
    const plan::Step* step = nullptr;
    kube::Object object;
  };
  std::vector<Waiting> take_waiting(const std::string& service);

  // The rest of them, of which one could not be applied.
  void put_back(const std::string& service, std::vector<Waiting> waiting);
  // All that no verdict came for, or that was put back: of each service the Service first.
  std::vector<Waiting> left_waiting();

  // Whether the Service is applied only after a verdict that was good, so that nobody has looked for its pods yet.
  bool comes_after_its_pods(const std::string& service);

  // Whether the Service leads to a pod, or there is none that is ready; asked after a good verdict. True where this run
  // may not read endpoints. rollout_failed when somebody has deleted the Service meanwhile.
  base::Result<bool> leads_to_pods(const std::string& service);
  // The same with a moment for the endpoints controller: rollout_undecided when it does not come.
  base::Status await_pods(const std::string& service);

 private:
  struct State {
    std::optional<kube::Object> service;  // as it is wanted
    std::optional<kube::Object> deployment;
    bool is_watched = false;    // its pods get a verdict
    bool is_unchanged = false;  // the Service is as it is wanted
    bool has_canary = false;
    bool has_two_sides = false;
    bool comes_first = false;  // the Service, before the verdict on the pods
    bool keeps_ports = false;  // while it waits
    bool is_decided = false;   // the verdict was good: nothing waits any more
    std::vector<Waiting> waiting;

    [[nodiscard]] bool may_change() const {
      return service && deployment && is_watched && !is_unchanged && !has_two_sides;
    }
  };

  base::Result<kube::AddressChange> look(const State& state);
  void tell(const kube::Object& service, const kube::AddressChange& change);

  cluster::Client* client_;
  const Ports& ports_;
  std::mutex mutex_;                     // what waits: the verdict comes beside the steps
  std::map<std::string, State> states_;  // by service; no service is added later
};

}  // namespace deployctl::execute
