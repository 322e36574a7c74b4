#include "core/execute/executor.hpp"

#include "core/base/overloaded.hpp"
#include "core/execute/addresses.hpp"
#include "core/execute/apply.hpp"
#include "core/execute/attach_step.hpp"
#include "core/execute/await.hpp"
#include "core/execute/canary.hpp"
#include "core/execute/image_steps.hpp"
#include "core/execute/images.hpp"
#include "core/execute/kept_images.hpp"
#include "core/execute/old_pods.hpp"
#include "core/execute/prune.hpp"
#include "core/execute/registry_word.hpp"
#include "core/execute/schedule.hpp"
#include "core/execute/sides.hpp"
#include "core/execute/step_report.hpp"
#include "core/execute/task_step.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace deployctl::execute {
namespace {

using Outcome = events::StepFinished::Outcome;

constexpr std::chrono::seconds a_moment{5};

void tell_skipped(const ScheduleOutcome& outcome, const OpenRelease* open, const Ports& ports) {
  const auto paused = open == nullptr ? std::vector<std::string>() : open->paused;
  for (const auto& left : outcome.left) {
    const auto* step = left.step;
    const auto because = why_left(left, outcome.status, paused);
    const auto why = because.empty() ? std::string() : fmt::format(" (because {})", because);
    ports.events.emit(events::StepFinished{.step = step->id,
                                           .service = step->service,
                                           .outcome = Outcome::skipped,
                                           .result = "not started: " + plan::title(*step) + why});
  }
}

// Carries out single steps; what one leaves for another (images, the watch) lives here.
class StepRunner {
 public:
  StepRunner(const plan::Plan& plan, const project::Target& target, Seen& seen, const ExecuteOptions& options,
             const Ports& ports)
      : target_(target), seen_(seen), options_(options), ports_(ports) {
    for (const auto& [service, reference] : seen.observation.images) {
      images_.set(service, reference);
    }
    const auto is_task = [](const plan::Action& action) { return std::holds_alternative<plan::RunTask>(action); };
    with_jobs_ = std::ranges::any_of(plan.steps, is_task, &plan::Step::action) ? WithJobs::yes : WithJobs::no;
    name_space_ = plan.name_space;
  }

  // All the steps, those that were not begun told as skipped. `open` is the release they belong to, if any yet.
  base::Status run(const std::vector<plan::Step>& steps, OpenRelease* open) {
    open_ = open;
    has_failed_ = false;
    sides_.emplace(steps, seen_.world.cluster.get(), ports_);
    addresses_.emplace(steps, seen_.world.cluster.get(), ports_);
    const auto keep_going = options_.record.on_failure == OnFailure::keep ? KeepGoing::yes : KeepGoing::no;
    const auto outcome = run_steps(
        steps, options_.parallel, [&](const plan::Step& step, const StepDone& done) { start(step, done); }, ports_.stop,
        keep_going, [this](const base::Error& error) { return is_pause(error); });
    end_lookers();
    tell_left_waiting(outcome.status);
    tell_skipped(outcome, open, ports_);
    return outcome.status;
  }

  // Of the images that the steps have pushed, and whose digests are known only now.
  void keep_live_images(const std::vector<plan::Step>& steps) {
    NewImages pushed;
    for (const auto& step : steps) {
      const auto image = images_.find(step.service);
      if (image && std::holds_alternative<plan::PushImage>(step.action)) {
        pushed[step.service] = {.reference = *image};
      }
    }
    if (pushed.empty()) {
      return;
    }
    const auto kept = images_to_keep(pushed, seen_.live_images, seen_.world.registry->client, ports_.stop);
    for (const auto& [service, image] : kept) {
      images_.set(service, image);
    }
    tell_kept_images(kept, ports_);
  }

  [[nodiscard]] const Images& images() const { return images_; }

 private:
  void end_lookers() {
    std::vector<std::jthread> lookers;
    {
      const std::lock_guard lock(mutex_);
      lookers.swap(lookers_);
    }
    lookers.clear();  // waits for them
  }

