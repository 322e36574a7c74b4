// The parts of settling one service; settle.cpp puts them together. Each reports what is wrong within its own part.
#pragma once

#include "core/project/folder.hpp"
#include "core/project/written.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace deployctl::project {

using NamedService = Services::value_type;

template <typename T>
T value_or(const Optional<T>& given, T fallback) {
  const auto* value = sound(given);
  return value == nullptr ? std::move(fallback) : *value;
}

// What a key that is not there is, and where a value stands that nobody wrote: at the name of what it belongs to.
template <typename T>
base::Located<T> located_or(const Optional<T>& given, T fallback, const base::SourceSpan& owner) {
  return given ? base::Located<T>{given->value, given->at} : base::Located<T>{std::move(fallback), owner};
}

template <typename T>
void refuse_useless(const Optional<T>& given, std::string_view key, std::string_view why, base::Diagnostics& out) {
  if (given) {
    out.error(given->key, fmt::format("'{}' does nothing {}", key, why));
  }
}

// Two keys of which only one may be given: said at the one that comes later, which is the overlay's where there is one.
template <typename A, typename B>
void refuse_both(const Optional<A>& first, const Optional<B>& second, std::string_view message,
                 base::Diagnostics& out) {
  if (first && second) {
    out.error(
        std::max(first->key, second->key, [](const auto& left, const auto& right) { return left.begin < right.begin; }),
        std::string(message));
  }
}

bool is_external(const WrittenService& written);
// Built from source: anything but a ready image or a name for a service elsewhere.
bool is_built(const WrittenService& written);

// settle_build.cpp
Build settle_build(const NamedService& service, Folders& folders, base::Diagnostics& out);
// The ready image, or the repository of a built one: <registry>/<service> unless given.
base::Located<std::string> settle_image(const NamedService& service, const Optional<std::string>& registry,
                                        base::Diagnostics& out);

// settle_network.cpp
std::vector<Port> settle_ports(const WrittenService& written, base::Diagnostics& out);
Health settle_health(const WrittenService& written, const std::vector<Port>& ports, base::Diagnostics& out);
std::optional<ServicePort> settle_address(const NamedService& service, const std::vector<Port>& ports,
                                          base::Diagnostics& out);
std::optional<Ingress> settle_ingress(const WrittenService& written, const std::vector<Port>& ports,
                                      base::Diagnostics& out);

// settle_container.cpp
NamedValues settle_env(const WrittenService& written, base::Diagnostics& out);
std::vector<Secret> settle_secrets(const WrittenService& written, base::Diagnostics& out);
std::vector<ConfigFile> settle_files(const WrittenService& written, const Folders& folders, base::Diagnostics& out);
std::vector<Volume> settle_volumes(const WrittenService& written, base::Diagnostics& out);
Resources settle_resources(const WrittenService& written, base::Diagnostics& out);

// These complete a service that has everything else. settle_scale.cpp
void settle_scale(const WrittenService& written, Service& service, base::Diagnostics& out);
// settle_strategy.cpp
void settle_strategy(const WrittenService& written, Service& service, base::Diagnostics& out);

// settle_tasks.cpp
std::vector<Task> settle_tasks(const NamedService& service, const Strategy& strategy, base::Diagnostics& out);

// Whether a variable of this name most likely holds a secret: DB_PASSWORD, API_TOKEN, TLS_PRIVATE_KEY.
bool looks_secret(std::string_view name);
// Whether its value shows that it is none: "", "yes", "1" (MYSQL_ALLOW_EMPTY_PASSWORD).
bool is_switch(std::string_view value);

}  // namespace deployctl::project
