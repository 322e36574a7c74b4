#include "core/base/text.hpp"
#include "core/http/link.hpp"
#include "core/http/retry.hpp"
#include "core/http/warning.hpp"
#include "core/registry/challenge.hpp"
#include "core/registry/credentials.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/memory_file_system.hpp"

#include <algorithm>
#include <chrono>

namespace deployctl::fuzz {
namespace {

constexpr std::size_t longest_escape = 8;  // what one byte may become when it is shown

// Only a home directory.
class NoVariables final : public io::Environment {
 public:
  [[nodiscard]] std::optional<std::string> get(std::string_view /*name*/) const override { return {}; }
  [[nodiscard]] std::string home_directory() const override { return "/home/ada"; }
};

// A helper that says what the fuzzer says.
class FuzzedHelper final : public io::ProcessRunner {
 public:
  explicit FuzzedHelper(std::string_view out) : out_(out) {}
  base::Result<io::ExitStatus> run(const io::Command& /*command*/, const io::OutputSink& sink,
                                   std::stop_token /*stop*/) override {
    sink(io::Stream::out, out_);
    return io::ExitStatus{.code = 0, .signal = 0};
  }

 private:
  std::string_view out_;
};

}  // namespace

void challenge(std::string_view bytes) {
  const http::Headers headers{{"WWW-Authenticate", std::string(bytes)}, {"www-authenticate", "Basic realm=\"x\""}};
  const auto found = registry::challenges(headers);
  for (const auto& each : found) {
    require(!each.scheme.empty() && each.scheme == base::to_lower(each.scheme), "a scheme is a word in lower case");
    for (const auto& parameter : each.parameters) {
      require(parameter.first == base::to_lower(parameter.first), "names of parameters are in lower case");
    }
  }
  require(registry::answerable(found).has_value(), "the second field is understood whatever the first one says");
}

void link(std::string_view bytes) {
  const auto target = http::link_target({{"Link", std::string(bytes)}}, "next");
  require(!target || bytes.find(*target) != std::string_view::npos, "a target stands in the field");
}

void warning(std::string_view bytes) {
  for (const auto& text : http::warnings({{"Warning", std::string(bytes)}})) {
    require(!text.empty() && text.size() <= bytes.size() * longest_escape, "a warning is what was sent");
    require(std::ranges::none_of(text, [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; }),
            "a warning is one line of text");
  }
}

void retry_after(std::string_view bytes) {
  const io::WallTime now{std::chrono::hours(24 * 365 * 54)};
  const auto wait = http::retry_after({{"Retry-After", std::string(bytes)}}, now);
  require(!wait || wait->count() >= 0, "nobody waits for the past");
  (void)http::parse_http_date(bytes);
}

void credentials(std::string_view bytes) {
  const tests::MemoryFileSystem files(tests::Files{{"/home/ada/.docker/config.json", std::string(bytes)}});
  const NoVariables environment;
  FuzzedHelper helper(bytes);
  registry::UserCredentials store(files, environment, helper);
  const auto found = store.find("registry.example.com", "shop/api", {});
  require(!found || !found->credentials || !found->credentials->source.empty(), "credentials come from somewhere");
  const tests::MemoryFileSystem with_helper(
      tests::Files{{"/home/ada/.docker/config.json", R"({"credHelpers":{"registry.example.com":"fuzzed"}})"}});
  (void)registry::UserCredentials(with_helper, environment, helper).find("registry.example.com", "shop/api", {});
}

}  // namespace deployctl::fuzz
