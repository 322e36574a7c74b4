#include "cli/commands/commands.hpp"
#include "cli/options/common.hpp"
#include "cli/release_text.hpp"
#include "cli/runtime.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/release.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <memory>

namespace deployctl::cli {
namespace {

std::string_view state_word(const execute::ServiceStatus& status) {
  if (!status.is_deployed) {
    return "not deployed";
  }
  switch (status.rollout.phase) {
    case kube::RolloutPhase::done:
      return "running";
    case kube::RolloutPhase::paused:
      return "paused";
    default:
      return status.trouble.empty() ? "rolling out" : "in trouble";
  }
}

std::string short_image(const std::string& image) {
  const auto digest = image.find("@sha256:");
  return digest == std::string::npos ? image : image.substr(0, digest + 8 + 12);
}

std::string status_table(const project::Target& target, const std::vector<execute::ServiceStatus>& statuses,
                         io::WallTime now) {
  std::vector<std::vector<std::string>> rows{{"SERVICE", "STATE", "READY", "REVISION", "COMMIT", "AGE", "IMAGE"}};
  for (const auto& status : statuses) {
    if (!status.is_deployed) {
      rows.push_back({status.service, std::string(state_word(status)), "-", "-", "-", "-", "-"});
      continue;
    }
    rows.push_back({status.service, std::string(state_word(status)),
                    fmt::format("{}/{}", status.rollout.ready, status.rollout.desired),
                    status.revision.empty() ? "-" : status.revision,
                    status.commit.empty() ? "-" : status.commit.substr(0, 7), age_of(status.since, now),
                    short_image(status.image)});
  }
  auto text = table(rows);
  for (const auto& status : statuses) {
    if (!status.trouble.empty()) {
      text += fmt::format("{}: {}\n", status.service, status.trouble);
    }
    if (target.find(status.service) == nullptr) {
      text += fmt::format("{}: not in the project manifest; the next rollout of the whole project deletes it\n",
                          status.service);
    }
  }
  return text;
}

// " of busybox:1.36"
std::string of_image(const kube::ReleaseSummary& release, const std::string& service) {
  const auto image = release.images.find(service);
  return image == release.images.end() ? std::string() : " of " + base::printable(short_image(image->second));
}

// What may be said of a canary: what has been decided is only gone on with.
std::string words_for(const execute::KeptCanary& kept) {
  const auto stage = kept.progress.stage;
  const auto promote = fmt::format("'deployctl promote {}' goes on", kept.service);
  const auto abort = fmt::format("'deployctl abort {}' takes it back", kept.service);
  return stage == canary::Stage::aborting    ? abort
         : stage == canary::Stage::promoting ? promote
                                             : promote + ", " + abort;
}

// What stands beside the pods in the table and waits for a word.
std::string open_text(const std::vector<kube::ReleaseSummary>& releases) {
  const auto* open = execute::release_under_way(releases);
  if (open == nullptr) {
    return {};
  }
  const execute::CanaryRecord record(open->progress, {});
  std::string text;
  for (const auto& kept : record.all()) {
    if (!kept.is_over()) {
      text += fmt::format("{}: canary{}: {}; {}\n", kept.service, of_image(*open, kept.service),
                          base::printable(canary::in_words(kept.settings, kept.progress)), words_for(kept));
    }
  }
  for (const auto& service : record.waiting_sides()) {
    text += fmt::format("{0}: new side{1}: 'deployctl promote {0}' switches to it, 'deployctl abort {0}' lets it go\n",
                        service, of_image(*open, service));
  }
  return text;
}

std::string release_line(const kube::ReleaseSummary& release, io::WallTime now) {
  std::string line = fmt::format("release {}: {}", release.number, release_state_word(release));
  if (!release.commit.empty()) {
    line += ", commit " + brief(release.commit);
  }
  line += fmt::format(", {} ago by {}", age_of(release.started, now), or_dash(release.actor));
  const auto open = what_became_of(release);
  if (!open.empty() && release.state != kube::ReleaseState::deployed) {
    line += fmt::format(" ({})", base::printable(open));
  }
  return line + "\n";
}

// The clocks of two machines may differ, so this is a word for people: nothing is decided by it.
std::string lapsed_text(const kube::Lease& lock, io::WallTime now) {
  const auto renewed = io::parse_rfc3339(lock.renewed);
  return renewed && now - *renewed > lock.duration
             ? fmt::format(", and not renewed for {}: the next run takes it over", age_of(lock.renewed, now))
             : std::string();
}

// The live release, what was tried since, and who is at work.
std::string overview_text(const execute::ReleaseOverview& overview, io::WallTime now) {
  std::string text;
  for (const auto& release : overview.releases) {
    text += release_line(release, now);
    if (release.state == kube::ReleaseState::deployed) {
      break;
    }
  }
  const auto& lock = overview.lock;
  if (!lock.holder.empty()) {
    text += fmt::format("locked by {} ({}), for {}{}\n", base::printable(lock.holder.substr(0, lock.holder.rfind('/'))),
                        or_dash(lock.what), age_of(lock.acquired, now), lapsed_text(lock, now));
  }
  return text;
}

json::Value to_json(const execute::ReleaseOverview& overview) {
  auto releases = json::Value::array();
  for (const auto& release : overview.releases) {
    releases.push_back(release_json(release));
    if (release.state == kube::ReleaseState::deployed) {
      break;
    }
  }
  json::Value lock;
  if (!overview.lock.holder.empty()) {
    lock = {{"holder", overview.lock.holder},
            {"action", overview.lock.what},
            {"since", overview.lock.acquired},
            {"renewed", overview.lock.renewed},
            {"epoch", overview.lock.epoch}};
  }
  return {{"releases", std::move(releases)}, {"lock", std::move(lock)}};
}

json::Value to_json(const project::Target& target, const execute::ServiceStatus& status) {
  return {{"service", status.service},
          {"in_project", target.find(status.service) != nullptr},
          {"state", state_word(status)},
          {"desired", status.rollout.desired},
          {"updated", status.rollout.updated},
          {"ready", status.rollout.ready},
          {"available", status.rollout.available},
          {"image", status.image},
          {"commit", status.commit},
          {"revision", status.revision},
          {"since", status.since},
          {"trouble", status.trouble}};
}

std::string status_json(const project::Target& target, const std::vector<execute::ServiceStatus>& statuses,
                        const execute::ReleaseOverview& overview) {
  auto services = json::Value::array();
  for (const auto& status : statuses) {
    services.push_back(to_json(target, status));
  }
  json::Value status = {{"project", *target.project},
                        {"environment", target.environment},
                        {"namespace", target.name_space},
                        {"services", std::move(services)}};
  status.update(to_json(overview));
  return json::to_pretty_text(status);
}

// Who may see the pods may not be let see Secrets, which releases are kept in.
execute::ReleaseOverview overview_or_nothing(Runtime& runtime, cluster::Client& client, const project::Target& target,
                                             const execute::Ports& ports) {
  auto overview = execute::read_overview(client, target, ports.stop);
  if (!overview) {
    runtime.remark(base::to_string(overview.error()));
    return {};
  }
  return *std::move(overview);
}

// Those chosen, or all of the project and what the live release has besides: `undo` may have given it back.
std::vector<std::string> services_to_show(const std::vector<const project::Service*>& chosen, bool is_whole,
                                          const execute::ReleaseOverview& overview) {
  auto names = plan::names_of(chosen);
  const auto add = [&](const std::string& service) {
    if (std::ranges::find(names, service) == names.end()) {
      names.push_back(service);
    }
  };
  if (const auto* live = kube::live_release(overview.releases); live != nullptr && is_whole) {
    std::ranges::for_each(live->services, add);  // that it was about
    for (const auto& [service, image] : live->images) {
      add(service);
    }
  }
  return names;
}

int show_status(Runtime& runtime, const std::vector<std::string>& names) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto services = plan::chosen_services(*loaded.target, {.services = names});
  if (!services) {
    return runtime.fail(services.error());
  }
  const auto ports = runtime.ports();
  const auto client = execute::connect_cluster(*loaded.target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  if (const auto looked = execute::warn_of_another_cluster(*loaded.target, **client, ports); !looked) {
    return runtime.fail(looked.error());
  }
  const auto overview = overview_or_nothing(runtime, **client, *loaded.target, ports);
  const auto shown = services_to_show(*services, names.empty(), overview);
  const auto statuses = execute::read_status(**client, *loaded.target, shown, ports);
  if (!statuses) {
    return runtime.fail(statuses.error());
  }
  const auto now = ports.clock.now();
  runtime.print(runtime.wants_json() ? status_json(*loaded.target, *statuses, overview)
                                     : status_table(*loaded.target, *statuses, now) + open_text(overview.releases) +
                                           overview_text(overview, now));
  return 0;
}

}  // namespace

Action declare_status(CLI::App& parser) {
  auto services = std::make_shared<std::vector<std::string>>();
  add_services(parser, *services);
  return [services](Runtime& runtime) { return show_status(runtime, *services); };
}

}  // namespace deployctl::cli
