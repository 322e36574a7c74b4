// The least a push can cost: the blobs of an OCI layout go to a registry over kept-alive connections, POST and PUT for
// each, nothing hashed, nothing checked, nothing retried. A client can hope to come near it.
//
//   bench_upload_floor [--copy] [--smart] [--connections N] LAYOUT HOST:PORT REPOSITORY TAG
//
// Bodies go out by sendfile; with --copy through a buffer, which takes more processor time but over loopback feeds the
// registry of a single large blob better.
// --smart asks first what the tag points at: the same image is done after this one request, and the blobs of another
// one need not be sent.
#include <nlohmann/json.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(errno == 0 ? what : what + ": " + std::strerror(errno));
}

struct Peer {
  std::string host;
  std::string port;
  [[nodiscard]] std::string authority() const { return host + ":" + port; }
};

struct Blob {
  std::string digest;
  std::size_t size = 0;
  std::string path;
};

struct Image {
  std::string manifest;
  std::string media_type;
  std::vector<Blob> blobs;
};

struct Response {
  int status = 0;
  std::string location;
  std::string body;
};

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fail(path);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string blob_path(const std::string& layout, const std::string& digest) {
  auto path = layout + "/blobs/" + digest;
  path[path.rfind(':')] = '/';
  return path;
}

std::vector<json> blobs_of(const json& manifest) {
  std::vector<json> list(manifest.at("layers").begin(), manifest.at("layers").end());
  list.push_back(manifest.at("config"));
  return list;
}

Image read_layout(const std::string& layout) {
  const auto index = json::parse(content_of(layout + "/index.json"));
  const auto& entry = index.at("manifests").at(0);
  Image image{.manifest = content_of(blob_path(layout, entry.at("digest"))), .media_type = entry.at("mediaType")};
  for (const auto& blob : blobs_of(json::parse(image.manifest))) {
    image.blobs.push_back({blob.at("digest"), blob.at("size"), blob_path(layout, blob.at("digest"))});
  }
  return image;
}

