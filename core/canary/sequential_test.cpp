// Two of Wald's likelihood ratios, kept side by side.
//
// Against the stable pods: given how many errors there were altogether, each is the canary's with a probability that
// depends on the shares of the requests and on the ratio of the error rates alone. So the rate itself, which nobody
// knows, drops out, and the shares may change from look to look.
// Against the tolerated rate: what decides when there are no errors at all, or no stable pods to compare with.
//
// Under the good hypothesis either ratio is a non-negative martingale that starts at 1: that it ever reaches 1/risk has
// a probability of at most `risk` (Ville). A canary is worse only when both have, so one of them being true to its
// hypothesis is enough. Under the bad one the inverse ratios are such martingales; as either of them may clear the
// canary, each gets half of the risk.
#include "core/canary/sequential_test.hpp"

#include <algorithm>
#include <cmath>

namespace deployctl::canary {
namespace {

double against_stable(const Counts& canary, const Counts& stable, double ratio) {
  if (canary.requests <= 0 || stable.requests <= 0) {
    return 0;
  }
  const double share = canary.requests / (canary.requests + stable.requests);
  const double share_when_bad = ratio * canary.requests / (ratio * canary.requests + stable.requests);
  return canary.errors * std::log(share_when_bad / share) +
         stable.errors * std::log((1 - share_when_bad) / (1 - share));
}

double against_tolerated(const Counts& canary, const TestOptions& options) {
  const double good = options.tolerated;
  const double bad = options.tolerated * options.ratio;
  return canary.errors * std::log(bad / good) + (canary.requests - canary.errors) * std::log((1 - bad) / (1 - good));
}

void add_to(Counts& sum, const Counts& more) {
  sum.requests += more.requests;
  sum.errors += more.errors;
}

}  // namespace

Evidence add(Evidence evidence, const Counts& canary, const Counts& stable, const TestOptions& options) {
  evidence.against_stable += against_stable(canary, stable, options.ratio);
  evidence.against_tolerated += against_tolerated(canary, options);
  evidence.most_against_stable = std::max(evidence.most_against_stable, evidence.against_stable);
  evidence.most_against_tolerated = std::max(evidence.most_against_tolerated, evidence.against_tolerated);
  add_to(evidence.canary, canary);
  add_to(evidence.stable, stable);
  return evidence;
}

Opinion opinion_on(const Evidence& evidence, const TestOptions& options) {
  const double convicts = std::log(1 / options.risk);
  const double clears = std::log(options.risk / 2);
  if (evidence.most_against_stable >= convicts && evidence.most_against_tolerated >= convicts) {
    return Opinion::worse;
  }
  if (evidence.against_stable <= clears || evidence.against_tolerated <= clears) {
    return Opinion::not_worse;
  }
  return Opinion::undecided;
}

}  // namespace deployctl::canary
