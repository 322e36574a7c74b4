#include "core/oci/layer_reader.hpp"

#include "core/oci/gzip.hpp"
#include "tests/support/tar_bytes.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

namespace deployctl::oci {
namespace {

using namespace tar_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string kind_word(LayerEntry::Kind kind) {
  static const char* const words[] = {"file", "dir", "symlink", "hardlink", "device", "fifo", "whiteout", "opaque"};
  return words[static_cast<int>(kind)];
}

struct Reading {
  std::vector<std::string> entries;  // "file a/b 0644 'content'"
  std::string error;
};

std::string described(const LayerEntry& entry) {
  auto text = fmt::format("{} {} {:04o}", kind_word(entry.kind), entry.path, entry.mode);
  return entry.link_target.empty() ? text : text + " -> " + entry.link_target;
}

// Reads the layer in pieces of that many bytes.
Reading read(const std::string& layer, std::size_t piece = 1000, LayerLimits limits = {}) {
  Reading reading;
  std::string content;
  LayerReader reader({.on_entry =
                          [&](const LayerEntry& entry) {
                            reading.entries.push_back(described(entry));
                            content.clear();
                            return base::Status();
                          },
                      .on_content =
                          [&](std::string_view text) {
                            content += text;
                            return base::Status();
                          },
                      .on_end =
                          [&] {
                            reading.entries.back() += content.size() < 100 ? fmt::format(" '{}'", content)
                                                                           : fmt::format(" ({} bytes)", content.size());
                            return base::Status();
                          }},
                     limits);
  base::Status status;
  for (std::size_t at = 0; status && at < layer.size(); at += piece) {
    status = reader.add(std::string_view(layer).substr(at, piece));
  }
  if (status) {
    status = reader.finish();
  }
  reading.error = status ? "" : base::to_string(status.error());
  return reading;
}

std::string gzipped(const std::string& text) {
  std::string out;
  auto writer = GzipWriter::make([&](std::string_view piece) {
    out += piece;
    return base::Status();
  });
  EXPECT_TRUE(writer && writer->add(text) && writer->finish());
  return out;
}

std::string zstd_compressed(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

const std::string some_layer = directory("usr/") + file("usr/tool", "#!/bin/sh\n", 0755) + link("tool", "usr/tool") +
                               hard_link("usr/same", "./usr/tool") + file("big", std::string(300'000, 'x')) + end();

TEST(LayerReader, GivesEveryEntryWithItsContent) {
  const auto reading = read(some_layer);
  EXPECT_EQ(reading.error, "");
  EXPECT_THAT(reading.entries,
              ElementsAre("dir usr 0755", "file usr/tool 0755 '#!/bin/sh\n'", "symlink tool 0777 -> usr/tool",
                          "hardlink usr/same 0644 -> usr/tool", "file big 0644 (300000 bytes)"));
}

TEST(LayerReader, TellsCompressionByTheBytesHoweverTheyAreCut) {
  const auto expected = read(some_layer).entries;
  for (const std::size_t piece : {1u, 7u, 512u, 1u << 20u}) {
    for (const auto& layer : {some_layer, gzipped(some_layer), zstd_compressed(some_layer)}) {
      const auto reading = read(layer, piece);
      EXPECT_EQ(reading.error, "") << piece;
      EXPECT_EQ(reading.entries, expected) << piece;
    }
  }
}

TEST(LayerReader, ReadsSeveralCompressedPartsAsOne) {
  const auto half = some_layer.size() / 2;
  const auto gzip = gzipped(some_layer.substr(0, half)) + gzipped(some_layer.substr(half));
  const auto skippable = std::string("\x50\x2a\x4d\x18\x04\0\0\0....", 12);
  const auto zstd = skippable + zstd_compressed(some_layer.substr(0, half)) + zstd_compressed(some_layer.substr(half));
  EXPECT_EQ(read(gzip).entries, read(some_layer).entries);
  EXPECT_EQ(read(zstd).entries, read(some_layer).entries);
}

TEST(LayerReader, TakesAnEmptyLayer) {
  for (const auto& layer : {std::string(), end(), gzipped(end()), gzipped("")}) {
    const auto reading = read(layer);
    EXPECT_EQ(reading.error, "");
    EXPECT_THAT(reading.entries, IsEmpty());
  }
}

TEST(LayerReader, UnderstandsWhiteouts) {
  const auto reading =
      read(file("etc/.wh.motd", "") + file(".wh.old", "") + file("var/.wh..wh..opq", "") + file(".wh..wh..opq", "") +
           file(".wh..wh.plnk/1.2", "x") + file(".wh..wh.aufs", "") + end());
  EXPECT_EQ(reading.error, "");
  EXPECT_THAT(reading.entries,
              ElementsAre("whiteout etc/motd 0000", "whiteout old 0000", "opaque var 0000", "opaque  0000"));
}

TEST(LayerReader, ReadsLongNames) {
  const std::string name = std::string(150, 'a') + "/" + std::string(150, 'b');
  EXPECT_THAT(read(pax("path", name) + file("short", "x") + file("next", "") + end()).entries,
              ElementsAre("file " + name + " 0644 'x'", "file next 0644 ''"));
  EXPECT_THAT(read(gnu_long('L', name) + file("short", "x") + end()).entries,
              ElementsAre("file " + name + " 0644 'x'"));
  EXPECT_THAT(read(gnu_long('K', name) + link("short", "cut") + end()).entries,
              ElementsAre("symlink short 0777 -> " + name));
  EXPECT_THAT(read(pax("path", "名字") + file("?", "x") + end()).entries, ElementsAre("file 名字 0644 'x'"));
}

TEST(LayerReader, TakesThePaxSizeForTheHeadersOwn) {
  auto entry = header({.name = "f", .size = 0}) + padded("four");
  EXPECT_THAT(read(pax("size", "4") + entry + end()).entries, ElementsAre("file f 0644 'four'"));
}

TEST(LayerReader, TakesAPathFromTheRootWhateverItsForm) {
  EXPECT_THAT(read(directory("./") + file("./a//b/./c", "") + file("/ko-app/api", "") + end()).entries,
              ElementsAre("dir  0755", "file a/b/c 0644 ''", "file ko-app/api 0644 ''"));
}

TEST(LayerReader, GivesNoContentToWhatIsNoFile) {
  // Engines read no content behind a link even where its header gives a size.
  const auto odd = header({.name = "l", .size = 512, .type = '2', .link = "t"});
  EXPECT_THAT(read(odd + file("next", "x") + end()).entries, ElementsAre("symlink l 0644 -> t", "file next 0644 'x'"));
}

struct Refused {
  const char* what;
  std::string layer;
  const char* error;
};

TEST(LayerReader, RefusesWhatNoLayerMayHold) {
  auto wrong_sum = file("f", "x");
  wrong_sum[0] = 'g';
  auto negative = header({.name = "f", .size = 1});
  negative.replace(124, 12, "-0000000001\0", 12);
  const Refused rows[] = {
      {"parent", file("../etc/passwd", "x"), "the path '../etc/passwd' leads out of the image"},
      {"parent within", file("a/../../b", "x"), "the path 'a/../../b' leads out of the image"},
      {"hard link out", hard_link("a", "../../etc/shadow"), "the path '../../etc/shadow' leads out of the image"},
      {"overlong path", pax("path", std::string(5000, 'a')) + file("f", ""), "a path of 5000 bytes: 'aaaaaaaa"},
      {"name with a NUL", pax("path", std::string("a\0b", 3)) + file("f", ""), "a name with a NUL in it"},
      {"no name", file("", "x"), "an entry without a name"},
      {"whiteout of nothing", file("a/.wh.", ""), "a whiteout in 'a' that names no file"},
      {"whiteout of the parent", file("a/.wh...", ""), "a whiteout in 'a' that names no file"},
      {"sparse, GNU", header({.name = "s", .type = 'S'}), "'s' is a sparse file, which a layer must not hold"},
      {"sparse, PAX", pax("GNU.sparse.major", "1") + file("s", ""), "a sparse file, which a layer must not"},
      {"unknown kind", header({.name = "u", .type = 'Z'}), "'u' is of a kind that is unknown (Z)"},
      {"wrong checksum", wrong_sum, "a wrong checksum, or this is no tar archive"},
      {"not a tar", std::string(2000, 'x'), "a wrong checksum, or this is no tar archive"},
      {"cut: JSON", R"({"mediaType":"application/json"})", "the archive is cut short"},
      {"cut in a header", file("f", "x").substr(0, 300), "the archive is cut short"},
      {"cut in the content", file("f", std::string(900, 'x')).substr(0, 700), "the archive is cut short"},
      {"cut in gzip", gzipped(some_layer).substr(0, 200), "the compressed data ends early"},
      {"cut in zstd", zstd_compressed(some_layer).substr(0, 60), "the compressed data ends early"},
      {"huge extended header", header({.name = "x", .size = 2u << 20u, .type = 'x'}), "an extended header of 2.0 MiB"},
      {"record longer than its header", header({.name = "x", .size = 9, .type = 'x'}) + padded("99 path=a"),
       "an extended header's record has a wrong length"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(read(row.layer + (std::string(row.what).starts_with("cut") ? "" : end())).error, HasSubstr(row.error))
        << row.what;
  }
}

TEST(LayerReader, ReadsAnArchiveWithoutItsEnd) {
  EXPECT_THAT(read(file("f", "x")).entries, ElementsAre("file f 0644 'x'"));
  EXPECT_EQ(read(file("f", "x")).error, "");
}

TEST(LayerReader, StopsAtItsLimits) {
  EXPECT_EQ(read(file("a", "") + file("b", ""), 1000, {.most_entries = 1}).error, "the layer has more than 1 entries");
  EXPECT_EQ(read(file("long/path", "") + file("b", ""), 1000, {.most_name_bytes = 9}).error,
            "the names in the layer are longer than 9 B together");
  const auto bomb = gzipped(header({.name = "zeros", .size = 50'000'000}) + std::string(50'000'000, '\0'));
  EXPECT_LT(bomb.size(), 500'000u);
  EXPECT_EQ(read(bomb, 1000, {.most_bytes = 1u << 20u}).error, "the layer unpacks to more than 1.0 MiB");
}

TEST(LayerReader, PassesOnTheErrorOfItsVisitor) {
  LayerReader reader({.on_entry = [](const LayerEntry&) { return base::Status(base::Error::failed("enough")); }});
  const auto status = reader.add(file("a", "x"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "enough");
}

}  // namespace
}  // namespace deployctl::oci
