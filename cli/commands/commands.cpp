#include "cli/commands/commands.hpp"

#include "cli/commands/image/image_commands.hpp"

#include <array>

namespace deployctl::cli {
namespace {

constexpr std::string_view project_group = "Project";
constexpr std::string_view release_group = "Release";
constexpr std::string_view operate_group = "Operate";
constexpr std::string_view images_group = "Images";
constexpr std::string_view help_group = "Help";

constexpr std::array command_table{
    Command{"init", project_group, "write a first deployctl.yaml from what lies in the folder",
            "  deployctl init\n"
            "  deployctl init --registry registry.example.com/team\n"
            "  deployctl init --stdout",
            declare_init},
    Command{"validate", project_group, "check the project manifest and say everything that is wrong with it",
            "  deployctl validate\n"
            "  deployctl validate -f services/api/deployctl.yaml -e prod",
            declare_validate},
    Command{"schema", project_group, "print the JSON Schema of the project manifest, for editors",
            "  deployctl schema > deployctl.schema.json", declare_schema},
    Command{"generate", project_group, "write Dockerfile, Compose file, Kubernetes objects and CI pipelines",
            "  deployctl generate\n"
            "  deployctl generate kubernetes -e prod --stdout\n"
            "  deployctl generate --check        exit 4 when a file is not what would be written\n"
            "  deployctl generate --diff",
            declare_generate},
    Command{"plan", release_group, "show what a release would do, without doing it",
            "  deployctl plan -e prod\n"
            "  deployctl plan -e prod --out plan.json     for 'rollout --plan plan.json'",
            declare_plan, nullptr, Prints::results, Meets::cluster},
    Command{"build", release_group, "build the images",
            "  deployctl build\n"
            "  deployctl build api --tag v1.4.0\n"
            "  deployctl build --push",
            declare_build},
    Command{"push", release_group, "push the built images and print what to deploy",
            "  deployctl push\n"
            "  image=$(deployctl push api)",
            declare_push},
    Command{"rollout", release_group, "roll out pushed images and watch until it is done or broken",
            "  deployctl rollout -e prod\n"
            "  deployctl rollout api --image api=registry.example.com/team/api:v1.4.0\n"
            "  deployctl rollout -e prod --plan plan.json --approve sha256:…",
            declare_rollout, nullptr, Prints::events, Meets::cluster},
    Command{"release", release_group, "build, push and roll out as one plan",
            "  deployctl release -e prod\n"
            "  deployctl release -e prod --yes",
            declare_release, nullptr, Prints::events, Meets::cluster},
    Command{"status", operate_group, "show what runs: replicas, image, commit, age, release",
            "  deployctl status -e prod\n"
            "  deployctl status --output json",
            declare_status, nullptr, Prints::results, Meets::cluster},
    Command{"diff", operate_group, "show what differs in the cluster from the project manifest, and who changed it",
            "  deployctl diff -e prod            exit 4 when anything does\n"
            "  deployctl diff api --output json",
            declare_diff, nullptr, Prints::results, Meets::cluster},
    Command{"history", operate_group, "list the releases: who, when, which commit, how it ended",
            "  deployctl history -e prod\n"
            "  deployctl history --output json",
            declare_history, nullptr, Prints::results, Meets::cluster},
    Command{"promote", operate_group, "give all requests to a new version that waits beside the old one",
            "  deployctl promote api -e prod\n"
            "  deployctl promote api --full      canary: take none of the steps that are left",
            declare_promote, nullptr, Prints::events, Meets::cluster},
    Command{"abort", operate_group, "let a new version go that waits beside the old one",
            "  deployctl abort api -e prod", declare_abort, nullptr, Prints::events, Meets::cluster},
    Command{"undo", operate_group, "go back to an earlier release: pods, configuration, everything",
            "  deployctl undo -e prod\n"
            "  deployctl undo --to 7\n"
            "  deployctl undo api                only that service",
            declare_undo, nullptr, Prints::events, Meets::cluster},
    Command{"restart", operate_group, "replace the running pods one after the other", "  deployctl restart api -e prod",
            declare_restart, nullptr, Prints::events, Meets::cluster},
    Command{"logs", operate_group, "show what the containers of a service print",
            "  deployctl logs api -e prod\n"
            "  deployctl logs api -f --tail 20",
            declare_logs, nullptr, Prints::results, Meets::cluster},
    Command{"doctor", operate_group, "check engine, registry, cluster and git, and say what would mend them",
            "  deployctl doctor\n"
            "  deployctl doctor -e prod\n"
            "  deployctl doctor -e prod --accept-cluster     after the cluster was replaced",
            declare_doctor, nullptr, Prints::results, Meets::cluster},
    Command{"image", images_group, "inspect, compare, copy, export, import and delete images",
            "  deployctl image inspect registry.example.com/team/api:v1\n"
            "  deployctl image diff registry.example.com/team/api:v1 registry.example.com/team/api:v2\n"
            "  deployctl image COMMAND --help",
            nullptr, image_commands},
    Command{"completion", help_group, "print the completion script of a shell",
            "  source <(deployctl completion bash)\n"
            "  deployctl completion zsh > \"${fpath[1]}/_deployctl\"\n"
            "  deployctl completion fish | source",
            declare_completion},
    Command{"version", help_group, "show the version", "  deployctl version\n  deployctl version --output json",
            declare_version, nullptr, Prints::results},
};

}  // namespace

std::span<const Command> commands() {
  return command_table;
}

}  // namespace deployctl::cli
