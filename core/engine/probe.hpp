// Asking one client what it is and whether its engine answers.
#pragma once

#include "core/engine/client.hpp"
#include "core/engine/engine.hpp"

namespace deployctl::engine {

// `program` is the client's path. Ends within 15 s.
base::Result<EngineFacts> probe(io::ProcessRunner& processes, const io::Environment& environment, const Client& client,
                                const std::string& program, std::stop_token stop);

// The reason in the client's words why its engine cannot be used, as one of our errors: unreachable, unauthorized, or
// failed when the client itself is set up wrongly. Nothing when the text does not speak of the engine.
std::optional<base::Error> engine_error(std::string_view client_output, const std::string& endpoint);

}  // namespace deployctl::engine
