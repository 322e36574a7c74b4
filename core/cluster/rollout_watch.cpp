// Threads, one for each kind, do nothing but wait for their watch and put what comes into a queue; what is to be
// followed comes through the same queue. All thinking happens in wait() or run(), on the caller's thread, in the
// tracker, which needs no locks.
//
// The watches begin without a list: each then costs one request, and the numbers that decide are compared with what our
// own write left behind, so that a state told late does no harm.
#include "core/cluster/rollout_watch.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/kube/node.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

namespace deployctl::cluster {
namespace {

using base::Error;
using kube::RolloutOutcome;
using kube::RolloutResult;
using kube::RolloutTracker;
using kube::verdict::Class;
using kube::verdict::Weight;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Arrival {
  WatchEventType type;
  kube::Object object;
};
struct Listing {
  std::string kind;
  std::vector<kube::Object> objects;
};
struct Trouble {
  std::string kind;
  Error error;
  bool has_given_up = false;
};
struct Recovery {
  std::string kind;
};
struct RegistrySaid {
  std::string image;
  kube::verdict::ImageAnswer answer;
};
struct Closed {};  // nothing more will be followed
using Message = std::variant<Arrival, Listing, Trouble, Recovery, RegistrySaid, kube::RolloutTarget, Closed>;

constexpr std::array<std::string_view, 5> followed_kinds{"Deployment", "ReplicaSet", "Pod", "Event", "Job"};
constexpr std::array<std::string_view, 2> polled_kinds{"Deployment", "Pod"};

// Looked at once pods are refused for one.
constexpr std::string_view quota_kind = "ResourceQuota";

// Without events a verdict comes later, without quotas one that has room by now counts as full; without the others
// there is none.
bool can_do_without(std::string_view kind) {
  return kind == "Event" || kind == quota_kind;
}

// Evidence is read by people: of a dump without line ends the beginning says enough.
constexpr std::size_t longest_line = 1'000;

std::vector<std::string> lines_of(std::string_view text, int most) {
  std::vector<std::string> lines;
  for (const auto line : base::split(text, '\n')) {
    lines.push_back(base::printable(line.substr(0, longest_line)) + (line.size() > longest_line ? " …" : ""));
  }
  while (!lines.empty() && base::trim(lines.back()).empty()) {
    lines.pop_back();
  }
  if (lines.size() > static_cast<std::size_t>(most)) {
    lines.erase(lines.begin(), lines.end() - most);
  }
  return lines;
}

}  // namespace

struct RolloutWatch::Shared {
  Shared(Client& client_to_use, std::string in_name_space, RolloutWatchOptions with_options)
      : client(client_to_use),
        name_space(std::move(in_name_space)),
        options(std::move(with_options)),
        tracker(options.tracker) {}

  void start(WatchStart how) {
    for (const auto kind : followed_kinds) {
      if (kind == "Job" && !options.with_jobs) {
        continue;
      }
      watch_kind(kind, how);
    }
    if (watches_quotas) {
      watch_kind(quota_kind, WatchStart::with_list);
    }
  }

  void watch_kind(std::string_view kind, WatchStart how) {
    threads.emplace_back([this, kind, how](const std::stop_token& stop) { run(kind, how, stop); });
  }

  void watch_quotas() {
    if (!std::exchange(watches_quotas, true)) {
      watch_kind(quota_kind, WatchStart::with_list);
    }
  }

  // Ends the watches and begins them with a list: what they had may be stale.
  void restart() {
    for (auto& thread : threads) {
      thread.request_stop();
    }
    threads.clear();
    start(WatchStart::with_list);
  }

  void run(std::string_view kind, WatchStart how, const std::stop_token& stop) {
    const ListQuery query{.resource = kube::resource_of(kind),
                          .name_space = name_space,
                          .label_selector = can_do_without(kind) ? std::string() : options.label_selector};
    WatchHandler handler;
    handler.on_event = [this](WatchEventType type, kube::Object object) { push(Arrival{type, std::move(object)}); };
    handler.on_list = [this, kind](std::vector<kube::Object> objects) {
      push(Listing{std::string(kind), std::move(objects)});
    };
    handler.on_trouble = [this, kind](const Error& error) { push(Trouble{std::string(kind), error}); };
    handler.on_recovery = [this, kind] { push(Recovery{std::string(kind)}); };
    auto end = watch(client, query, {.start = how}, handler, stop);
    if (!stop.stop_requested()) {
      push(Trouble{std::string(kind), std::move(end), true});
    }
  }

  // Once for an image: its registry's word comes as a message.
  void ask_registry(const std::string& image) {
    if (!options.ask_registry || !asked.insert(image).second) {
      return;
    }
    threads.emplace_back([this, image](const std::stop_token& stop) {
      if (const auto answer = options.ask_registry(image, stop)) {
        push(RegistrySaid{image, *answer});
      }
    });
  }

