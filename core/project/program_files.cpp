#include "core/project/program_files.hpp"

#include "core/base/text.hpp"
#include "core/project/image_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace deployctl::project {
namespace {

constexpr std::uint64_t most_bytes = 1u << 20u;

struct UsualPort {
  std::string_view image;
  int port;
};

constexpr std::array usual_ports{
    UsualPort{"mysql", 3306},         UsualPort{"mariadb", 3306},
    UsualPort{"postgres", 5432},      UsualPort{"redis", 6379},
    UsualPort{"valkey", 6379},        UsualPort{"mongo", 27017},
    UsualPort{"rabbitmq", 5672},      UsualPort{"memcached", 11211},
    UsualPort{"nats", 4222},          UsualPort{"kafka", 9092},
    UsualPort{"zookeeper", 2181},     UsualPort{"etcd", 2379},
    UsualPort{"elasticsearch", 9200}, UsualPort{"opensearch", 9200},
    UsualPort{"minio", 9000},         UsualPort{"clickhouse-server", 8123},
    UsualPort{"influxdb", 8086},      UsualPort{"nginx", 80},
};

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

bool is_go_version(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char byte) { return is_digit(byte) || byte == '.'; });
}

std::string_view first_word(std::string_view text) {
  text = base::trim(text);
  return text.substr(0, text.find_first_of(" \t\r/"));
}

