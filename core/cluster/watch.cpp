// A stream is a stretch of the watch: it ends by itself after the time-out we asked for, when the server restarts, when
// the network breaks, or when we take it to be dead. The version to go on from is that of the newest bookmark or
// change, but only once it can be trusted: the additions that tell the state at the start come in no particular order.
#include "core/cluster/watch.hpp"

#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

namespace deployctl::cluster {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr std::size_t longest_line = 8u << 20u;
constexpr int lasting_answers_believed = 5;  // in a row, of a watch that has worked before

// A random time-out spreads the reconnects of many clients.
std::string timeout_seconds() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::to_string(std::uniform_int_distribution(240, 480)(random));
}

bool is_lasting(const Error& error) {
  return error.code == ErrorCode::unauthorized || error.code == ErrorCode::not_found ||
         error.code == ErrorCode::invalid_input;
}

class Watcher {
 public:
  Watcher(Client& client, const ListQuery& query, const WatchOptions& options, const WatchHandler& handler,
          std::stop_token stop)
      : client_(client),
        query_(query),
        options_(options),
        handler_(handler),
        stop_(std::move(stop)),
        needs_list_(options.start == WatchStart::with_list),
        backoff_(options.first_backoff) {}

  Error run() {
    while (!stop_.stop_requested()) {
      auto trouble = needs_list_ ? list() : std::nullopt;
      if (!trouble) {
        trouble = stream();
      }
      if (trouble && is_final(*trouble)) {
        return *trouble;
      }
      if (trouble && !stop_.stop_requested()) {
        pause(*trouble);
      }
    }
    return Error::interrupted();
  }

 private:
  bool is_final(const Error& trouble) {
    lasting_answers_ = is_lasting(trouble) ? lasting_answers_ + 1 : 0;
    return lasting_answers_ > (has_worked_ ? lasting_answers_believed : 0);
  }

  std::optional<Error> list() {
    auto listed = client_.list(query_, stop_);
    if (!listed) {
      return listed.error();
    }
    note_success();
    needs_list_ = false;
    version_ = listed->resource_version;
    is_version_trusted_ = true;
    handler_.on_list(std::move(listed->items));
    return std::nullopt;
  }

  // One stretch. Nothing when it ended as streams do.
  std::optional<Error> stream() {
    std::optional<Error> refusal;
    io::LineSplitter lines([&](std::string_view line) { refusal = refusal ? refusal : take(line); }, longest_line);
    http::Exchange exchange;
    exchange.stop = stop_;
    exchange.sink.on_headers = [this](const http::Response& response) {
      if (response.is_success()) {
        backoff_ = options_.first_backoff;
        was_connected_ = true;
        note_success();
      }
      return base::Status();
    };
    exchange.sink.on_body = [&](std::string_view piece) {
      lines.add(piece);
      return refusal ? base::Status(*refusal) : base::Status();
    };
    const auto response = client_.api().stream(call(), exchange);
    // Without a version to go on from, what happened in between can only be learned from a list.
    needs_list_ = needs_list_ || !is_version_trusted_;
    if (refusal) {
      return needs_list_ ? std::nullopt : refusal;
    }
    return response ? after(*response) : std::optional(response.error());
  }

  std::optional<Error> after(const http::Response& response) {
    if (response.is_success()) {
      return std::nullopt;
    }
    const auto status = read_status(response);
    if (status.code == 410) {
      needs_list_ = true;
      return std::nullopt;
    }
    if (const auto delay = retry_delay(status)) {
      backoff_ = std::max(backoff_, *delay);
    }
    return to_error(status, operation(), client_.connection());
  }

  std::optional<Error> take(std::string_view text) {
    auto line = parse_watch_line(text);
    if (!line) {
      needs_list_ = true;
      return line.error();
    }
    switch (line->type) {
      case WatchLine::Type::error:
        return take_error(line->object);
      case WatchLine::Type::bookmark:
        is_version_trusted_ = true;
        break;
      case WatchLine::Type::added:
        handler_.on_event(WatchEventType::added, with_kind(std::move(line->object)));
        break;
      case WatchLine::Type::modified:
        handler_.on_event(WatchEventType::modified, with_kind(std::move(line->object)));
        break;
      case WatchLine::Type::deleted:
        handler_.on_event(WatchEventType::deleted, with_kind(std::move(line->object)));
        break;
      case WatchLine::Type::unknown:
        return std::nullopt;
    }
    version_ = line->resource_version;
    return std::nullopt;
  }