  void push(Message message) {
    {
      const std::scoped_lock lock(mutex);
      queue.push_back(std::move(message));
    }
    changed.notify_one();
  }

  std::deque<Message> take_all() {
    const std::scoped_lock lock(mutex);
    return std::exchange(queue, {});
  }

  void wait_until(steady_clock::time_point time, const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    changed.wait_until(lock, stop, time, [this] { return !queue.empty(); });
  }

  Client& client;
  std::string name_space;
  RolloutWatchOptions options;
  RolloutTracker tracker;
  bool is_closed = false;  // told by a message, so that it comes after all that was followed before

  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<Message> queue;
  bool watches_quotas = false;
  std::set<std::string> asked;        // images whose registry was asked
  std::vector<std::jthread> threads;  // last: they end before what they use
};

// One call of wait() or run().
class RolloutWatch::Waiter {
 public:
  enum class Until { decided, closed };

  Waiter(Shared& shared, Until until, steady_clock::time_point deadline, const RolloutObserver& observer,
         std::stop_token stop)
      : shared_(shared), until_(until), deadline_(deadline), observer_(observer), stop_(std::move(stop)) {
    for (const auto kind : polled_kinds) {
      next_poll_[std::string(kind)] = steady_clock::now() + shared.options.safety_poll;
    }
  }

  base::Result<std::vector<RolloutOutcome>> run() {
    for (;;) {
      take_messages();
      if (fatal_) {
        return *fatal_;
      }
      tell(shared_.tracker.advance(moment(steady_clock::now())));
      if (is_over()) {
        return shared_.tracker.outcomes();
      }
      if (stop_.stop_requested()) {
        return give_up(RolloutResult::interrupted);
      }
      if (steady_clock::now() >= deadline_) {
        return give_up(RolloutResult::undecided);
      }
      if (!poll_what_is_due()) {
        shared_.wait_until(next_moment(), stop_);
      }
    }
  }

 private:
  bool is_over() const { return shared_.tracker.is_decided() && (until_ == Until::decided || shared_.is_closed); }

  void take_messages() {
    for (auto& message : shared_.take_all()) {
      std::visit(
          base::Overloaded{[this](Arrival& arrival) { take(arrival); }, [this](Listing& listing) { take(listing); },
                           [this](Trouble& trouble) { take(trouble); }, [this](Recovery& recovery) { take(recovery); },
                           [this](RegistrySaid& said) { shared_.tracker.learn(said.image, said.answer); },
                           [this](kube::RolloutTarget& target) {
                             shared_.tracker.follow(std::move(target), moment(steady_clock::now()));
                           },
                           [this](Closed&) { shared_.is_closed = true; }},
          message);
    }
  }

  void take(const Listing& listing) {
    note_news(listing.kind);
    shared_.tracker.replace(listing.kind, listing.objects);
  }

  void take(const Arrival& arrival) {
    note_news(arrival.object.kind());
    if (arrival.type == WatchEventType::deleted) {
      shared_.tracker.remove(arrival.object);
    } else {
      shared_.tracker.put(arrival.object);
    }
  }

  void take(const Trouble& trouble) {
    if (trouble.kind == quota_kind) {
      return;  // who may not read them does without
    }
    if (trouble.has_given_up && !can_do_without(trouble.kind)) {
      fatal_ = trouble.error.within("watching the rollout");
      return;
    }
    if (!trouble.has_given_up) {
      in_trouble_.insert_or_assign(trouble.kind, trouble.error);
      tell_sight();
    }
    note(trouble.has_given_up ? fmt::format("causes may be found later: {}", to_string(trouble.error))
                              : to_string(trouble.error));
  }

  // All watches fail and recover together when the server is restarted: that is one piece of news.
  void take(const Recovery& recovery) {
    if (in_trouble_.erase(recovery.kind) > 0 && in_trouble_.empty()) {
      told_.clear();
      note("the API server answers again");
    }
    tell_sight();
  }

  // How a rollout stands that cannot be seen is not known, whatever was seen last.
  void tell_sight() {
    const auto blind = std::ranges::find_if(in_trouble_, [](const auto& of) { return !can_do_without(of.first); });
    shared_.tracker.be_blind(blind == in_trouble_.end() ? std::string() : blind->second.message);
  }

  void note_news(std::string_view kind) {
    if (const auto poll = next_poll_.find(kind); poll != next_poll_.end()) {
      poll->second = steady_clock::now() + shared_.options.safety_poll;
    }
  }

  void note(const std::string& text) {
    if (observer_.on_note && told_.insert(text).second) {
      observer_.on_note(text);
    }
  }