// One connection; made when it is first used.
class Connection {
 public:
  Connection(const Peer& peer, bool copies) : peer_(peer), copies_(copies) {}
  ~Connection() {
    if (socket_ >= 0) {
      ::close(socket_);
    }
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Response send(std::string_view method, const std::string& target, const std::string& headers = {},
                std::string_view body = {}) {
    send_all(head(method, target, headers, body.size()) + std::string(body));
    return receive();
  }

  Response send_file(std::string_view method, const std::string& target, const Blob& blob) {
    const int file = ::open(blob.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
      fail(blob.path);
    }
    send_all(head(method, target, "Content-Type: application/octet-stream\r\n", blob.size), MSG_MORE);
    copies_ ? copy(file) : send_from(file, blob.size);
    ::close(file);
    return receive();
  }

 private:
  void copy(int file) {
    std::vector<char> buffer(256u << 10u);
    ssize_t count = 0;
    while ((count = ::read(file, buffer.data(), buffer.size())) > 0) {
      send_all({buffer.data(), static_cast<std::size_t>(count)});
    }
  }

  void send_from(int file, std::size_t size) const {
    off_t offset = 0;
    while (static_cast<std::size_t>(offset) < size) {
      if (::sendfile(socket_, file, &offset, size - static_cast<std::size_t>(offset)) <= 0) {
        fail("sending a blob");
      }
    }
  }

  [[nodiscard]] std::string head(std::string_view method, const std::string& target, const std::string& headers,
                                 std::size_t size) const {
    return std::string(method) + " " + target + " HTTP/1.1\r\nHost: " + peer_.authority() + "\r\n" + headers +
           "Content-Length: " + std::to_string(size) + "\r\n\r\n";
  }

  void connect() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(peer_.host.c_str(), peer_.port.c_str(), &hints, &found) != 0) {
      fail("looking up " + peer_.host);
    }
    socket_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_connected = ::connect(socket_, found->ai_addr, found->ai_addrlen) == 0;
    ::freeaddrinfo(found);
    if (!is_connected) {
      fail("connecting to " + peer_.authority());
    }
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  void send_all(std::string_view bytes, int flags = 0) {
    if (socket_ < 0) {
      connect();
    }
    while (!bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
      if (count <= 0) {
        fail("sending to " + peer_.authority());
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  // The registry says Content-Length in all answers that are wanted here.
  Response receive() {
    std::size_t head_end = 0;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
      receive_more();
    }
    const auto head = received_.substr(0, head_end + 2);
    received_.erase(0, head_end + 4);
    const auto length = std::stoul(field(head, "Content-Length").value_or("0"));
    while (received_.size() < length) {
      receive_more();
    }
    Response response{.status = std::stoi(head.substr(head.find(' ') + 1, 3)),
                      .location = field(head, "Location").value_or(""),
                      .body = received_.substr(0, length)};
    received_.erase(0, length);
    return response;
  }

  void receive_more() {
    char buffer[16384];
    errno = 0;
    const auto count = ::recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) {
      fail("receiving from " + peer_.authority());
    }
    received_.append(buffer, static_cast<std::size_t>(count));
  }

  static std::optional<std::string> field(const std::string& head, const std::string& name) {
    const auto start = head.find("\r\n" + name + ": ");
    if (start == std::string::npos) {
      return {};
    }
    const auto value = start + name.size() + 4;
    return head.substr(value, head.find("\r\n", value) - value);
  }

  const Peer& peer_;
  bool copies_;
  int socket_ = -1;
  std::string received_;
};

void expect(int wanted, const Response& response, const std::string& doing) {
  if (response.status != wanted) {
    errno = 0;
    fail(doing + ": status " + std::to_string(response.status) + " " + response.body);
  }
}

struct Options {
  bool copies = false;
  bool is_smart = false;
  std::size_t connections = 8;
};

struct Target {
  Peer peer;
  std::string repository;
  std::string tag;
  [[nodiscard]] std::string path(const std::string& rest) const { return "/v2/" + repository + "/" + rest; }
};

void push_blob(Connection& connection, const Target& target, const Blob& blob) {
  const auto opened = connection.send("POST", target.path("blobs/uploads/"));
  expect(202, opened, "opening an upload");
  auto location = opened.location.substr(opened.location.find("/v2/"));
  location += (location.find('?') == std::string::npos ? "?digest=" : "&digest=") + blob.digest;
  expect(201, connection.send_file("PUT", location, blob), "uploading " + blob.digest);
}

// Takes blobs from a common list until none is left; true when all of its own went well.
bool push_blobs(Connection& connection, const Target& target, const std::vector<Blob>& blobs,
                std::atomic<std::size_t>& next) {
  try {
    for (auto at = next++; at < blobs.size(); at = next++) {
      push_blob(connection, target, blobs[at]);
    }
    return true;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return false;
  }
}

bool push_all(Connection& first, const Target& target, const std::vector<Blob>& blobs, const Options& options) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> is_fine = true;
  std::vector<std::jthread> threads;
  for (std::size_t count = 1; count < std::min(options.connections, blobs.size()); ++count) {
    threads.emplace_back([&] {
      Connection connection(target.peer, options.copies);
      is_fine = push_blobs(connection, target, blobs, next) && is_fine;
    });
  }
  is_fine = push_blobs(first, target, blobs, next) && is_fine;
  threads.clear();
  return is_fine;
}

void leave_out_what_is_there(std::vector<Blob>& blobs, const Response& now) {
  std::set<std::string> there;
  for (const auto& blob : blobs_of(json::parse(now.body))) {
    there.insert(blob.at("digest"));
  }
  std::erase_if(blobs, [&](const Blob& blob) { return there.contains(blob.digest); });
}

int push(Image image, const Target& target, const Options& options) {
  Connection first(target.peer, options.copies);
  if (options.is_smart) {
    const auto now = first.send("GET", target.path("manifests/" + target.tag), "Accept: " + image.media_type + "\r\n");
    if (now.status == 200 && now.body == image.manifest) {
      return 0;
    }
    if (now.status == 200) {
      leave_out_what_is_there(image.blobs, now);
    }
  }
  if (!push_all(first, target, image.blobs, options)) {
    return 1;
  }
  expect(201,
         first.send("PUT", target.path("manifests/" + target.tag), "Content-Type: " + image.media_type + "\r\n",
                    image.manifest),
         "putting the manifest");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + count);
  Options options{.copies = std::erase(words, "--copy") > 0, .is_smart = std::erase(words, "--smart") > 0};
  if (words.size() > 2 && words[0] == "--connections") {
    options.connections = std::stoul(words[1]);
    words.erase(words.begin(), words.begin() + 2);
  }
  if (words.size() != 4 || words[1].find(':') == std::string::npos) {
    std::cerr << "usage: bench_upload_floor [--copy] [--smart] [--connections N] LAYOUT HOST:PORT REPOSITORY TAG\n";
    return 2;
  }
  const auto colon = words[1].rfind(':');
  const Target target{{words[1].substr(0, colon), words[1].substr(colon + 1)}, words[2], words[3]};
  try {
    return push(read_layout(words[0]), target, options);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