  // The cluster may go on without this run.
  void tell_left_waiting(const base::Status& status) {
    const bool goes_on = !status && (status.error().code == base::ErrorCode::rollout_undecided ||
                                     status.error().code == base::ErrorCode::interrupted);
    for (const auto& left : addresses_->left_waiting()) {
      const auto name = kube::to_string(left.object.key());
      ports_.events.emit(events::StepFinished{.step = left.step->id,
                                              .service = left.step->service,
                                              .outcome = Outcome::skipped,
                                              .result = name + " waits for the new pods to be ready"});
      if (goes_on && left.object.kind() == "Service") {
        note(fmt::format("{} has not got its new ports: when its new pods get ready without this run, roll out again",
                         name));
      }
    }
  }

  void start(const plan::Step& step, const StepDone& finish) {
    const StepDone done = [this, finish](const base::Status& status) {
      if (!status) {
        note_failure(status.error());
      }
      finish(status);
    };
    if (open_ == nullptr) {
      start_action(step, done);
      return;
    }
    if (const auto held = open_->lock.still_held(); !held) {
      done(held);
      return;
    }
    if (auto* journal = open_->journal) {
      journal->begun(step.id);
      start_action(step, [journal, id = step.id, done](const base::Status& status) {
        journal->ended(id, status.has_value());
        done(status);
      });
      return;
    }
    start_action(step, done);
  }

  bool is_pause(const base::Error& error) {
    const std::lock_guard lock(mutex_);
    return open_ != nullptr && std::ranges::find(open_->paused, error.message) != open_->paused.end();
  }

  // For the canaries that are walked meanwhile. One that waits for somebody has not failed.
  void note_failure(const base::Error& error) {
    const bool is_paused = is_pause(error);
    const std::lock_guard lock(mutex_);
    has_failed_ = has_failed_ || (!is_paused && options_.record.on_failure != OnFailure::keep);
  }

  void start_action(const plan::Step& step, const StepDone& done) {
    std::visit(base::Overloaded{
                   [&](const plan::BuildImage& action) { done(build(step, action)); },
                   [&](const plan::PushImage& action) { done(push(step, action)); },
                   [&](const plan::AttachDocuments& action) { done(attach(step, action)); },
                   [&](const plan::ApplyObject& action) { done(apply(step, action.object)); },
                   [&](const plan::ApplySecret& action) { done(apply_secret(step, action)); },
                   [&](const plan::RunTask& action) { done(run_task_of(step, action)); },
                   [&](const plan::AwaitRollout&) { await(step, done); },
                   [&](const plan::SwitchTraffic&) { done(switch_traffic(step)); },
                   [&](const plan::RetireSide& action) { done(sides_->retire(step, action)); },
                   [&](const plan::PruneObject& action) { done(prune(step, action)); },
                   [&](const plan::RunCanary& action) { done(walk_canary(step, action)); },
                   [&](const plan::EndCanary& action) { done(remove_canary(step, action)); },
               },
               step.action);
  }

  // A workload as the cluster took it, for the step that watches it.
  struct Begun {
    kube::RolloutTarget target;
    bool is_unchanged = false;
  };

  base::Status build(const plan::Step& step, const plan::BuildImage& action) {
    StepReport report(ports_.events, ports_.clock, step.id, step.service, "building " + step.service);
    const auto& service = *target_.find(step.service);
    auto built = build_image(target_, service, action, seen_, report, ports_);
    if (built && action.with_provenance) {
      if (const auto kept = record_provenance(built->trace, target_, service, seen_, options_.tool_version, ports_);
          !kept) {
        built = kept.error();
      }
    }
    return finish_image(step, report, built);
  }

  base::Status push(const plan::Step& step, const plan::PushImage& action) {
    StepReport report(ports_.events, ports_.clock, step.id, step.service, "pushing " + step.service);
    return finish_image(step, report, push_image(*target_.find(step.service), action, seen_, report, ports_));
  }

