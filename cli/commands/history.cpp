#include "cli/commands/commands.hpp"
#include "cli/commands/one_service.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"
#include "core/execute/inspect.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace deployctl::cli {
namespace {

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string history_table(const std::vector<execute::ReleaseRevision>& revisions) {
  std::vector<std::vector<std::string>> rows{{"REVISION", "CREATED", "TAG", "COMMIT", "REPLICAS", "IMAGE"}};
  for (const auto& [revision, commit, tag] : revisions) {
    rows.push_back({fmt::format("{}{}", revision.number, revision.is_current ? " (live)" : ""), revision.created,
                    or_dash(tag), or_dash(commit.substr(0, 7)), std::to_string(revision.replicas),
                    or_dash(base::join(revision.images, ", "))});
  }
  return table(rows);
}

json::Value to_json(const execute::ReleaseRevision& release) {
  return {{"revision", release.revision.number},
          {"live", release.revision.is_current},
          {"created", release.revision.created},
          {"tag", release.tag},
          {"commit", release.commit},
          {"replicas", release.revision.replicas},
          {"images", release.revision.images}};
}

std::string history_json(const std::string& service, const std::vector<execute::ReleaseRevision>& revisions) {
  auto listed = json::Value::array();
  for (const auto& release : revisions) {
    listed.push_back(to_json(release));
  }
  return json::to_pretty_text({{"service", service}, {"revisions", listed}});
}

}  // namespace

Action declare_history(CLI::App& parser) {
  auto service = std::make_shared<std::string>();
  add_service(parser, *service);
  return [service](Runtime& runtime) {
    return with_service(runtime, *service, [&](const OneService& one) -> int {
      const auto history = execute::read_history(one.client, one.target, *one.service.name, one.ports.stop);
      if (!history) {
        return runtime.fail(history.error());
      }
      auto revisions = execute::release_revisions(*history);
      std::ranges::reverse(revisions);  // people look for the newest
      runtime.print(runtime.wants_json() ? history_json(*service, revisions) : history_table(revisions));
      return 0;
    });
  };
}

}  // namespace deployctl::cli
