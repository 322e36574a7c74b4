// All changes of a collection, from now until stopped, whatever happens to the connection.
//
// Starts either with a list or with the watch itself, which then tells every object that is there as an addition and
// saves a request, but cannot say when it has told all of them. A stream that ends, breaks or falls silent is taken up
// from the last version seen; one that has expired (410) begins again with a list.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/io/process.hpp"

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::cluster {

enum class WatchStart { with_list, with_watch };

struct WatchOptions {
  WatchStart start = WatchStart::with_list;
  // The stream is taken to be dead when nothing at all came for so long; servers send a bookmark every minute.
  std::chrono::milliseconds silence{90'000};
  std::chrono::milliseconds first_backoff{200};
  std::chrono::milliseconds longest_backoff{10'000};
};

enum class WatchEventType { added, modified, deleted };

// All are called from the thread that called watch().
struct WatchHandler {
  std::function<void(WatchEventType, kube::Object)> on_event;
  // Everything there is: objects not among them are gone.
  std::function<void(std::vector<kube::Object>)> on_list;
  // It does not work at the moment; it is being tried again. Told once, until it works again.
  std::function<void(const base::Error&)> on_trouble;
  std::function<void()> on_recovery;
};

// Returns interrupted after `stop`, or an error that waiting does not mend: unauthorized, kind not served. What has
// worked before is not given up at the first such answer: a server that has just been started does not know yet who may
// do what.
base::Error watch(Client& client, const ListQuery& query, const WatchOptions& options, const WatchHandler& handler,
                  std::stop_token stop);

// One line of a watch stream.
struct WatchLine {
  enum class Type { added, modified, deleted, bookmark, error, unknown };
  Type type = Type::unknown;
  kube::Object object;
  std::string resource_version;
};
base::Result<WatchLine> parse_watch_line(std::string_view line);

}  // namespace deployctl::cluster