  base::Status finish_image(const plan::Step& step, StepReport& report, const base::Result<ImageResult>& result) {
    if (!result) {
      report.finish(Outcome::failed, result.error().message);
      return result.error().within("{}", plan::title(step));
    }
    images_.set(step.service, result->reference);
    report.finish(result->is_unchanged ? Outcome::unchanged : Outcome::done,
                  result->remark.empty() ? result->reference : result->reference + " (" + result->remark + ")");
    return {};
  }

  // The image is pushed and right without its documents: a registry that does not take them fails nothing.
  base::Status attach(const plan::Step& step, const plan::AttachDocuments& action) {
    StepReport report(ports_.events, ports_.clock, step.id, step.service,
                      fmt::format("attaching {} to {}", plan::documents(action), step.service));
    const auto attached =
        attach_documents(action, images_.find(step.service).value_or(""), seen_, options_.tool_version, ports_);
    if (!attached) {
      const bool is_interrupted = attached.error().code == base::ErrorCode::interrupted;
      report.finish(is_interrupted ? Outcome::failed : Outcome::skipped, "not attached: " + attached.error().message);
      if (is_interrupted) {
        return attached.error();
      }
      note(fmt::format("{} not attached to {}: {}", plan::documents(action), step.service,
                       base::to_string(attached.error())));
      return {};
    }
    if (!attached->missing.empty()) {
      note(fmt::format("{}: {}", step.service, attached->missing));
    }
    report.finish(attached->attached > 0 ? Outcome::done : Outcome::unchanged, attach_result(*attached));
    return {};
  }

  void note(std::string text) { ports_.events.emit(events::Note{events::Note::Level::warning, std::move(text)}); }

  // Connected once something is to be followed, when what had to be written first has been: four connections that are
  // opened at once would hold it up. They begin with what there is, so nothing is missed.
  Rollouts& rollouts() {
    const std::lock_guard lock(mutex_);
    if (!rollouts_) {
      rollouts_.emplace(*seen_.world.cluster, name_space_, with_jobs_,
                        registry_word(*seen_.world.cluster, name_space_, target_, ports_), patience_of(target_),
                        ports_);
    }
    return *rollouts_;
  }

  static std::string attach_result(const AttachResult& attached) {
    return fmt::format("{} document{} attached{}", attached.attached, attached.attached == 1 ? "" : "s",
                       attached.by_fallback_tag ? ", by a tag: the registry has no referrers API" : "");
  }

  base::Status apply(const plan::Step& step, const kube::Object& planned) {
    const auto filled = images_.filled_in(planned);
    const auto object = filled ? sides_->placed(step.service, *filled) : filled;
    if (!object) {
      return object.error();
    }
    if (is_settled(*object) || sides_->has_written(step.service, *object)) {
      ports_.events.emit(events::ObjectApplied{.step = step.id,
                                               .service = step.service,
                                               .object = kube::to_string(object->key()),
                                               .change = events::ObjectApplied::Change::unchanged});
      return {};
    }
    if (object->kind() == "Service") {
      return apply_address(step, *object);
    }
    if (object->kind() == "Deployment") {
      return apply_workload(step, *object);
    }
    return addresses_->holds(step, *object) ? base::Status() : apply_as_it_is(step, *object);
  }

  base::Result<cluster::Applied> write(const plan::Step& step, const kube::Object& object,
                                       std::optional<std::string> known_version) {
    return apply_object(*seen_.world.cluster, object,
                        {.step = step.id,
                         .service = step.service,
                         .known_version = std::move(known_version),
                         .force = options_.force,
                         .taken = hiding(object)},
                        ports_);
  }

  base::Status apply_as_it_is(const plan::Step& step, const kube::Object& object) {
    const auto applied = write(step, object, version_of(object));
    return applied ? base::Status() : applied.error();
  }