  void tell(std::vector<kube::RolloutChange> changes) {
    for (auto& change : changes) {
      std::visit(base::Overloaded{[&](kube::RolloutStatus& status) {
                                    if (observer_.on_status) {
                                      observer_.on_status(change.service, status);
                                    }
                                  },
                                  [&](kube::verdict::Finding& finding) {
                                    if (observer_.on_finding) {
                                      observer_.on_finding(change.service, explain(std::move(finding)));
                                    }
                                  },
                                  [&](kube::PodStarted& started) {
                                    if (observer_.on_pod) {
                                      observer_.on_pod(change.service, started);
                                    }
                                  },
                                  [&](RolloutOutcome& outcome) {
                                    if (observer_.on_outcome) {
                                      observer_.on_outcome(outcome);
                                    }
                                  }},
                 change.what);
    }
  }

  ExplainedFinding explain(kube::verdict::Finding finding) {
    if (finding.rule == "image-not-found" || finding.rule == "image-pull-denied" ||
        finding.rule == "image-pull-fails") {
      shared_.ask_registry(finding.image);
    }
    if (finding.rule == "quota-exceeded" || finding.rule == "quota-exceeded-for-now") {
      shared_.watch_quotas();
    }
    ExplainedFinding explained{.finding = std::move(finding)};
    const auto& about = explained.finding;
    explained.seen_for = moment(steady_clock::now()) - about.first_seen;
    if (has_printed(about) && shared_.options.log_lines > 0) {
      add_logs(explained);
    }
    if (about.weight != Weight::waiting && !about.node.empty()) {
      explained.context = node_troubles(about.node);
    }
    return explained;
  }

  // The container has run, so that there is something worth reading. While a probe may still pass its log stays where
  // it is.
  static bool has_printed(const kube::verdict::Finding& finding) {
    const bool is_probe = finding.kind == Class::probe && finding.weight != Weight::waiting;
    return !finding.container.empty() && (finding.kind == Class::crash || is_probe || finding.rule == "init-running");
  }

  // Logs of what may still pass are read and kept, as they may be gone later, but not shown.
  void add_logs(ExplainedFinding& explained) {
    const auto& about = explained.finding;
    explained.log = log_of(about, false);
    if (about.attempts > 1) {
      explained.previous_log = log_of(about, true);
    }
    if (explained.previous_log == explained.log) {
      explained.previous_log.clear();
    }
    remember_log(explained);
    if (about.weight == Weight::waiting && about.rule != "init-running") {
      explained.log.clear();
      explained.previous_log.clear();
    }
  }

  // What is wrong with the machine, as context. Whoever may not read nodes does without.
  std::vector<std::string> node_troubles(const std::string& name) {
    const auto node = shared_.client.get({.api_version = "v1", .kind = "Node", .name_space = "", .name = name}, stop_);
    return node ? kube::node_troubles(node->body) : std::vector<std::string>();
  }

  // The kubelet removes dead containers, and one that has just been started again has printed nothing yet: what was
  // read at an earlier sighting is then the only trace of why the container ended.
  void remember_log(ExplainedFinding& explained) {
    auto& last_read = last_logs_[explained.finding.object + " " + explained.finding.container];
    if (explained.log.empty() && explained.previous_log.empty()) {
      explained.previous_log = last_read;
    } else {
      last_read = explained.previous_log.empty() ? explained.log : explained.previous_log;
    }
  }

  // Evidence only: a log that cannot be read is no reason to fail.
  std::vector<std::string> log_of(const kube::verdict::Finding& finding, bool previous) {
    const auto text = shared_.client.logs({.name_space = shared_.name_space,
                                           .pod = finding.object.substr(finding.object.find('/') + 1),
                                           .container = finding.container,
                                           .previous = previous,
                                           .tail_lines = shared_.options.log_lines},
                                          stop_);
    return text ? lines_of(*text, shared_.options.log_lines) : std::vector<std::string>();
  }

  std::vector<RolloutOutcome> give_up(RolloutResult result) {
    for (const auto& outcome : shared_.tracker.give_up(result)) {
      if (observer_.on_outcome) {
        observer_.on_outcome(outcome);
      }
    }
    return shared_.tracker.outcomes();
  }

  // Whether anything was polled.
  bool poll_what_is_due() {
    for (auto& [kind, due] : next_poll_) {
      if (steady_clock::now() < due) {
        continue;
      }
      due = steady_clock::now() + shared_.options.safety_poll;
      if (!in_trouble_.contains(kind)) {
        poll(kind);
        return true;
      }
    }
    return false;
  }

