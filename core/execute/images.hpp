// The image table of a run: which exact image each service gets, filled as pushes finish.
#pragma once

#include "core/base/result.hpp"
#include "core/kube/object.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace deployctl::execute {

// Thread-safe.
class Images {
 public:
  // `reference` is pinned: "repository:tag@sha256:…".
  void set(const std::string& service, std::string reference);
  [[nodiscard]] std::optional<std::string> find(const std::string& service) const;

  // The object with every plan::placeholder_for(service) replaced by the service's image; failed when one is unknown.
  [[nodiscard]] base::Result<kube::Object> filled_in(const kube::Object& object) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> references_;
};

}  // namespace deployctl::execute