  base::Status apply_address(const plan::Step& step, const kube::Object& service) {
    const auto now = addresses_->at_first(step, service);
    if (!now) {
      return now.error();
    }
    const auto applied = *now ? apply_as_it_is(step, **now) : base::Status();
    return applied && addresses_->comes_after_its_pods(step.service) ? addresses_->await_pods(step.service) : applied;
  }

  // What its pods had to come before. What it was before is not known any more.
  base::Status apply_what_waited(const std::string& service) {
    const auto waiting = addresses_->take_waiting(service);
    for (auto each = waiting.begin(); each != waiting.end(); ++each) {
      const auto held = open_->lock.still_held();
      const auto applied = held ? write(*each->step, each->object, {}) : held.error();
      if (!applied) {
        addresses_->put_back(service, {each, waiting.end()});
        return applied.error();
      }
    }
    return {};
  }

  base::Status apply_workload(const plan::Step& step, const kube::Object& deployment) {
    const auto address = addresses_->before_pods(step.service);
    if (!address) {
      return address.error();
    }
    if (*address) {
      if (const auto written = write(step, **address, {}); !written) {
        return written.error();
      }
    }
    const auto applied = write(step, deployment, version_of(deployment));
    if (!applied) {
      return applied.error();
    }
    const std::lock_guard lock(mutex_);
    auto& begun = begun_[step.service];
    begun = {.target = cluster::target_of(step.service, applied->object),
             .is_unchanged = applied->change == cluster::Change::unchanged};
    if (begun.is_unchanged) {
      begun.target.written.time = applied->time;  // the object tells of the write before
    }
    return {};
  }

  std::vector<kube::FieldPath> hiding(const kube::Object& object) const {
    const auto found = seen_.hiding.find(object.key());
    return found == seen_.hiding.end() ? std::vector<kube::FieldPath>() : found->second;
  }

  // The dry run has shown it a moment ago.
  bool is_settled(const kube::Object& object) const {
    const auto settled = std::ranges::find(seen_.settled, object, &Settled::object);
    return settled != seen_.settled.end() && ports_.clock.steady_now() - settled->at < a_moment && open_ != nullptr &&
           is_untouched_since(seen_, open_->lock.epoch());
  }

  std::optional<std::string> version_of(const kube::Object& object) const {
    const auto known = seen_.live_versions.find(object.key());
    return known == seen_.live_versions.end() ? std::nullopt : std::optional(known->second);
  }

  base::Status apply_secret(const plan::Step& step, const plan::ApplySecret& /*action*/) {
    const auto secret = secret_for(target_, step.service, seen_.secrets.at(step.service));
    const auto applied = apply_object(*seen_.world.cluster, secret, {.step = step.id, .service = step.service}, ports_);
    return applied ? base::Status{} : applied.error();
  }

  base::Status run_task_of(const plan::Step& step, const plan::RunTask& action) {
    const auto job = images_.filled_in(action.job);
    const auto prepare = [&] { return action.is_contract ? prepare_contract(step, action) : base::Status(); };
    return job ? run_task(step, *job, *seen_.world.cluster, rollouts(), prepare, ports_) : job.error();
  }

  // What is noted stands in the way of every way back, so it is noted before the task can have done anything.
  base::Status prepare_contract(const plan::Step& step, const plan::RunTask& action) {
    if (const auto gone = await_old_pods_of(step.service); !gone) {
      return gone;
    }
    return open_ == nullptr ? base::Status() : open_->note_contract(step.service + "/" + action.task);
  }

  base::Status await_old_pods_of(const std::string& service) {
    std::string deployment;
    {
      const std::lock_guard lock(mutex_);
      const auto begun = begun_.find(service);
      deployment = begun == begun_.end() ? service : begun->second.target.deployment;
    }
    return await_old_pods_gone({.deployment = {"apps/v1", "Deployment", target_.name_space, deployment},
                                .label_selector = fmt::format("app.kubernetes.io/name={},app.kubernetes.io/part-of={}",
                                                              service, *target_.project),
                                .deadline = options_.rollout_deadline},
                               *seen_.world.cluster, ports_);
  }

