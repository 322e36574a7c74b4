#include "tests/unit/kube/timeline.hpp"

#include "core/base/diagnostic.hpp"
#include "core/base/duration.hpp"
#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/kube/rollout_tracker.hpp"
#include "core/yaml/convert.hpp"
#include "core/yaml/parse.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <sstream>

namespace deployctl::kube {
namespace {

using Moment = RolloutTracker::Moment;

json::Value read_yaml(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  base::Diagnostics diagnostics;
  const auto source = std::make_shared<const base::SourceFile>(path, text.str());
  const auto root = yaml::parse(source, diagnostics);
  for (const auto& diagnostic : diagnostics.sorted()) {
    ADD_FAILURE() << render(diagnostic);
  }
  return yaml::to_json(root);
}

Moment moment(json::Reader reader) {
  const auto parsed = base::parse_duration(reader.string_or("0s"));
  EXPECT_TRUE(parsed) << reader.path() << " is no duration";
  return parsed ? *parsed : Moment(0);
}

// "pod/api-1-a" in its parts.
std::pair<std::string, std::string> split_name(std::string_view text) {
  const auto [kind, name] = base::split_once(text, '/');
  return {std::string(kind), std::string(name)};
}

verdict::ImageAnswer answer(const std::string& word) {
  const std::map<std::string, verdict::ImageAnswer> answers = {{"exists", verdict::ImageAnswer::exists},
                                                               {"missing", verdict::ImageAnswer::missing},
                                                               {"denied", verdict::ImageAnswer::denied}};
  const auto found = answers.find(word);
  EXPECT_NE(found, answers.end()) << "a registry says exists, missing or denied, not " << word;
  return found == answers.end() ? verdict::ImageAnswer::exists : found->second;
}

class Player {
 public:
  Timeline play(const json::Value& body) {
    const json::Reader root(body);
    Timeline timeline;
    for (const auto& line : root.at("expect").elements()) {
      timeline.expected.push_back(line.string_or());
    }
    written_.generation = root.at("written", "generation").integer_or(1);
    written_.time = root.at("written", "time").string_or();
    const auto until = moment(root.at("until"));
    for (const auto& step : root.at("timeline").elements()) {
      const auto at = moment(step.at("at"));
      advance_to(at - Moment(1));
      perform(step);
      follow_when_known();
      advance(at);
    }
    advance_to(until);
    for (const auto& outcome : tracker_.give_up(RolloutResult::undecided)) {
      say(until, std::string(to_string(outcome.result)));
    }
    timeline.seen = std::move(seen_);
    return timeline;
  }

 private:
  void perform(json::Reader step) {
    if (const auto put = step.at("put"); put.exists()) {
      put_object(*put.value(), step.at("owner").string_or(), step.at("about").string_or());
    } else if (const auto change = step.at("change"); change.exists()) {
      const auto key = key_of(*change.value());
      ASSERT_TRUE(objects_.contains(key)) << key << " was never put";
      auto& object = objects_[key];
      object.body.merge_patch(*change.value());
      tracker_.put(object);
    } else if (const auto registry = step.at("registry"); registry.exists()) {
      tracker_.learn(registry.at("image").string_or(), answer(registry.at("says").string_or()));
    } else {
      const auto key = step.at("remove").string_or();
      ASSERT_TRUE(objects_.contains(key)) << key << " was never put";
      tracker_.remove(objects_[key]);
      objects_.erase(key);
    }
  }

  static std::string key_of(const json::Value& body) {
    const json::Reader root(body);
    return base::to_lower(root.at("kind").string_or()) + "/" + root.at("metadata", "name").string_or();
  }

  void put_object(json::Value body, const std::string& owner, const std::string& about) {
    if (!about.empty()) {
      const auto [kind, name] = split_name(about);
      body["involvedObject"]["uid"] = about;
      body["involvedObject"]["kind"] = kind == "persistentvolumeclaim" ? "PersistentVolumeClaim" : kind;
      body["involvedObject"]["name"] = name;
      if (!body.contains("metadata")) {
        body["metadata"]["name"] = fmt::format("event-{}", ++events_);
      }
    }
    if (!body["metadata"].contains("uid")) {
      body["metadata"]["uid"] = key_of(body);
    }
    if (!owner.empty()) {
      body["metadata"]["ownerReferences"] = json::Value::array({{{"uid", owner}, {"controller", true}}});
    }
    const auto key = key_of(body);
    objects_[key] = Object{.body = std::move(body)};
    tracker_.put(objects_[key]);
  }

  // The first Deployment or Job put is the one we have written.
  void follow_when_known() {
    if (is_following_) {
      return;
    }
    for (const auto& [key, object] : objects_) {
      if (object.kind() == "Deployment") {
        const auto given = written_;
        written_ = written_state(object.body);
        written_.generation = given.generation;
        written_.time = given.time.empty() ? written_.time : given.time;
        tracker_.follow({.service = object.name(), .deployment = object.name(), .written = written_}, now_);
        is_following_ = true;
      } else if (object.kind() == "Job") {
        tracker_.follow(
            {.service = object.name(), .deployment = object.name(), .kind = RolloutTarget::Kind::job, .written = {}},
            now_);
        is_following_ = true;
      }
    }
  }

  // Everything that time alone brings about before `at`.
  void advance_to(Moment at) {
    while (const auto wake = tracker_.wake_at()) {
      if (*wake > at) {
        break;
      }
      advance(*wake);
    }
    now_ = std::max(now_, at);
  }

  void advance(Moment at) {
    now_ = at;
    for (const auto& change : tracker_.advance(at)) {
      std::visit(
          base::Overloaded{[](const RolloutStatus&) {},
                           [&](const PodStarted& started) { say(at, "started pod/" + started.pod); },
                           [&](const verdict::Finding& finding) {
                             say(at, fmt::format("{} {} {} {}", verdict::to_string(finding.weight), finding.rule,
                                                 finding.object, finding.reason));
                           },
                           [&](const RolloutOutcome& outcome) { say(at, std::string(to_string(outcome.result))); }},
          change.what);
    }
  }

  void say(Moment at, const std::string& what) { seen_.push_back(base::to_string(at) + " " + what); }

  RolloutTracker tracker_;
  WrittenState written_;
  std::map<std::string, Object> objects_;
  std::vector<std::string> seen_;
  Moment now_{0};
  bool is_following_ = false;
  int events_ = 0;
};

}  // namespace

Timeline play_timeline(const std::string& path) {
  return Player().play(read_yaml(path));
}

}  // namespace deployctl::kube
