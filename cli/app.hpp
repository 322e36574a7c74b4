// The program: command line in, exit code out.
#pragma once

namespace deployctl::cli {

// Parses the command line, runs the command and returns the exit code docs/errors.md lists.
int run(int argc, char** argv);

}  // namespace deployctl::cli
