// The one table of the project manifest's language: every key with its form, its documentation and the member it fills.
// What is not in here is not part of the language.
#pragma once

#include "core/project/form.hpp"
#include "core/project/written.hpp"

namespace deployctl::project {

const Form<WrittenProject>& project_form();
// An environment's own keys; its services are read by service_form() once they are laid over the others.
const Form<WrittenEnvironment>& environment_form();
const Form<WrittenService>& service_form();
Form<std::string> service_key_form();

}  // namespace deployctl::project
