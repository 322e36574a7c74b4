#include "cli/report/ndjson.hpp"

#include "core/events/json_form.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::cli::report {

void Ndjson::emit(const events::Event& event) {
  const std::lock_guard lock(mutex_);
  write_(json::to_compact_text(events::to_json(event, clock_.now())) + "\n");
}

}  // namespace deployctl::cli::report
