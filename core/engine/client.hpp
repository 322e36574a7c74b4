// What the command-line clients call the same things: one row each for docker, podman and buildah.
#pragma once

#include "core/engine/engine.hpp"
#include "core/io/process.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::engine {

using Words = std::vector<std::string_view>;

struct Client {
  ClientKind kind;
  std::string_view program;
  Words version;       // prints JSON with the versions
  Words inspect;       // prints JSON about an image; its reference follows
  Words save;          // writes a docker archive of the image to stdout; its reference follows
  Words save_target;   // what follows the reference
  Words remove_tag;    // takes a name away; the name follows
  Words build_format;  // asks for the image format the others make too, in which HEALTHCHECK is kept
};

std::span<const Client> clients();
const Client& client_of(ClientKind kind);

// The names of the variables a client may see: where it finds its programs, its configuration, its engine, its proxies
// and what credential helpers read. A job's other variables, tokens among them, stay with us.
std::vector<std::string> client_environment();

// "<program> <words…> <arguments…>" with that environment.
io::Command client_command(const EngineFacts& facts, std::span<const std::string_view> words,
                           const std::vector<std::string>& arguments);

}  // namespace deployctl::engine
