#include "core/project/environments.hpp"

#include "core/base/text.hpp"
#include "core/project/suggestions.hpp"
#include "core/project/table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>

namespace deployctl::project {
namespace {

using yaml::Entry;
using yaml::Node;
using yaml::NodeKind;

bool removes_something(const Node& overlay) {
  return std::ranges::any_of(overlay.entries, [](const Entry& entry) { return yaml::is_null(entry.value); });
}

void report_nothing_to_remove(const base::Located<std::string>& key, const Node& below, base::Diagnostics& out) {
  constexpr std::size_t most_compared = 100;
  std::vector<std::string> known;
  for (const auto& entry : std::span(below.entries).first(std::min(most_compared, below.entries.size()))) {
    known.push_back(*entry.key);
  }
  out.warning(key.span, fmt::format("there is no '{}' to remove", base::printable(*key)),
              base::did_you_mean(*key, known));
}

// What stands below is complained about where it stands, unless the overlay took something out of it.
Entry lay_entry_over(const Entry& below, const Entry& overlay, base::Diagnostics& out) {
  const bool merges = below.value.kind == NodeKind::mapping && overlay.value.kind == NodeKind::mapping;
  const bool is_below = merges && !removes_something(overlay.value);
  return {is_below ? below.key : overlay.key, lay_over(below.value, overlay.value, out)};
}

// The environment's own keys without its services and without the keys it removes.
Node without_nulls(const Node& environment) {
  Node head{.kind = NodeKind::mapping,
            .span = environment.span,
            .scalar = {},
            .is_quoted = false,
            .items = {},
            .entries = {}};
  for (const auto& entry : environment.entries) {
    if (!yaml::is_null(entry.value) && *entry.key != "services") {
      head.entries.push_back(entry);
    }
  }
  return head;
}

template <typename T>
void replace(Optional<T>& below, const Optional<T>& own, const Node& environment, std::string_view key) {
  const auto* node = environment.find(key);
  if (node == nullptr) {
    return;
  }
  if (yaml::is_null(*node)) {
    below.reset();
  } else {
    below = own;
  }
}

bool is_whole_service(const Node& node) {
  constexpr std::array keys{"image", "source", "stack", "build"};
  const auto* address = node.find("service");
  return std::ranges::any_of(keys, [&](std::string_view key) { return node.find(key) != nullptr; }) ||
         (address != nullptr && address->find("external_name") != nullptr);
}

void report_unknown_service(const base::Located<std::string>& name, ServiceSuggestions& suggestions,
                            base::Diagnostics& out) {
  const auto nearest = suggestions.of(*name);
  out.error(name.span, fmt::format("there is no service '{}' to change", base::printable(*name)),
            nearest.empty() ? "a service of this environment only needs 'image', 'source' or 'stack'" : nearest);
}

// Service name to its place in the list.
std::unordered_map<std::string_view, std::size_t> places_of(const Services& services) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < services.size(); ++i) {
    places.emplace(*services[i].name, i);
  }
  return places;
}

// Reads one service into the list, in its old place when it has one.
void read_service(const Entry& entry, std::optional<std::size_t> place, Services& services, base::Diagnostics& out) {
  static const auto key_form = service_key_form();
  const Node name{.kind = NodeKind::scalar,
                  .span = entry.key.span,
                  .scalar = *entry.key,
                  .is_quoted = true,
                  .items = {},
                  .entries = {}};
  const bool is_name = key_form.read(name, {*entry.key, entry.key.span}, out).has_value();
  auto service = service_form().read(entry.value, {*entry.key, entry.key.span}, out);
  if (!is_name || !service) {
    return;
  }
  Services::value_type named{entry.key, std::make_shared<const WrittenService>(std::move(*service)), entry.value.span};
  if (place) {
    services[*place] = std::move(named);
  } else {
    services.push_back(std::move(named));
  }
}

}  // namespace

