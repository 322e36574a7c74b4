// What a container finds around it: variables, secrets, files, volumes, resources.
#include "core/base/text.hpp"
#include "core/project/settle_parts.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace deployctl::project {
namespace {

constexpr std::array secret_endings{"PASSWORD", "PASSWD",     "SECRET",     "TOKEN",       "PRIVATE_KEY",
                                    "API_KEY",  "ACCESS_KEY", "SECRET_KEY", "CREDENTIALS", "PASSPHRASE"};

std::set<std::string_view> variables_of(const Optional<TextMap>& env) {
  std::set<std::string_view> names;
  if (const auto* given = sound(env)) {
    for (const auto& variable : *given) {
      names.insert(*variable.name);
    }
  }
  return names;
}

std::optional<base::Quantity> amount(const Optional<base::Quantity>& given) {
  const auto* quantity = sound(given);
  return quantity == nullptr ? std::nullopt : std::optional(*quantity);
}

void check_cpu(const Optional<base::Quantity>& given, base::Diagnostics& out) {
  const auto* cpu = sound(given);
  if (cpu == nullptr) {
    return;
  }
  const auto last = cpu->text().back();
  if (last != 'm' && (last < '0' || last > '9') && last != '.') {
    out.error(given->at, fmt::format("'cpu' counts cores, '{}' looks like memory", cpu->text()),
              "write 500m or 0.5 for half a core");
  } else if (cpu->thousandths() == 0) {
    out.error(given->at, "'cpu' must be more than nothing");
  }
}

void check_memory(const Optional<base::Quantity>& given, base::Diagnostics& out) {
  const auto* memory = sound(given);
  if (memory == nullptr) {
    return;
  }
  constexpr long long least = 1000LL * 1024 * 1024;
  if (memory->text().ends_with('m')) {
    auto meant = memory->text();
    meant.back() = 'M';
    out.error(given->at, fmt::format("'memory' counts bytes, '{}' is a fraction of one", memory->text()),
              fmt::format("did you mean '{}i'?", meant));
  } else if (memory->thousandths() < least) {
    out.error(given->at, fmt::format("'memory' counts bytes, '{}' is too little for any program", memory->text()),
              "write 128Mi or 1Gi");
  }
}

void check_amounts(const Optional<WrittenAmounts>& amounts, base::Diagnostics& out) {
  if (const auto* given = sound(amounts)) {
    check_cpu(given->cpu, out);
    check_memory(given->memory, out);
  }
}

void check_not_above(const Optional<base::Quantity>& request, const Optional<base::Quantity>& limit,
                     std::string_view what, base::Diagnostics& out) {
  if (sound(request) != nullptr && sound(limit) != nullptr && **request > **limit) {
    out.error(request->at, fmt::format("the request for {} ({}) is above its limit ({})", what, request->value.text(),
                                       limit->value.text()));
  }
}

Resources short_form(const WrittenResources& written, base::Diagnostics& out) {
  check_cpu(written.cpu, out);
  check_memory(written.memory, out);
  return {.cpu_request = amount(written.cpu),
          .memory_request = amount(written.memory),
          .cpu_limit = std::nullopt,
          .memory_limit = amount(written.memory)};
}

Resources long_form(const WrittenResources& written, base::Diagnostics& out) {
  const auto requests = value_or(written.requests, {});
  const auto limits = value_or(written.limits, {});
  check_amounts(written.requests, out);
  check_amounts(written.limits, out);
  check_not_above(requests.cpu, limits.cpu, "cpu", out);
  check_not_above(requests.memory, limits.memory, "memory", out);
  return {.cpu_request = amount(requests.cpu),
          .memory_request = amount(requests.memory),
          .cpu_limit = amount(limits.cpu),
          .memory_limit = amount(limits.memory)};
}

}  // namespace

bool looks_secret(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
  });
  return std::ranges::any_of(secret_endings, [&](std::string_view ending) { return upper.ends_with(ending); });
}

bool is_switch(std::string_view value) {
  constexpr std::array words{"", "0", "1", "yes", "no", "true", "false", "on", "off"};
  return std::ranges::any_of(words, [&](std::string_view word) { return base::equals_ignoring_case(word, value); });
}

NamedValues settle_env(const WrittenService& written, base::Diagnostics& out) {
  NamedValues values;
  for (const auto& variable : value_or(written.env, {})) {
    if (looks_secret(*variable.name) && !is_switch(variable.value)) {
      out.warning(variable.name.span,
                  fmt::format("'{}' looks like a secret, and 'env' can be read by everybody", *variable.name),
                  fmt::format("use 'secrets': {{{0}: \"env:{0}\"}}", *variable.name));
    }
    values.emplace_back(*variable.name, base::Located<std::string>{variable.value, variable.at});
  }
  return values;
}

std::vector<Secret> settle_secrets(const WrittenService& written, base::Diagnostics& out) {
  std::vector<Secret> secrets;
  const auto variables = variables_of(written.env);
  for (const auto& secret : value_or(written.secrets, {})) {
    if (variables.contains(*secret.name)) {
      out.error(secret.name.span, fmt::format("'{}' stands in 'env' as well", *secret.name));
    }
    secrets.push_back({*secret.name, secret.value, secret.name.span});
  }
  return secrets;
}

std::vector<ConfigFile> settle_files(const WrittenService& written, const Folders& folders, base::Diagnostics& out) {
  std::vector<ConfigFile> files;
  for (const auto& file : value_or(written.files, {})) {
    if (!folders.has_file(file.value)) {
      out.error(file.at, fmt::format("there is no file '{}'", base::printable(file.value)));
    }
    files.push_back({*file.name, {file.value, file.at}});
  }
  return files;
}

std::vector<Volume> settle_volumes(const WrittenService& written, base::Diagnostics& out) {
  std::vector<Volume> volumes;
  std::map<std::string_view, std::string_view> mounts;
  const auto* given = sound(written.volumes);
  if (given == nullptr) {
    return volumes;
  }
  for (const auto& volume : *given) {
    if (const auto* mount = sound(volume.value.mount)) {
      const auto [same, is_new] = mounts.emplace(*mount, *volume.name);
      if (!is_new) {
        out.error(volume.value.mount->at,
                  fmt::format("volumes '{}' and '{}' are both mounted at '{}'", same->second, *volume.name, *mount));
      }
    }
    if (sound(volume.value.size) != nullptr && (**volume.value.size).thousandths() == 0) {
      out.error(volume.value.size->at, "'size' must be more than nothing");
    }
    volumes.push_back({.name = *volume.name,
                       .mount = value_or(volume.value.mount, {}),
                       .size = value_or(volume.value.size, {}),
                       .storage_class = value_or(volume.value.storage_class, {}),
                       .access = value_or(volume.value.access, std::string("ReadWriteOnce")),
                       .span = volume.name.span});
  }
  return volumes;
}

Resources settle_resources(const WrittenService& written, base::Diagnostics& out) {
  const auto* given = sound(written.resources);
  if (given == nullptr) {
    return {};
  }
  const bool is_short = given->cpu || given->memory;
  const bool is_long = given->requests || given->limits;
  if (is_short && is_long) {
    out.error((given->cpu ? given->cpu->key : given->memory->key),
              "'cpu' and 'memory' exclude 'requests' and 'limits' beside them");
  }
  return is_long ? long_form(*given, out) : short_form(*given, out);
}

}  // namespace deployctl::project
