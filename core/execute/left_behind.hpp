// What earlier runs have left open or half done, and what this one does about it. All of it under the lock: whoever
// holds that knows that nobody else is at work.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/release_run.hpp"

namespace deployctl::execute {

// Whether the run wants what that release says, of which somebody is waited for and nothing else is under way: then it
// needs no record of its own. Not so for `promote`, which is.
bool is_gone_on_with(const ReleaseRun& run, const kube::ReleaseSummary& open);
// Makes it the run's release, which nobody else can write to any more.
base::Status go_on_with(ReleaseRun& run, const kube::ReleaseSummary& open);
// What is pending was left behind: it is marked interrupted, so that whoever made it cannot write to it any more.
base::Status take_over(ReleaseRun& run, kube::ReleaseSummary& left);
// What `promote` is about may have ended while it waited for the lock: refused, saying how.
base::Status check_continued(const ReleaseRun& run);
// What has been taken back of the release that this run goes on with is no part of it: its steps are dropped. refused
// when the run is about such a service by name.
base::Status leave_out_taken_back(ReleaseRun& run);
// A run about some services is not to end what waits of others: refused, naming them.
base::Status check_others_open(const ReleaseRun& run);

// The same release again goes on with what is open of the one left, any other takes that back first. Gives the run its
// canaries.
base::Status take_up(ReleaseRun& run);
// Every canary of the release that is not over.
base::Status take_back_canaries(ReleaseRun& run, const kube::Release& release, const kube::Release* live,
                                CanaryRecord& record);
// A run about some services has nothing of its own to put in the place of what an interrupted one did to the others:
// they are brought back to the live release. What one that failed did to them was left there on purpose (--on-failure
// stop, keep) and stays.
base::Status mend_other_services(ReleaseRun& run);
// Of a run about some services: tasks of the others that have begun and that nothing of before works with, where what
// the run's release will have of those services is still what was before ("api/clean-up").
std::vector<std::string> contracts_behind(const ReleaseRun& run);
// What becomes of the tasks of an interrupted release that this one does not have, see left_tasks.hpp.
base::Status settle_left_tasks(const ReleaseRun& run);

}  // namespace deployctl::execute
