#include "core/oci/tar_writer.hpp"

#include "core/oci/tar_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace deployctl::oci {
namespace {

using Kind = TarHeader::Kind;

std::string tar_of(const std::vector<TarHeader>& headers) {
  std::string out;
  TarWriter tar([&](std::string_view piece) {
    out += piece;
    return base::Status();
  });
  for (const auto& header : headers) {
    EXPECT_TRUE(tar.begin(header));
    EXPECT_TRUE(tar.write(std::string(header.size, 'x')));
  }
  EXPECT_TRUE(tar.finish());
  return out;
}

// The archive's first header alone: whatever the size it speaks of.
std::string begun(const TarHeader& header) {
  std::string out;
  TarWriter tar([&](std::string_view piece) {
    out += piece;
    return base::Status();
  });
  EXPECT_TRUE(tar.begin(header));
  return out;
}

std::vector<TarEntry> read_back(const std::string& bytes) {
  std::size_t at = 0;
  TarReader reader([&](char* buffer, std::size_t size) -> base::Result<std::size_t> {
    const auto count = std::min(size, bytes.size() - at);
    std::copy_n(bytes.data() + at, count, buffer);
    at += count;
    return count;
  });
  std::vector<TarEntry> entries;
  while (true) {
    auto entry = reader.next();
    EXPECT_TRUE(entry) << base::to_string(entry.error());
    if (!entry || !*entry) {
      return entries;
    }
    entries.push_back(**entry);
  }
}

bool has_pax_header(const std::string& bytes) {
  return bytes.at(156) == 'x';
}

TEST(TarWriter, IsUstarWithNumbersAndNoNames) {
  const auto bytes =
      begun({.path = "app/server", .size = 5, .mode = 0755, .uid = 65532, .gid = 65532, .mtime = 1700000000});
  ASSERT_EQ(bytes.size(), 512u);
  EXPECT_EQ(bytes.substr(0, 11), std::string("app/server\0", 11));
  EXPECT_EQ(bytes.substr(100, 8), std::string("0000755\0", 8));
  EXPECT_EQ(bytes.substr(108, 8), std::string("0177774\0", 8));
  EXPECT_EQ(bytes.substr(124, 12), std::string("00000000005\0", 12));
  EXPECT_EQ(bytes.substr(136, 12), std::string("14524770400\0", 12));
  EXPECT_EQ(bytes.at(156), '0');
  EXPECT_EQ(bytes.substr(257, 8), std::string("ustar\00000", 8));
  EXPECT_EQ(bytes.substr(265, 64), std::string(64, '\0')) << "names of owners";
}

TEST(TarWriter, WritesWholeBlocksAndTwoEmptyOnesAtTheEnd) {
  EXPECT_EQ(tar_of({{.path = "a", .size = 1}, {.path = "b", .size = 512}}).size(), 512u * (2 + 2 + 2));
  EXPECT_EQ(tar_of({}), std::string(1024, '\0'));
}

TEST(TarWriter, IsReadBackAsItWasMeant) {
  const std::string far(120, 'd');
  const std::vector<TarHeader> headers{
      {.kind = Kind::directory, .path = "dir", .mode = 01777},
      {.path = "dir/file", .size = 700},
      {.kind = Kind::hard_link, .path = "dir/other", .link_target = "dir/file"},
      {.kind = Kind::symlink, .path = "dir/link", .link_target = "file", .mode = 0777},
      {.path = far + "/" + std::string(90, 'n'), .size = 3},
      {.path = std::string(130, 'l'), .size = 3},
      {.path = "名前/дом", .size = 3},
      {.kind = Kind::symlink, .path = "long-link", .link_target = std::string(180, 't')},
      {.path = "last", .size = 1},
  };
  const auto entries = read_back(tar_of(headers));
  ASSERT_EQ(entries.size(), headers.size());
  for (std::size_t place = 0; place < entries.size(); ++place) {
    const auto& wanted = headers[place];
    EXPECT_EQ(entries[place].path, wanted.kind == Kind::directory ? wanted.path + "/" : wanted.path);
    EXPECT_EQ(entries[place].size, wanted.size) << wanted.path;
  }
}

TEST(TarWriter, UsesAPaxHeaderOnlyWhereUstarDoesNotDo) {
  const struct {
    TarHeader header;
    bool needs_pax;
    std::string_view record;
  } rows[] = {
      {{.path = std::string(100, 'a')}, false, ""},
      {{.path = std::string(101, 'a')}, true, "111 path=aaa"},
      {{.path = std::string(155, 'p') + "/" + std::string(100, 'n')}, false, ""},
      {{.path = std::string(156, 'p') + "/" + std::string(100, 'n')}, true, "path="},
      {{.kind = Kind::directory, .path = std::string(100, 'd')}, true, "111 path="},
      {{.path = "é"}, true, "11 path=é\n"},
      {{.kind = Kind::symlink, .path = "l", .link_target = std::string(101, 't')}, true, "linkpath="},
      {{.path = "big", .size = 077777777777}, false, ""},
      {{.path = "big", .size = 9ULL << 30U}, true, "19 size=9663676416\n"},
      {{.path = "who", .uid = 0xFFFFFFFF}, true, "uid=4294967295\n"},
      {{.path = "old", .mtime = -1}, true, "12 mtime=-1\n"},
      {{.path = "can", .xattrs = {{"security.capability", std::string("\1\0\0\2", 4)}}},
       true,
       "SCHILY.xattr.security.capability="},
  };
  for (const auto& row : rows) {
    const auto bytes = begun(row.header);
    EXPECT_EQ(has_pax_header(bytes), row.needs_pax) << row.header.path;
    EXPECT_NE(bytes.find(row.record), std::string::npos) << row.header.path;
  }
}

TEST(TarWriter, NoticesAFileOfAnotherLengthThanItsHeaderSays) {
  TarWriter tar([](std::string_view) { return base::Status(); });
  ASSERT_TRUE(tar.begin({.path = "a", .size = 4}));
  ASSERT_TRUE(tar.write("abc"));
  EXPECT_EQ(tar.finish().error().message, "a file of the archive is 1 bytes shorter than its header says");
  EXPECT_EQ(tar.write("de").error().message, "a file of the archive is longer than its header says");
}

}  // namespace
}  // namespace deployctl::oci
