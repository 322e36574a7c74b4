#include "core/native/compile.hpp"

#include "core/base/text.hpp"

#include <array>
#include <filesystem>
#include <sys/utsname.h>
#include <utility>

namespace deployctl::native {
namespace {

using base::Error;
using base::Result;

// What toolchains need of our environment; nothing else of it reaches them.
constexpr auto passed_on = std::to_array<std::string_view>(
    {"PATH",        "HOME",     "USER",       "LANG",          "LC_*",       "TMPDIR",      "XDG_*",    "GO*",
     "CC",          "CXX",      "CMAKE_*",    "CCACHE_*",      "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy",
     "https_proxy", "no_proxy", "SSL_CERT_*", "SSH_AUTH_SOCK", "GIT_SSH*",   "NETRC"});

io::Command command_of(const CompileRequest& request, std::vector<std::string> argv) {
  io::Command command{.argv = std::move(argv), .directory = request.source};
  command.environment = request.variables;
  command.only_environment.assign(passed_on.begin(), passed_on.end());
  command.only_environment.insert(command.only_environment.end(), request.secrets.begin(), request.secrets.end());
  return command;
}

// Nothing of this machine gets into the program: no paths, no state of the repository, no C library.
io::Command go_build(const CompileRequest& request) {
  auto command =
      command_of(request, {"go", "build", "-trimpath", "-buildvcs=false", "-ldflags",
                           fmt::format("-s -w -X main.version={} -X main.commit={}", request.version, request.commit),
                           "-o", program_path(request), request.package});
  command.environment["CGO_ENABLED"] = "0";
  command.environment["GOOS"] = request.platform.os;
  command.environment["GOARCH"] = request.platform.architecture;
  return command;
}

std::string build_tree(const CompileRequest& request) {
  return request.directory + "/build";
}

// Static, and with the paths of this machine mapped away, so that the program is the same wherever it was compiled.
std::vector<io::Command> cmake_build(const CompileRequest& request) {
  const auto map =
      fmt::format(R"("-ffile-prefix-map={}=." "-ffile-prefix-map={}=.")", request.source, build_tree(request));
  auto configure =
      command_of(request, {"cmake", "-S", request.source, "-B", build_tree(request), "-DCMAKE_BUILD_TYPE=Release",
                           "-DBUILD_TESTING=OFF", "-DBUILD_SHARED_LIBS=OFF", "-DCMAKE_EXE_LINKER_FLAGS=-static",
                           "-DCMAKE_SKIP_RPATH=ON", "-DCMAKE_C_FLAGS=" + map, "-DCMAKE_CXX_FLAGS=" + map,
                           "-DAPP_VERSION=" + request.version, "-DAPP_COMMIT=" + request.commit});
  auto build = command_of(request, {"cmake", "--build", build_tree(request), "--parallel"});
  auto install = command_of(
      request, {"cmake", "--install", build_tree(request), "--prefix", request.directory + "/installed", "--strip"});
  return {std::move(configure), std::move(build), std::move(install)};
}

std::string_view name_of(Toolchain toolchain) {
  return toolchain == Toolchain::go ? "Go" : "CMake";
}

}  // namespace

std::string program_path(const CompileRequest& request) {
  return request.toolchain == Toolchain::go ? request.directory + "/program"
                                            : request.directory + "/installed/bin/" + request.package;
}

std::vector<io::Command> commands(const CompileRequest& request) {
  if (request.toolchain == Toolchain::none) {
    return {};
  }
  return request.toolchain == Toolchain::go ? std::vector{go_build(request)} : cmake_build(request);
}

Result<std::string> compile(const CompileRequest& request, io::ProcessRunner& processes,
                            const std::function<void(std::string_view)>& on_line, std::stop_token stop) {
  if (request.toolchain == Toolchain::cmake && request.platform != host_platform()) {
    return Error::refused("C++ is compiled for this machine only ({}/{}), and {}/{} was asked for", host_platform().os,
                          host_platform().architecture, request.platform.os, request.platform.architecture)
        .with_hint("compile it elsewhere and name the result as build.artifact, or build with '--builder docker'");
  }
  for (const auto& command : commands(request)) {
    io::LineSplitter lines(on_line);
    const auto status = processes.run(
        command, [&](io::Stream, std::string_view piece) { lines.add(piece); }, stop);
    lines.finish();
    if (!status) {
      return status.error().code == base::ErrorCode::not_found
                 ? Error::not_found("{} is not installed: there is no '{}' on PATH", name_of(request.toolchain),
                                    command.argv.front())
                       .with_hint(
                           "install it, name what was compiled elsewhere as build.artifact, or build with "
                           "'--builder docker'")
                 : status.error();
    }
    if (!status->is_success()) {
      return Error::failed("'{} {}' ended with exit code {}", command.argv[0], command.argv[1], status->code)
          .with_hint("what it printed stands above");
    }
  }
  auto program = program_path(request);
  if (std::error_code problem; !std::filesystem::is_regular_file(program, problem)) {
    return Error::failed("the build made no program '{}'", request.package)
        .with_hint("{}", request.toolchain == Toolchain::cmake
                             ? "its CMakeLists.txt has to install it: install(TARGETS … RUNTIME)"
                             : "build.package has to name a package with a main function");
  }
  return program;
}

oci::Platform host_platform() {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> names{
      {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"ppc64le", "ppc64le"}, {"s390x", "s390x"}, {"riscv64", "riscv64"}}};
  struct utsname machine {};
  ::uname(&machine);
  for (const auto& [kernel, image] : names) {
    if (kernel == machine.machine) {
      return {.os = "linux", .architecture = std::string(image), .variant = {}};
    }
  }
  return {.os = "linux", .architecture = machine.machine, .variant = {}};
}

}  // namespace deployctl::native