  // Reads one of the followed objects, or the pods of one. When they have moved on and the watch still says
  // nothing, the watch is dead.
  void poll(const std::string& kind) {
    const auto targets = shared_.tracker.undecided();
    if (targets.empty()) {
      return;
    }
    const auto& target = targets[polls_++ % targets.size()];
    const auto live = kind == "Pod" ? live_pods(target) : live_object(target);
    const auto missed = live ? not_heard_of(*live) : std::vector<Missed>();
    if (missed.empty()) {
      return;
    }
    shared_.wait_until(steady_clock::now() + milliseconds(500), stop_);
    take_messages();
    const bool is_dead = std::ranges::any_of(
        missed, [&](const Missed& object) { return shared_.tracker.known_version(*object.live) == object.known; });
    if (is_dead) {
      for (const auto& object : missed) {
        shared_.tracker.put(*object.live);
      }
      shared_.restart();
    }
  }

  [[nodiscard]] kube::ObjectKey key_of(const kube::RolloutTarget& target) const {
    const bool is_job = target.kind == kube::RolloutTarget::Kind::job;
    return {.api_version = is_job ? "batch/v1" : "apps/v1",
            .kind = is_job ? "Job" : "Deployment",
            .name_space = shared_.name_space,
            .name = target.deployment};
  }

  struct Missed {
    const kube::Object* live;
    std::string known;  // the version the watch has told last
  };
  [[nodiscard]] std::vector<Missed> not_heard_of(const std::vector<kube::Object>& objects) const {
    std::vector<Missed> missed;
    for (const auto& object : objects) {
      if (auto known = shared_.tracker.known_version(object); known != object.resource_version()) {
        missed.push_back({&object, std::move(known)});
      }
    }
    return missed;
  }

  base::Result<std::vector<kube::Object>> live_object(const kube::RolloutTarget& target) {
    auto live = shared_.client.get(key_of(target), stop_);
    if (!live) {
      return live.error();
    }
    return std::vector{std::move(*live)};
  }

  base::Result<std::vector<kube::Object>> live_pods(const kube::RolloutTarget& target) {
    const auto hash = shared_.tracker.pod_template_hash(target.deployment);
    if (hash.empty() || target.kind == kube::RolloutTarget::Kind::job) {
      return std::vector<kube::Object>();
    }
    auto live = shared_.client.list({.resource = kube::resource_of("Pod"),
                                     .name_space = shared_.name_space,
                                     .label_selector = "pod-template-hash=" + hash},
                                    stop_);
    if (!live) {
      return live.error();
    }
    return std::move(live->items);
  }

  [[nodiscard]] steady_clock::time_point next_moment() const {
    auto next = deadline_;
    for (const auto& [kind, due] : next_poll_) {
      next = std::min(next, due);
    }
    if (const auto wake = shared_.tracker.wake_at()) {
      next = std::min(next, steady_clock::time_point(*wake));
    }
    return next;
  }

  Shared& shared_;
  Until until_;
  steady_clock::time_point deadline_;
  const RolloutObserver& observer_;
  std::map<std::string, std::vector<std::string>> last_logs_;  // by object and container
  std::stop_token stop_;
  std::map<std::string, steady_clock::time_point, std::less<>> next_poll_;  // by kind
  std::map<std::string, Error> in_trouble_;                                 // by kind
  std::optional<Error> fatal_;
  std::set<std::string> told_;
  std::size_t polls_ = 0;
};

RolloutWatch::RolloutWatch(Client& client, std::string name_space, RolloutWatchOptions options)
    : shared_(std::make_unique<Shared>(client, std::move(name_space), std::move(options))) {
  shared_->start(WatchStart::with_watch);
}

// Every watch is told to stop before the first is waited for.
RolloutWatch::~RolloutWatch() {
  for (auto& thread : shared_->threads) {
    thread.request_stop();
  }
}

void RolloutWatch::follow(kube::RolloutTarget target) {
  shared_->push(std::move(target));
}

void RolloutWatch::close() {
  shared_->push(Closed{});
}

base::Result<std::vector<RolloutOutcome>> RolloutWatch::wait(steady_clock::time_point deadline,
                                                             const RolloutObserver& observer, std::stop_token stop) {
  return Waiter(*shared_, Waiter::Until::decided, deadline, observer, std::move(stop)).run();
}

base::Status RolloutWatch::run(const RolloutObserver& observer, std::stop_token stop) {
  const auto outcomes =
      Waiter(*shared_, Waiter::Until::closed, steady_clock::time_point::max(), observer, std::move(stop)).run();
  return outcomes ? base::Status() : outcomes.error();
}

kube::verdict::Moment moment(steady_clock::time_point time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch());
}

kube::RolloutTarget target_of(std::string service, const kube::Object& applied) {
  return {.service = std::move(service), .deployment = applied.name(), .written = kube::written_state(applied.body)};
}

kube::RolloutTarget job_target(std::string service, const kube::Object& job) {
  return {.service = std::move(service), .deployment = job.name(), .kind = kube::RolloutTarget::Kind::job};
}

}  // namespace deployctl::cluster
