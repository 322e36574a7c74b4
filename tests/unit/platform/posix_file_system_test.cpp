#include "core/platform/posix_file_system.hpp"

#include "core/platform/posix_environment.hpp"
#include "core/platform/system_clock.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace deployctl::platform {
namespace {

using base::ErrorCode;
using io::FileKind;
using io::Permissions;
using testing::ElementsAre;
using testing::HasSubstr;

namespace fs = std::filesystem;

TEST(PosixFileSystem, WritesAndReadsBackAndMakesParents) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  const std::string content("a\0b\n", 4);
  ASSERT_TRUE(files.write(directory / "deploy/k8s/api.yaml", content, Permissions::plain));
  EXPECT_EQ(*files.read(directory / "deploy/k8s/api.yaml", 1024), content);
  EXPECT_EQ(files.stat(directory / "deploy/k8s/api.yaml").size, 4u);
}

TEST(PosixFileSystem, GivesTheFileTheAskedPermissions) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  const auto mask = umask(022);
  for (const auto permissions : {Permissions::plain, Permissions::executable, Permissions::secret}) {
    ASSERT_TRUE(files.write(directory / "file", "x", permissions));
    EXPECT_EQ(files.stat(directory / "file").mode, static_cast<std::uint32_t>(permissions));
  }
  ASSERT_TRUE(files.write(directory / "keys/id", "x", Permissions::secret));
  EXPECT_EQ(files.stat(directory / "keys").mode, 0700u);
  umask(mask);
}

TEST(PosixFileSystem, ReplacesAFileInOneStepAndLeavesNothingBeside) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  ASSERT_TRUE(files.write(directory / "file", "old", Permissions::plain));
  std::ifstream reader(directory / "file");  // still sees the old file after it was replaced
  ASSERT_TRUE(files.write(directory / "file", "new", Permissions::plain));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(reader), {}), "old");
  EXPECT_EQ(content_of(directory / "file"), "new");
  EXPECT_THAT(*files.list(directory.path()), ElementsAre("file"));
}

TEST(PosixFileSystem, ReplacesASymlinkInsteadOfWritingThroughIt) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  put(directory / "elsewhere", "theirs");
  fs::create_symlink(directory / "elsewhere", directory / "link");
  ASSERT_TRUE(files.write(directory / "link", "ours", Permissions::plain));
  EXPECT_EQ(content_of(directory / "elsewhere"), "theirs");
  EXPECT_FALSE(fs::is_symlink(directory / "link"));
}

TEST(PosixFileSystem, LeavesNothingBehindWhenItCannotWrite) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  fs::create_directory(directory / "taken");
  put(directory / "taken/inside", "x");
  const auto written = files.write(directory / "taken", "x", Permissions::plain);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "cannot write '" + directory / "taken" + "': is a directory");
  EXPECT_THAT(*files.list(directory.path()), ElementsAre("taken"));
}

TEST(PosixFileSystem, SaysThatADirectoryCannotBeWrittenTo) {
  if (geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  const TemporaryDirectory directory;
  PosixFileSystem files;
  fs::permissions(directory.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const auto written = files.write(directory / "file", "x", Permissions::plain);
  fs::permissions(directory.path(), fs::perms::owner_all);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("permission denied"));
}

TEST(PosixFileSystem, SaysWhatIsInTheWayOfADirectory) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  put(directory / "file", "x");
  const auto written = files.write(directory / "file/api.yaml", "x", Permissions::plain);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "cannot make directory '" + directory / "file" + "': file exists");
}

