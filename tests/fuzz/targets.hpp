// Functions that take any bytes at all: they must return, and what they return must hold what is asserted. libFuzzer
// calls one of them for hours; the regression test calls them with every file of the corpus.
#pragma once

#include <span>
#include <string_view>

namespace deployctl::fuzz {

// What parses is emitted and parsed again to the same value.
void yaml(std::string_view bytes);
// What parses is printed and parsed again to the same URL; resolving it against a base never fails in other ways.
void url(std::string_view bytes);
// What parses is written in each form and parsed again to the same value.
void json(std::string_view bytes);

// What registries answer. WWW-Authenticate: schemes and names are in lower case, and every challenge has a scheme.
void challenge(std::string_view bytes);
// Link: what is found was in the field.
void link(std::string_view bytes);
// Warning: what is shown has no control characters and an end.
void warning(std::string_view bytes);
// Retry-After and HTTP dates: a wait is never negative.
void retry_after(std::string_view bytes);
// The user's files of docker and podman: never credentials of another registry.
void credentials(std::string_view bytes);

// What is printed parses to the same reference.
void reference(std::string_view bytes);
// Image manifests and indexes: what is written from what was read reads the same.
void image_document(std::string_view bytes);
void image_config(std::string_view bytes);
// Claims and bundles that cosign signs: nobody's bytes are a signature.
void signature(std::string_view bytes);
// Layers: paths lead nowhere outside, and the entries do not depend on how the bytes were cut.
void layer(std::string_view bytes);
// What `docker save` writes: an image that is taken has all its blobs.
void docker_archive(std::string_view bytes);

// Programs: what is found does not depend on how the bytes were cut.
void go_program(std::string_view bytes);
// dpkg's texts and os-release: paths are relative, every package has a name and a version.
void dpkg(std::string_view bytes);

struct Target {
  std::string_view name;
  void (*function)(std::string_view);
};

std::span<const Target> targets();

}  // namespace deployctl::fuzz
