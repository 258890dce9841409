// The command on a small disk that is full, or becomes so: one line, exit code 3, nothing left
// behind, nothing lost. The disk is a tmpfs, which takes the right to mount: that of root, or of
// anybody in namespaces of his own.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/stress/command.h"

namespace stress {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::size_t kBlock = 4096;  // of the tmpfs, and a page of the machine

class FullDisk : public CommandTest {
 protected:
  ~FullDisk() override {
    if (mounted_) umount2(disk_.c_str(), MNT_DETACH);
  }

  // False: this host lets nobody mount, and the test is skipped.
  bool Mount(const std::string& options) {
    mkdir(disk_.c_str(), 0755);
    mounted_ = mount("tmpfs", disk_.c_str(), "tmpfs", 0, options.c_str()) == 0;
    return mounted_;
  }
  // Takes what room there is.
  void Fill() {
    const int fd = open((disk_ + "/filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::array<char, kBlock> block{1};
    while (write(fd, block.data(), block.size()) > 0) {
    }
    close(fd);
    EXPECT_EQ(FreeBytes(), 0u);
  }
  std::uint64_t FreeBytes() const {
    struct statvfs status = {};
    EXPECT_EQ(statvfs(disk_.c_str(), &status), 0);
    return std::uint64_t{status.f_bfree} * status.f_frsize;
  }
  std::vector<std::string> FilesOnDisk() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(disk_))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  // The run came to its end, and its result could not be kept.
  static void ExpectNotWritten(const Outcome& outcome, const std::string& line) {
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    EXPECT_EQ(outcome.err, line);
    EXPECT_NE(outcome.out.find("verdict     clean"), std::string::npos) << outcome.out;
  }

  const std::string disk_ = folder_ + "/disk";
  bool mounted_ = false;
};

#define MOUNT_OR_SKIP(options) \
  if (!Mount(options)) GTEST_SKIP() << "nothing can be mounted here: " << strerror(errno)

using Names = std::vector<std::string>;

// ---- Before the run ----

TEST_F(FullDisk, ADiskWithoutAnotherFileIsSaidAtOnce) {
  MOUNT_OR_SKIP("size=8k,nr_inodes=2");
  Write("disk/filler", std::string(2 * kBlock, 'x'));
  ExpectRefused({"run", "--operations=5", "--json=disk/r.json"}, {"--json", "No space left"}, 3);
  ExpectRefused({"explore", "--executions=1", "--save=disk/failures"}, {"--save", "No space"}, 3);
  ExpectRefused({"scale", "--report=disk/plots"}, {"--report", "No space"}, 3);
  EXPECT_EQ(FilesOnDisk(), Names{"filler"});
}

TEST_F(FullDisk, AFolderThatWasMadeForAFileWithoutRoomIsGone) {
  MOUNT_OR_SKIP("size=8k,nr_inodes=3");  // the disk's own folder, the filler, and one more
  Write("disk/filler", "");
  ExpectRefused({"scale", "--report=disk/plots"}, {"--report", "No space"}, 3);
  EXPECT_EQ(FilesOnDisk(), Names{"filler"});
}

TEST_F(FullDisk, SwapThatDoesNotFitIsRefused) {
  MOUNT_OR_SKIP("size=1m");
  ExpectRefused({"run", "--scenario=low-memory", "--store=file:disk/swap"},
                {"--store", "disk/swap", "4MiB of 1024 swap slots", "No space left"}, 3);
  EXPECT_EQ(FilesOnDisk(), Names{});
  EXPECT_EQ(FreeBytes(), kMiB);
}

// ---- During the run ----

// The file that a stopped process swaps to. It has no name but that of the descriptor.
int OpenSwapOf(pid_t process, const std::string& path) {
  const std::string folder = "/proc/" + std::to_string(process) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (std::filesystem::read_symlink(entry.path()).string().starts_with(path))
      return open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
  return -1;
}

// Takes the room of all blocks that hold nothing but zeroes, which they still read as. Returns how
// many there were.
std::size_t TakeRoomOfZeroes(int fd) {
  const std::array<char, kBlock> zeroes{};
  std::array<char, kBlock> block;
  std::size_t taken = 0;
  for (off_t at = 0; pread(fd, block.data(), block.size(), at) == ssize_t{kBlock}; at += kBlock) {
    if (block != zeroes) continue;
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, kBlock) == 0) ++taken;
  }
  return taken;
}

TEST_F(FullDisk, RoomThatVanishesUnderTheSwapLosesNothing) {
  MOUNT_OR_SKIP("size=34m");
  constexpr std::size_t kEnough = 1000;  // blocks, of 8192
  std::size_t taken = 0;
  Outcome outcome;
  // Once more if the run was so far on that hardly a slot was unused.
  for (int tries = 0; tries < 10 && taken < kEnough; ++tries) {
    outcome = RunAndAct({"run", "--scenario=low-memory", "--store=file:disk/swap", "--threads=2",
                         "--swap-slots=8192", "--duration=1s", "--json=r.json"},
                        [&](pid_t process) {
                          kill(process, SIGSTOP);
                          int status = 0;
                          waitpid(process, &status, WUNTRACED);
                          const int swap = OpenSwapOf(process, disk_ + "/swap");
                          taken = TakeRoomOfZeroes(swap);
                          close(swap);
                          Fill();
                          kill(process, SIGCONT);
                        });
    EXPECT_EQ(FilesOnDisk(), Names{"filler"});
    std::filesystem::remove(disk_ + "/filler");
    EXPECT_EQ(FreeBytes(), 34 * kMiB) << "the swap file is gone";
  }
  ASSERT_GE(taken, kEnough);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  const Json result = Json::parse(Read("r.json"));
  EXPECT_EQ(result["verdict"], "clean");
  EXPECT_GT(result["counters"]["page_out_errors"], 0) << outcome.out;
  EXPECT_GT(result["oracle"]["loads_checked"], 0);
}