  base::Status prune(const plan::Step& step, const plan::PruneObject& action) {
    return prune_object(*seen_.world.cluster, action, target_, step.id, ports_);
  }

  base::Result<canary::Parts> parts(const std::string& service, const std::vector<kube::Object>& planned) {
    std::vector<kube::Object> objects;
    for (const auto& object : planned) {
      auto filled = images_.filled_in(object);
      if (!filled) {
        return filled.error();
      }
      objects.push_back(std::move(*filled));
    }
    const auto* live = open_ == nullptr ? nullptr : open_->live;
    return canary::parts_of(objects, service, live == nullptr ? std::nullopt : std::optional(std::span(live->objects)));
  }

  CanaryRun canary_run(const plan::Step& step, const canary::Parts& parts, const project::Canary& settings) {
    return {.parts = parts,
            .settings = settings,
            .step = step.id,
            .directory = target_.directory,
            .deadline = options_.rollout_deadline,
            .patience = patience_of(target_)[step.service],
            .force = options_.force,
            .record = *open_->canaries,
            .client = *seen_.world.cluster,
            .ports = ports_,
            .has_release_failed = &has_failed_};
  }

  base::Status walk_canary(const plan::Step& step, const plan::RunCanary& action) {
    const auto made = parts(step.service, action.objects);
    if (!made) {
      return made.error();
    }
    const auto end = run_canary(canary_run(step, *made, action.settings));
    if (!end) {
      return end.error();
    }
    return *end == CanaryEnd::paused ? base::Status(paused(step.service)) : base::Status();
  }

  // Nothing that comes after it begins, and the release stays open.
  base::Error paused(const std::string& service) {
    const auto kept = open_->canaries->find(service);
    auto error = base::Error::make(base::ErrorCode::rollout_undecided, "the canary of {} is {}", service,
                                   kept ? canary::in_words(kept->settings, kept->progress) : "paused")
                     .with_hint("'deployctl promote {}' goes on, 'deployctl abort {}' takes it back", service, service);
    return stays_open(std::move(error));
  }

  base::Error stays_open(base::Error error) {
    const std::lock_guard lock(mutex_);
    open_->paused.push_back(error.message);
    return error;
  }

  // A new side that waits is noted, so that `promote` finds it from any machine.
  base::Status switch_traffic(const plan::Step& step) {
    const auto switched = sides_->switch_traffic(step);
    if (!switched) {
      return switched;
    }
    const bool waits = sides_->waits(step.service);
    const auto before = open_->canaries->waiting_sides();
    if (const bool did_wait = std::ranges::find(before, step.service) != before.end(); waits != did_wait) {
      if (const auto noted = open_->canaries->note_side(step.service, waits); !noted) {
        return noted;
      }
    }
    return waits ? base::Status(stays_open(side_waits(step.service))) : base::Status();
  }

  static base::Error side_waits(const std::string& service) {
    return base::Error::make(base::ErrorCode::rollout_undecided, "the new side of {} is ready and gets no request yet",
                             service)
        .with_hint("'deployctl promote {0}' switches to it, 'deployctl abort {0}' lets it go", service);
  }

  base::Status remove_canary(const plan::Step& step, const plan::EndCanary& action) {
    const auto made = parts(step.service, action.objects);
    return made ? end_canary(canary_run(step, *made, action.settings)) : made.error();
  }

  void await(const plan::Step& step, const StepDone& done) {
    Begun begun;
    {
      const std::lock_guard lock(mutex_);
      begun = begun_.at(step.service);
    }
    rollouts().follow(begun.target, {.deadline = options_.rollout_deadline, .is_unchanged = begun.is_unchanged},
                      [this, &step, done](const base::Status& verdict) {
                        if (verdict) {
                          end_well(step.service, done);
                        } else {
                          done(note_verdict(verdict));
                        }
                      });
  }