// The digits at the start of the text as a port.
std::optional<int> leading_port(std::string_view text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = base::parse_integer(text.substr(0, end));
  return number && *number >= 1 && *number <= 65535 ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

bool has_main_package(const std::string& folder, const io::FileSystem& files) {
  const auto names = files.list(folder);
  if (!names) {
    return false;
  }
  return std::ranges::any_of(*names, [&](const std::string& name) {
    if (!name.ends_with(".go") || name.ends_with("_test.go")) {
      return false;
    }
    const auto text = files.read(io::join_path(folder, name), most_bytes);
    if (!text) {
      return false;
    }
    const auto lines = base::split(*text, '\n');
    return std::ranges::any_of(lines, [](std::string_view line) {
      return line.starts_with("package") && first_word(line.substr(7)) == "main";
    });
  });
}

std::string without_cmake_comments(std::string_view text) {
  std::string code;
  for (const auto line : base::split(text, '\n')) {
    code += line.substr(0, line.find('#'));
    code += '\n';
  }
  return code;
}

std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  std::vector<std::string> words;
  for (auto begin = text.find_first_not_of(blanks); begin != std::string_view::npos;
       begin = text.find_first_not_of(blanks, begin)) {
    const auto end = std::min(text.find_first_of(blanks, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

// The words between the parentheses of each call of a CMake command, which may stand on several lines.
std::vector<std::vector<std::string>> cmake_calls(std::string_view text, std::string_view command) {
  std::vector<std::vector<std::string>> calls;
  const auto code = without_cmake_comments(text);
  const std::string_view view = code;
  for (auto open = view.find('('); open != std::string_view::npos; open = view.find('(', open + 1)) {
    const auto before = base::trim(view.substr(0, open));
    if (base::equals_ignoring_case(before.substr(before.find_last_of(" \t\r\n)") + 1), command)) {
      calls.push_back(words_of(view.substr(open + 1, view.find(')', open) - open - 1)));
    }
  }
  return calls;
}

// The port of a database, cache or queue: beside "localhost" or in DB_PORT it is where the program connects to. Port
// 80, nginx's, may as well be the program's own.
bool is_of_backing_service(int port) {
  return port != 80 && std::ranges::find(usual_ports, port, &UsualPort::port) != usual_ports.end();
}

// `":8080"` or `"0.0.0.0:8080"`, as servers are told where to listen.
std::optional<int> quoted_address_port(std::string_view text) {
  for (const std::string_view start : {"\":", "\"0.0.0.0:", "\"localhost:", "\"127.0.0.1:", "\"[::]:"}) {
    const bool is_loopback = start == "\"localhost:" || start == "\"127.0.0.1:";
    for (auto at = text.find(start); at != std::string_view::npos; at = text.find(start, at + 1)) {
      const auto rest = text.substr(at + start.size());
      const auto port = leading_port(rest);
      const auto end = rest.find_first_not_of("0123456789");
      const bool is_address = port && end != std::string_view::npos && rest[end] == '"';
      if (is_address && !(is_loopback && is_of_backing_service(*port))) {
        return port;
      }
    }
  }
  return std::nullopt;
}

// The number after a mention of PORT on the same line: getenv("PORT", "8080"), process.env.PORT || 3000.
std::optional<int> port_variable_default(std::string_view text) {
  for (const auto line : base::split(text, '\n')) {
    const auto at = line.find("PORT");
    if (at == std::string_view::npos) {
      continue;
    }
    const auto number = std::find_if(line.begin() + static_cast<std::ptrdiff_t>(at), line.end(), is_digit);
    const auto port = leading_port(line.substr(static_cast<std::size_t>(number - line.begin())));
    const bool has_prefix = at > 0 && line[at - 1] == '_';
    if (port && *port >= 80 && !(has_prefix && is_of_backing_service(*port))) {
      return port;
    }
  }
  return std::nullopt;
}

// app.listen(3000), app.run(port=5000), listen(8080, port = "8080"
std::optional<int> listen_call_port(std::string_view text) {
  for (const std::string_view start : {"listen(", "port=", "port:", "port = ", "port(", "port = \""}) {
    const auto at = text.find(start);
    const auto rest = at == std::string_view::npos ? std::string_view() : base::trim(text.substr(at + start.size()));
    const auto port = leading_port(rest);
    if (port && *port >= 80 && !(start.ends_with('"') && is_of_backing_service(*port))) {
      return port;
    }
  }
  return std::nullopt;
}

// Gin listens on 8080 when it is not told where (github.com/gin-gonic/gin, resolveAddress).
std::optional<int> gin_port(std::string_view text) {
  const bool is_gin = text.find("gin-gonic/gin\"") != std::string_view::npos;
  return is_gin && text.find(".Run()") != std::string_view::npos ? std::optional(8080) : std::nullopt;
}

}  // namespace

// Line by line (go.dev/ref/mod, "go.mod files"); a toolchain line is the version the module is really built with.
GoModule read_go_mod(std::string_view text) {
  GoModule module;
  for (const auto raw : base::split(text, '\n')) {
    const auto line = base::trim(raw.substr(0, raw.find("//")));
    const auto [word, rest] = base::split_once(line, ' ');
    const auto value = base::trim(rest);
    if (word == "go" && is_go_version(value) && module.version.empty()) {
      module.version = value;
    } else if (word == "toolchain" && value.starts_with("go") && is_go_version(value.substr(2))) {
      module.version = value.substr(2);
    }
    const auto arrow = line.find("=>");
    const auto replacement = arrow == std::string_view::npos ? "" : base::trim(line.substr(arrow + 2));
    module.has_local_modules |= replacement.starts_with("./") || replacement.starts_with("../");
  }
  return module;
}

std::vector<std::string> go_main_packages(const std::string& folder, const io::FileSystem& files) {
  std::vector<std::string> packages;
  if (has_main_package(folder, files)) {
    packages.emplace_back(".");
  }
  const auto commands = io::join_path(folder, "cmd");
  const auto names =
      files.stat(commands).kind == io::FileKind::directory ? files.list(commands) : std::vector<std::string>();
  if (names) {
    for (const auto& name : *names) {
      if (has_main_package(io::join_path(commands, name), files)) {
        packages.push_back("./cmd/" + name);
      }
    }
  }
  return packages;
}

std::vector<std::string> cmake_executables(std::string_view cmake_lists) {
  std::string project;
  for (const auto& call : cmake_calls(cmake_lists, "project")) {
    if (!call.empty() && project.empty()) {
      project = call.front();
    }
  }
  std::vector<std::string> names;
  for (const auto& call : cmake_calls(cmake_lists, "add_executable")) {
    if (!call.empty()) {
      auto name = base::replace_all(call.front(), "${PROJECT_NAME}", project);
      if (name.find('$') == std::string::npos) {
        names.push_back(std::move(name));
      }
    }
  }
  return names;
}

std::optional<int> exposed_port(std::string_view dockerfile) {
  for (const auto line : base::split(dockerfile, '\n')) {
    const auto instruction = base::trim(line);
    if (base::equals_ignoring_case(instruction.substr(0, 7), "EXPOSE ")) {
      return leading_port(base::trim(instruction.substr(7)));
    }
  }
  return std::nullopt;
}

std::optional<int> usual_port(std::string_view image) {
  const auto name = parse_image_name(image);
  if (!name) {
    return std::nullopt;
  }
  const auto last = io::file_name(name->repository);
  const auto known = std::ranges::find(usual_ports, last, &UsualPort::image);
  return known == usual_ports.end() ? std::nullopt : std::optional(known->port);
}

std::optional<int> listening_port(std::string_view program) {
  for (const auto guess : {quoted_address_port, port_variable_default, listen_call_port, gin_port}) {
    if (const auto port = guess(program)) {
      return port;
    }
  }
  return std::nullopt;
}

std::string health_path(std::string_view program) {
  for (const std::string_view path : {"/healthz", "/health", "/readyz", "/ready", "/ping"}) {
    for (const char quote : {'"', '\''}) {
      if (program.find(quote + std::string(path) + quote) != std::string_view::npos) {
        return std::string(path);
      }
    }
  }
  return {};
}

}  // namespace deployctl::project