TEST_F(FullDisk, FilesThatFindNoRoomLoseNothing) {
  MOUNT_OR_SKIP("size=1216k");  // swap, and a part of the files
  const Outcome outcome =
      Run({"run", "--scenario=files", "--store=file:disk/swap", "--threads=2", "--pages=256",
           "--swap-slots=256", "--operations=2000", "--seed=1", "--json=r.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  const Json result = Json::parse(Read("r.json"));
  EXPECT_GT(result["counters"]["page_out_errors"], 0) << outcome.out;
  EXPECT_GT(result["operations"]["file"], 0);
  EXPECT_EQ(FilesOnDisk(), Names{});
  EXPECT_EQ(FreeBytes(), 1216 * kMiB / 1024) << "the files are gone";
}

// ---- After the run ----

TEST_F(FullDisk, AFormerResultStaysWhereTheNewOneHasNoRoom) {
  MOUNT_OR_SKIP("size=64k");
  Write("disk/r.json", "{}");
  Fill();
  for (const Names& command : {Names{"run", "--operations=5"}, Names{"explore", "--executions=2"},
                               Names{"scale", "--cpus=1", "--rounds=1", "--duration=5ms"}}) {
    Names arguments = command;
    arguments.push_back("--json=disk/r.json");
    ExpectNotWritten(Run(arguments),
                     "vmstress: --json: disk/r.json cannot be written: No space left on device\n");
    EXPECT_EQ(Read("disk/r.json"), "{}");
    EXPECT_EQ(FilesOnDisk(), (Names{"filler", "r.json"}));
  }
}

TEST_F(FullDisk, OneResultWithoutRoomDoesNotLoseTheOther) {
  MOUNT_OR_SKIP("size=64k");
  Fill();
  const Names scale = {"scale", "--cpus=1", "--rounds=1", "--duration=5ms"};
  Names plot_lost = scale, json_lost = scale;
  plot_lost.insert(plot_lost.end(), {"--json=r.json", "--report=disk/plots"});
  json_lost.insert(json_lost.end(), {"--json=disk/r.json", "--report=plots"});
  ExpectNotWritten(
      Run(plot_lost),
      "vmstress: --report: disk/plots/scale.svg cannot be written: No space left on device\n");
  EXPECT_EQ(Json::parse(Read("r.json"))["verdict"], "clean");
  ExpectNotWritten(Run(json_lost),
                   "vmstress: --json: disk/r.json cannot be written: No space left on device\n");
  EXPECT_NE(Read("plots/scale.svg").find("</svg>"), std::string::npos);
  EXPECT_EQ(FilesOnDisk(), Names{"filler"}) << "nor the folder that was made for the plot";
}

TEST_F(FullDisk, AnOrderWithoutRoomIsPrintedInstead) {
  MOUNT_OR_SKIP("size=64k");
  Fill();
  Write("b.toml", "order = []\n");
  const Outcome outcome =
      Run({"lockorder", "--book=b.toml", "--format=json", "--out=disk/order.json"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.err,
            "vmstress: --out: disk/order.json cannot be written: No space left on device\n");
  EXPECT_FALSE(Json::parse(outcome.out)["edges"].empty());
  EXPECT_EQ(FilesOnDisk(), Names{"filler"});
}

TEST_F(FullDisk, AFailureWithoutRoomIsShownAndReplaysByItsSeed) {
  MOUNT_OR_SKIP("size=64k");
  Fill();
  const Outcome outcome =
      Run({"explore", "--test=abba", "--seed=1", "--save=disk/failures", "--json=e.json"});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.out;
  const std::size_t last = outcome.err.rfind('\n', outcome.err.size() - 2) + 1;
  EXPECT_EQ(outcome.err.substr(last).find("vmstress: --save: disk/failures/abba-"), 0u)
      << outcome.err;
  EXPECT_NE(outcome.err.find("LK"), std::string::npos) << "the evidence";
  const Json failure = Json::parse(Read("e.json"))["failures"][0];
  EXPECT_EQ(failure["replay"], "vmstress explore --test=abba --seed=1");
  EXPECT_EQ(FilesOnDisk(), Names{"filler"});
}

// Namespaces of his own for whoever may not mount in those that there are. Before anything starts a
// thread.
void TakeRightToMount() {
  if (geteuid() == 0) return;
  const std::string user = std::to_string(geteuid()), group = std::to_string(getegid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
}

}  // namespace
}  // namespace stress

int main(int argc, char** argv) {
  stress::TakeRightToMount();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
