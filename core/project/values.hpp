// The forms of single values: names, paths, ports, amounts of time. Each checks all of its text.
#pragma once

#include "core/base/duration.hpp"
#include "core/base/quantity.hpp"
#include "core/project/form.hpp"
#include "core/project/image_name.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::project {

// Any text but NUL bytes. `name` is what the reference page calls it.
Form<std::string> any_text(std::string_view name);
// Text, or a number, true or false as they are written: environment variables, arguments of programs.
Form<std::string> loose_text(std::string_view name);

Form<std::string> dns_label();                       // RFC 1123
Form<std::string> service_name();                    // RFC 1035: what Kubernetes takes as the name of a Service
Form<std::string> object_name();                     // RFC 1123 subdomain
Form<std::string> port_name();                       // RFC 6335: at most 15 bytes
Form<std::string> variable_name();                   // of the environment
Form<std::string> file_word(std::string_view name);  // letters, digits, '_', '.', '-': build secrets, stages
Form<std::string> host_name();                       // may start with "*."
Form<std::string> web_path();                        // "/health"
Form<std::string> http_url();                        // http:// or https://, no credentials
Form<std::string> json_pointer();                    // RFC 6901: "/status"
Form<std::string> header_name();                     // RFC 9110 token
Form<std::string> object_path_name();                // "[namespace/]name"
Form<SecretSource> secret_source();                  // env:NAME, file:PATH
Form<std::string> folder_path();                     // in the project; normalised: "services/api", "."
Form<std::string> container_path();                  // absolute, no ".."
Form<std::string> package_name();                    // Go package or CMake target

Form<std::string> cluster_uid();         // of a namespace: a UUID
Form<std::string> certificate_digest();  // "sha256:" and 64 hex digits

Form<std::string> image_name();
Form<std::string> registry();
Form<std::string> registry_host();
// Whole seconds: Kubernetes counts no finer.
Form<base::Milliseconds> duration(base::Milliseconds least);
// Down to milliseconds: how long an answer may take.
Form<base::Milliseconds> exact_duration();
Form<base::Quantity> quantity();
// From `least` to `most`, with a fraction.
Form<double> decimal(double least, double most);
Form<std::string> pods_or_percentage();  // "1", "25%"

}  // namespace deployctl::project