TEST(PosixFileSystem, RefusesToReadWhatIsTooLargeMissingOrNoFile) {
  const TemporaryDirectory directory;
  const PosixFileSystem files;
  put(directory / "five", "12345");
  EXPECT_TRUE(files.read(directory / "five", 5));
  EXPECT_EQ(files.read(directory / "five", 4).error().message,
            "cannot read '" + directory / "five" + "': it is larger than 4 bytes");
  EXPECT_EQ(files.read(directory / "none", 4).error().code, ErrorCode::not_found);
  EXPECT_EQ(files.read(directory.path(), 4).error().message,
            "cannot read '" + directory.path() + "': it is a directory");
  ASSERT_EQ(mkfifo((directory / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(files.read(directory / "fifo", 4).error().message,
            "cannot read '" + directory / "fifo" + "': it is not a file");
}

TEST(PosixFileSystem, ReadsFilesWhoseSizeIsNotKnown) {
  const auto status = PosixFileSystem().read("/proc/self/status", 1u << 20u);
  ASSERT_TRUE(status);
  EXPECT_THAT(*status, HasSubstr("Pid:"));
}

TEST(PosixFileSystem, TellsWhatIsThere) {
  const TemporaryDirectory directory;
  const PosixFileSystem files;
  put(directory / "file", "x");
  fs::create_symlink("file", directory / "link");
  fs::create_symlink("nowhere", directory / "dangling");
  EXPECT_EQ(files.stat(directory / "file").kind, FileKind::regular);
  EXPECT_EQ(files.stat(directory / "link").kind, FileKind::regular);
  EXPECT_EQ(files.stat(directory / "dangling").kind, FileKind::none);
  EXPECT_EQ(files.stat(directory.path()).kind, FileKind::directory);
  EXPECT_EQ(files.stat("/dev/null").kind, FileKind::other);
  EXPECT_THAT(*files.list(directory.path()), ElementsAre("dangling", "file", "link"));
  EXPECT_EQ(*files.canonical(directory / "link"), *files.canonical(directory / "file"));
  EXPECT_EQ(files.canonical(directory / "dangling").error().code, ErrorCode::not_found);
}

TEST(PosixFileSystem, RemovesATreeWithoutFollowingSymlinks) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  fs::create_directories(directory / "outside");
  put(directory / "outside/kept", "x");
  fs::create_directories(directory / "tree/deep/read-only");
  put(directory / "tree/deep/read-only/file", "x");
  fs::permissions(directory / "tree/deep/read-only", fs::perms::owner_read | fs::perms::owner_exec);
  fs::create_directory_symlink(directory / "outside", directory / "tree/deep/link");
  fs::create_directory_symlink(directory / "outside", directory / "link");

  EXPECT_TRUE(files.remove_tree(directory / "tree"));
  EXPECT_TRUE(files.remove_tree(directory / "link"));
  EXPECT_TRUE(files.remove_tree(directory / "never-was"));
  EXPECT_THAT(*files.list(directory.path()), ElementsAre("outside"));
  EXPECT_EQ(content_of(directory / "outside/kept"), "x");
  EXPECT_FALSE(files.remove_tree(directory / "outside/.."));
}

TEST(PosixFileSystem, RemovesOneEntry) {
  const TemporaryDirectory directory;
  PosixFileSystem files;
  put(directory / "file", "x");
  EXPECT_TRUE(files.remove(directory / "file"));
  EXPECT_EQ(files.remove(directory / "file").error().code, ErrorCode::not_found);
}

TEST(PosixFileSystem, MakesTemporaryDirectoriesThatOnlyWeMayRead) {
  const TemporaryDirectory parent;
  PosixFileSystem files;
  const auto first = files.make_temporary_directory(parent.path());
  const auto second = files.make_temporary_directory(parent.path());
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(files.stat(*first).mode, 0700u);
  EXPECT_FALSE(files.make_temporary_directory(parent / "missing"));
}

TEST(PosixEnvironment, TellsUnsetFromEmpty) {
  const PosixEnvironment environment;
  setenv("DEPLOYCTL_TEST_EMPTY", "", 1);
  unsetenv("DEPLOYCTL_TEST_UNSET");
  EXPECT_EQ(environment.get("DEPLOYCTL_TEST_EMPTY"), "");
  EXPECT_EQ(environment.get("DEPLOYCTL_TEST_UNSET"), std::nullopt);
}

TEST(PosixEnvironment, FallsBackToThePasswordDatabaseForTheHomeDirectory) {
  const PosixEnvironment environment;
  const std::string before = environment.get_or("HOME", "");
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(environment.home_directory(), "/home/somebody");
  unsetenv("HOME");
  EXPECT_TRUE(environment.home_directory().starts_with('/'));
  setenv("HOME", before.c_str(), 1);
}

TEST(SystemClock, SleepsUntilTheTimeIsOverOrItIsStopped) {
  SystemClock clock;
  const auto start = clock.steady_now();
  EXPECT_TRUE(clock.sleep_for(std::chrono::milliseconds(20), {}));
  EXPECT_GE(clock.steady_now() - start, std::chrono::milliseconds(20));

  std::stop_source source;
  const std::jthread stopper([&source] { source.request_stop(); });
  EXPECT_FALSE(clock.sleep_for(std::chrono::minutes(1), source.get_token()));
  EXPECT_LT(clock.steady_now() - start, std::chrono::seconds(30));
}

}  // namespace
}  // namespace deployctl::platform