  // An expired version comes as an event with a Status inside, in a stream that was accepted with 200.
  std::optional<Error> take_error(const kube::Object& status) {
    const json::Reader root(status.body);
    const auto code = root.at("code").integer_or();
    needs_list_ = needs_list_ || code == 410 || root.at("reason").string_or() == "Expired";
    return Error::failed("the watch of {} ended: {}", query_.resource.plural, root.at("message").string_or());
  }

  kube::Object with_kind(kube::Object object) const {
    object.body["apiVersion"] = query_.resource.api_version();
    object.body["kind"] = query_.resource.kind;
    return object;
  }

  [[nodiscard]] Operation operation() const {
    return {.verb = "watch", .object = query_.resource.plural, .name_space = query_.name_space};
  }

  [[nodiscard]] Call call() const {
    Call call{.path = kube::collection_path(query_.resource, query_.name_space),
              .query = {{"watch", "true"}, {"allowWatchBookmarks", "true"}, {"timeoutSeconds", timeout_seconds()}},
              .operation = operation(),
              .timeouts = {.connect = std::chrono::seconds(5), .total = std::nullopt, .stall = options_.silence}};
    if (is_version_trusted_) {
      call.query.emplace_back("resourceVersion", version_);
    }
    if (!query_.label_selector.empty()) {
      call.query.emplace_back("labelSelector", query_.label_selector);
    }
    if (!query_.field_selector.empty()) {
      call.query.emplace_back("fieldSelector", query_.field_selector);
    }
    return call;
  }

  void note_success() {
    has_worked_ = true;
    lasting_answers_ = 0;
    if (std::exchange(is_in_trouble_, false) && handler_.on_recovery) {
      handler_.on_recovery();
    }
  }

  // That a stream breaks is usual; that the next cannot be had is worth telling.
  void pause(const Error& trouble) {
    if (!std::exchange(was_connected_, false) && !std::exchange(is_in_trouble_, true) && handler_.on_trouble) {
      handler_.on_trouble(trouble);
    }
    client_.api().clock().sleep_for(backoff_, stop_);
    backoff_ = std::min(backoff_ * 2, options_.longest_backoff);
  }

  Client& client_;
  const ListQuery& query_;
  const WatchOptions& options_;
  const WatchHandler& handler_;
  std::stop_token stop_;
  bool needs_list_;
  bool is_version_trusted_ = false;
  bool was_connected_ = false;
  bool has_worked_ = false;
  bool is_in_trouble_ = false;
  int lasting_answers_ = 0;
  std::string version_;
  milliseconds backoff_;
};

WatchLine::Type type_of(std::string_view name) {
  using Type = WatchLine::Type;
  constexpr std::pair<std::string_view, Type> names[] = {{"ADDED", Type::added},
                                                         {"MODIFIED", Type::modified},
                                                         {"DELETED", Type::deleted},
                                                         {"BOOKMARK", Type::bookmark},
                                                         {"ERROR", Type::error}};
  const auto* found = std::ranges::find(names, name, &std::pair<std::string_view, Type>::first);
  return found == std::end(names) ? Type::unknown : found->second;
}

}  // namespace

base::Result<WatchLine> parse_watch_line(std::string_view line) {
  auto body = json::parse(line, "the watch event", {.bytes = longest_line});
  if (!body) {
    return body.error();
  }
  WatchLine parsed{.type = type_of(json::Reader(*body).at("type").string_or())};
  if (body->contains("object")) {
    parsed.object.body = std::move((*body)["object"]);
  }
  parsed.resource_version = json::Reader(parsed.object.body).at("metadata", "resourceVersion").string_or();
  return parsed;
}

base::Error watch(Client& client, const ListQuery& query, const WatchOptions& options, const WatchHandler& handler,
                  std::stop_token stop) {
  return Watcher(client, query, options, handler, std::move(stop)).run();
}

}  // namespace deployctl::cluster