  // On the thread of the rollouts, which waits for nothing: other services have their verdicts to come.
  void end_well(const std::string& service, const StepDone& done) {
    const auto applied = apply_what_waited(service);
    if (!applied || addresses_->comes_after_its_pods(service)) {
      done(applied);
      return;
    }
    const auto leads = addresses_->leads_to_pods(service);
    if (!leads || *leads) {
      done(leads ? base::Status() : leads.error());
      return;
    }
    const std::lock_guard lock(mutex_);
    lookers_.emplace_back([this, service, done] { done(addresses_->await_pods(service)); });
  }

  // For the end of the release.
  base::Status note_verdict(const base::Status& verdict) {
    const std::lock_guard lock(mutex_);
    open_->is_overtaken = open_->is_overtaken || verdict.error().code == base::ErrorCode::refused;
    return verdict;
  }

  const project::Target& target_;
  Seen& seen_;
  const ExecuteOptions& options_;
  const Ports& ports_;
  Images images_;
  std::optional<Sides> sides_;          // of the steps that run
  std::optional<Addresses> addresses_;  // of the same
  std::string name_space_;
  WithJobs with_jobs_ = WithJobs::no;
  std::atomic<bool> has_failed_ = false;  // a step of the release
  std::mutex mutex_;                      // workloads are applied side by side
  std::map<std::string, Begun> begun_;    // by service
  OpenRelease* open_ = nullptr;
  std::vector<std::jthread> lookers_;  // for the pods of Services
  // Last: what it still tells when it ends uses the rest.
  std::optional<Rollouts> rollouts_;
};

// The services the plan is about, each once, in its order.
std::vector<std::string> services_of(const plan::Plan& plan) {
  std::vector<std::string> services;
  for (const auto& step : plan.steps) {
    if (!step.service.empty() && std::ranges::find(services, step.service) == services.end()) {
      services.push_back(step.service);
    }
  }
  return services;
}

std::vector<plan::Step> steps_of(const plan::Plan& plan, plan::Phase phase) {
  std::vector<plan::Step> steps;
  std::ranges::copy_if(plan.steps, std::back_inserter(steps), [&](const auto& step) { return step.phase == phase; });
  return steps;
}

// For the way `run` ended before them.
void tell_all_skipped(const std::vector<plan::Step>& steps, const base::Status& run, const Ports& ports) {
  ScheduleOutcome outcome{.status = run, .left = {}};
  for (const auto& step : steps) {
    outcome.left.push_back({&step, {}});
  }
  tell_skipped(outcome, nullptr, ports);
}

}  // namespace

Execution execute(const plan::Plan& plan, const project::Target& target, Seen& seen, const ExecuteOptions& options,
                  const Ports& outside) {
  Halt halt(outside.stop);
  auto ports = outside;
  ports.stop = halt.token();
  StepRunner runner(plan, target, seen, options, ports);
  const auto image_steps = steps_of(plan, plan::Phase::images);
  Execution execution{.status = runner.run(image_steps, nullptr), .images = {}};
  const auto cluster_steps = steps_of(plan, plan::Phase::cluster);
  if (!execution.status) {
    tell_all_skipped(cluster_steps, execution.status, ports);
  } else if (!cluster_steps.empty()) {
    runner.keep_live_images(image_steps);
    // What watches for the first runner has ended with what stopped it.
    const RunSteps run = [&](const std::vector<plan::Step>& steps, OpenRelease* open, const Ports& with) {
      return with.stop == ports.stop ? runner.run(steps, open)
                                     : StepRunner(plan, target, seen, options, with).run(steps, open);
    };
    execution.status = roll_out_recorded({.plan = plan,
                                          .target = target,
                                          .seen = seen,
                                          .images = runner.images(),
                                          .options = options.record,
                                          .tool_version = options.tool_version,
                                          .run = run,
                                          .halt = halt,
                                          .ports = ports});
  }
  for (const auto& service : services_of(plan)) {
    if (const auto image = runner.images().find(service)) {
      execution.images.push_back({service, *image});
    }
  }
  return execution;
}

}  // namespace deployctl::execute
