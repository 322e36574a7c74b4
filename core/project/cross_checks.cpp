#include "core/project/cross_checks.hpp"

#include "core/project/suggestions.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace deployctl::project {
namespace {

using Places = std::unordered_map<std::string_view, std::size_t>;

Places places_of(const Services& services) {
  Places places;
  for (std::size_t i = 0; i < services.size(); ++i) {
    places.emplace(*services[i].name, i);
  }
  return places;
}

const Texts& dependencies(const Services& services, std::size_t place) {
  static const Texts none;
  const auto* given = sound(services[place].value->depends_on);
  return given == nullptr ? none : *given;
}

void check_names(const Services& services, const Places& places, base::Diagnostics& out) {
  ServiceSuggestions suggestions(services);
  for (std::size_t i = 0; i < services.size(); ++i) {
    std::set<std::string_view> seen;
    for (const auto& name : dependencies(services, i)) {
      if (!places.contains(*name)) {
        out.error(name.span, fmt::format("there is no service '{}'", *name), suggestions.of(*name));
      } else if (!seen.insert(*name).second) {
        out.error(name.span, fmt::format("'{}' depends on '{}' already", *services[i].name, *name));
      }
    }
  }
}

// Walks along depends_on, depth first; a name that is still on the path closes a circle.
class CircleSearch {
 public:
  CircleSearch(const Services& services, const Places& places, base::Diagnostics& out)
      : services_(services), places_(places), out_(out), states_(services.size(), State::unseen) {}

  void run() {
    for (std::size_t i = 0; i < services_.size(); ++i) {
      if (states_[i] == State::unseen) {
        walk_from(i);
      }
    }
  }

 private:
  static constexpr std::ptrdiff_t most_named = 10;  // services of one circle
  enum class State { unseen, on_path, done };
  struct Step {
    std::size_t service;
    std::size_t next = 0;  // the dependency to look at next
  };

  void walk_from(std::size_t start) {
    enter(start);
    while (!path_.empty()) {
      auto& step = path_.back();
      const auto& names = dependencies(services_, step.service);
      if (step.next == names.size()) {
        states_[step.service] = State::done;
        path_.pop_back();
        continue;
      }
      follow(names[step.next++]);
    }
  }

  void enter(std::size_t service) {
    states_[service] = State::on_path;
    path_.push_back({service});
  }

  void follow(const base::Located<std::string>& name) {
    const auto place = places_.find(*name);
    if (place == places_.end()) {
      return;
    }
    if (states_[place->second] == State::unseen) {
      enter(place->second);
    } else if (states_[place->second] == State::on_path) {
      report(place->second, name);
    }
  }

  void report(std::size_t first, const base::Located<std::string>& closing) {
    const auto begin = std::ranges::find(path_, first, &Step::service);
    std::string circle;
    for (auto step = begin; step != path_.end(); ++step) {
      if (step - begin == most_named) {
        circle += "... -> ";
        break;
      }
      circle += *services_[step->service].name + " -> ";
    }
    out_.error(closing.span, fmt::format("services depend on each other in a circle: {}{}", circle, *closing));
  }

  const Services& services_;
  const Places& places_;
  base::Diagnostics& out_;
  std::vector<State> states_;
  std::vector<Step> path_;
};

void check_node_ports(const Services& services, base::Diagnostics& out) {
  std::map<int, std::string_view> taken;
  for (const auto& service : services) {
    const auto* address = sound(service.value->service);
    const auto* number = address == nullptr ? nullptr : sound(address->node_port);
    if (number == nullptr) {
      continue;
    }
    const auto [first, is_new] = taken.emplace(*number, *service.name);
    if (!is_new) {
      out.error(address->node_port->at,
                fmt::format("services '{}' and '{}' both ask for node port {}", first->second, *service.name, *number));
    }
  }
}

// In Compose a task is a service beside the others.
void check_task_names(const Services& services, const Places& places, base::Diagnostics& out) {
  for (const auto& service : services) {
    const auto* tasks = sound(service.value->tasks);
    if (tasks == nullptr) {
      continue;
    }
    for (const auto& task : *tasks) {
      const auto name = *service.name + "-" + *task.name;
      if (places.contains(name)) {
        out.error(task.name.span,
                  fmt::format("a service is called '{}' already, as this task of '{}' is to be", name, *service.name));
      }
    }
  }
}

}  // namespace

void check_services(const Services& services, base::Diagnostics& out) {
  const auto places = places_of(services);
  check_names(services, places, out);
  CircleSearch(services, places, out).run();
  check_node_ports(services, out);
  check_task_names(services, places, out);
}

}  // namespace deployctl::project
