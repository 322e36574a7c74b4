// Tar archives written by hand, entry by entry, so that a test can also write what no honest tool would.
#pragma once

#include <cstdio>
#include <string>

namespace deployctl::tar_bytes {

inline std::string octal(std::size_t number, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*zo", digits, number);
  return text;
}

struct Header {
  std::string name;
  std::size_t size = 0;
  char type = '0';
  std::string link = {};
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
  std::size_t mtime = 0;
};

inline std::string header(const Header& entry) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { block.replace(at, text.size(), text); };
  put(0, entry.name);
  put(100, octal(entry.mode, 7));
  put(108, octal(entry.uid, 7));
  put(116, octal(entry.gid, 7));
  put(124, octal(entry.size, 11));
  put(136, octal(entry.mtime, 11));
  put(148, "        ");
  block[156] = entry.type;
  put(157, entry.link);
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char byte : block) {
    sum += static_cast<unsigned char>(byte);
  }
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  return block;
}

inline std::string padded(const std::string& content) {
  return content + std::string((512 - content.size() % 512) % 512, '\0');
}

inline std::string file(const std::string& name, const std::string& content, unsigned mode = 0644) {
  return header({.name = name, .size = content.size(), .mode = mode}) + padded(content);
}
inline std::string directory(const std::string& name, unsigned mode = 0755) {
  return header({.name = name, .type = '5', .mode = mode});
}
inline std::string link(const std::string& name, const std::string& target) {
  return header({.name = name, .type = '2', .link = target, .mode = 0777});
}
inline std::string hard_link(const std::string& name, const std::string& target) {
  return header({.name = name, .type = '1', .link = target});
}
// A PAX header with one record, for the entry behind it.
inline std::string pax(const std::string& key, const std::string& value) {
  const auto rest = " " + key + "=" + value + "\n";
  auto length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) {
    length = std::to_string(length).size() + rest.size();
  }
  const auto record = std::to_string(length) + rest;
  return header({.name = "PaxHeaders/x", .size = record.size(), .type = 'x'}) + padded(record);
}
// GNU's long name ('L') or long link target ('K') for the entry behind it.
inline std::string gnu_long(char type, const std::string& text) {
  return header({.name = "././@LongLink", .size = text.size() + 1, .type = type}) + padded(text + '\0');
}
inline std::string end() {
  return std::string(1024, '\0');
}

}  // namespace deployctl::tar_bytes