Node lay_over(const Node& below, const Node& overlay, base::Diagnostics& out) {
  if (overlay.kind != NodeKind::mapping) {
    return overlay;
  }
  // A mapping over nothing still loses its nulls.
  static const Node nothing{
      .kind = NodeKind::mapping, .span = {}, .scalar = {}, .is_quoted = false, .items = {}, .entries = {}};
  const bool merges = below.kind == NodeKind::mapping;
  const auto& under = merges ? below : nothing;

  std::unordered_map<std::string_view, const Entry*> changes;
  for (const auto& entry : overlay.entries) {
    changes.emplace(*entry.key, &entry);
  }
  Node result{.kind = NodeKind::mapping,
              .span = merges ? below.span : overlay.span,
              .scalar = {},
              .is_quoted = false,
              .items = {},
              .entries = {}};
  result.entries.reserve(under.entries.size() + overlay.entries.size());
  std::set<std::string_view> used;
  for (const auto& entry : under.entries) {
    const auto change = changes.find(*entry.key);
    if (change == changes.end()) {
      result.entries.push_back(entry);
      continue;
    }
    used.insert(change->first);
    if (!yaml::is_null(change->second->value)) {
      result.entries.push_back(lay_entry_over(entry, *change->second, out));
    }
  }
  for (const auto& entry : overlay.entries) {
    if (used.contains(*entry.key)) {
      continue;
    }
    if (yaml::is_null(entry.value)) {
      report_nothing_to_remove(entry.key, under, out);
    } else {
      result.entries.push_back({entry.key, lay_over(nothing, entry.value, out)});
    }
  }
  return result;
}

Environments::Environments(const Node& root, const WrittenProject& base) : base_(base) {
  const auto* services = root.find("services");
  if (services != nullptr) {
    for (const auto& entry : services->entries) {
      services_.emplace(*entry.key, &entry);
    }
  }
}

WrittenProject Environments::apply(const Named<const Node*>& environment, base::Diagnostics& out) const {
  auto project = base_;
  const auto& node = *environment.value;
  if (yaml::is_null(node)) {
    return project;
  }
  const Subject subject{*environment.name, environment.name.span};
  if (node.kind != NodeKind::mapping) {
    report_wrong_type(*environment_form().shape, node, subject, out);
    return project;
  }
  const auto own = environment_form().read(without_nulls(node), subject, out);
  replace(project.registry, own->registry, node, "registry");
  replace(project.context, own->context, node, "context");
  replace(project.name_space, own->name_space, node, "namespace");
  replace(project.cluster, own->cluster, node, "cluster");
  replace(project.pull_secret, own->pull_secret, node, "pull_secret");
  replace(project.approval, own->approval, node, "approval");
  const auto* services = node.find("services");
  if (services != nullptr && sound(project.services) != nullptr) {
    apply_services(*services, project.services->value, out);
  }
  return project;
}

void Environments::apply_services(const Node& overlay, Services& services, base::Diagnostics& out) const {
  if (overlay.kind != NodeKind::mapping && !yaml::is_null(overlay)) {
    report_wrong_type({.kind = Shape::Kind::map}, overlay, {"services", overlay.span}, out);
    return;
  }
  const auto places = places_of(base_.services->value);
  ServiceSuggestions suggestions(base_.services->value);
  std::set<std::string_view> removed;
  for (const auto& change : overlay.entries) {
    const auto below = services_.find(*change.key);
    const auto place = places.find(*change.key);
    if (below == services_.end()) {
      if (yaml::is_null(change.value) || !is_whole_service(change.value)) {
        report_unknown_service(change.key, suggestions, out);
      } else {
        read_service({change.key, lay_over({}, change.value, out)}, std::nullopt, services, out);
      }
    } else if (yaml::is_null(change.value)) {
      removed.insert(*change.key);
    } else {
      read_service(lay_entry_over(*below->second, change, out),
                   place == places.end() ? std::nullopt : std::optional(place->second), services, out);
    }
  }
  std::erase_if(services, [&](const auto& service) { return removed.contains(*service.name); });
}

}  // namespace deployctl::project
