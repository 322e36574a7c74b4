#include "cli/app.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  try {
    return deployctl::cli::run(argc, argv);
  } catch (const std::exception& problem) {
    // Nothing may throw as far as here: every library's exceptions end in the file that includes it.
    std::fprintf(stderr, "deployctl: this is a bug in deployctl: %s\nplease report it with the command you ran\n",
                 problem.what());
    return 1;
  }
}
