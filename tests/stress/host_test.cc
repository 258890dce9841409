// What the host allows, read from files of a folder that stands for the host's root.
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "locking/thread.h"
#include "stress/host/cgroup.h"
#include "stress/host/machine.h"

namespace stress {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

class Host : public testing::Test {
 protected:
  Host() {
    const char* base = std::getenv("TEST_TMPDIR");
    std::string pattern = std::string(base == nullptr ? "/tmp" : base) + "/hostXXXXXX";
    root_ = mkdtemp(pattern.data());
    Cores("0-7", "0-7");
  }
  ~Host() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_ + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  void Cores(const std::string& online, const std::string& allowed) {
    Write("/sys/devices/system/cpu/online", online + "\n");
    Write("/proc/self/status",
          "Name:\tvmstress\nCpus_allowed:\tff\nCpus_allowed_list:\t" + allowed + "\n");
  }

  std::string root_;
};

TEST_F(Host, CoresAreThoseOnlineAndInTheAffinityMask) {
  EXPECT_EQ(UsableCores(root_), 8u);
  Cores("0-7", "1,3-4,6");
  EXPECT_EQ(AllowedCores(root_), (std::vector<std::uint32_t>{1, 3, 4, 6}));
  EXPECT_EQ(UsableCores(root_), 4u);
  Cores("0-3", "2-1023");
  EXPECT_EQ(AllowedCores(root_), (std::vector<std::uint32_t>{2, 3}));
}

TEST_F(Host, AHostThatSaysNothingHasOneCore) {
  EXPECT_EQ(UsableCores(root_ + "/absent"), 1u);
  Cores("nonsense", "0-x");
  EXPECT_EQ(UsableCores(root_), 1u);
}

TEST_F(Host, AnUnreadableMaskLeavesTheCoresOnline) {
  Cores("0-5", "");
  EXPECT_EQ(UsableCores(root_), 6u);
}

TEST_F(Host, AQuotaOfGroupsV2IsRoundedUp) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(UsableCores(root_), 8u);
  Write("/sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(UsableCores(root_), 2u);
  Write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(UsableCores(root_), 1u);
  Write("/sys/fs/cgroup/cpu.max", "6400000 100000\n");
  EXPECT_EQ(UsableCores(root_), 8u) << "the mask is narrower";
}

TEST_F(Host, AQuotaOfGroupsV1IsRoundedUp) {
  Write("/proc/self/cgroup", "4:memory:/x\n3:cpuset:/\n2:cpu,cpuacct:/job\n0::/\n");
  Write("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
  Write("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(UsableCores(root_), 8u);
  Write("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "210000\n");
  EXPECT_EQ(UsableCores(root_), 3u);
}

TEST_F(Host, TheNarrowestGroupAboveCounts) {
  Write("/proc/self/cgroup", "0::/pod/container\n");
  Write("/sys/fs/cgroup/pod/container/cpu.max", "500000 100000\n");
  Write("/sys/fs/cgroup/pod/cpu.max", "300000 100000\n");
  EXPECT_EQ(CgroupCores(root_), 3u);
  Write("/sys/fs/cgroup/pod/cpu.max", "900000 100000\n");
  EXPECT_EQ(CgroupCores(root_), 5u);
}

TEST_F(Host, AContainerThatSeesThePathOfItsHostHasTheRootsLimit) {
  Write("/proc/self/cgroup", "2:cpu:/docker/0123\n4:memory:/docker/0123\n");
  Write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  Write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", std::to_string(512 * kMiB));
  EXPECT_EQ(CgroupCores(root_), 4u);
  EXPECT_EQ(CgroupMemoryLeft(root_), 512 * kMiB);
}

TEST_F(Host, MemoryLeftIsTheLimitWithoutWhatIsUsedAndNotCache) {
  Write("/proc/meminfo", "MemTotal: 9999999 kB\nMemAvailable: 1048576 kB\n");
  EXPECT_EQ(AvailableMemoryBytes(root_), 1024 * kMiB);
  Write("/proc/self/cgroup", "0::/job\n");
  Write("/sys/fs/cgroup/job/memory.max", "max\n");
  EXPECT_EQ(AvailableMemoryBytes(root_), 1024 * kMiB);
  Write("/sys/fs/cgroup/job/memory.max", std::to_string(300 * kMiB));
  Write("/sys/fs/cgroup/job/memory.current", std::to_string(150 * kMiB));
  EXPECT_EQ(AvailableMemoryBytes(root_), 150 * kMiB);
  Write("/sys/fs/cgroup/job/memory.stat",
        "anon 1\ninactive_file " + std::to_string(100 * kMiB) + "\nactive_file 7\n");
  EXPECT_EQ(AvailableMemoryBytes(root_), 250 * kMiB);
  Write("/sys/fs/cgroup/job/memory.current", std::to_string(500 * kMiB));
  EXPECT_EQ(AvailableMemoryBytes(root_), 0u);
}

TEST_F(Host, MemoryOfGroupsV1) {
  Write("/proc/meminfo", "MemAvailable: 1048576 kB\n");
  Write("/proc/self/cgroup", "5:memory:/job\n");
  const std::string group = "/sys/fs/cgroup/memory/job/memory.";
  Write(group + "limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(AvailableMemoryBytes(root_), 1024 * kMiB);
  Write(group + "limit_in_bytes", std::to_string(200 * kMiB));
  Write(group + "usage_in_bytes", std::to_string(120 * kMiB));
  Write(group + "stat", "total_inactive_file " + std::to_string(20 * kMiB) + "\n");
  EXPECT_EQ(AvailableMemoryBytes(root_), 100 * kMiB);
}

TEST(ThisHost, HasCoresAndMemory) {
  EXPECT_GE(UsableCores(), 1u);
  EXPECT_LE(UsableCores(), AllowedCores().size());
  EXPECT_GT(AvailableMemoryBytes(), 0u);
}

TEST(ThisHost, AThreadThatIsPinnedStaysOnItsCore) {
  const std::vector<std::uint32_t> before = AllowedCores();
  const std::uint32_t core = before.back();
  locking::Thread thread("pinned", [core, before] {
    ASSERT_TRUE(PinThread(core));
    cpu_set_t set;
    ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    EXPECT_EQ(CPU_COUNT(&set), 1);
    EXPECT_TRUE(CPU_ISSET(core, &set));
    EXPECT_EQ(AllowedCores(), before) << "of the process, not of the thread";
  });
  thread.Join();
  EXPECT_FALSE(PinThread(60'000)) << "there is no such core";
}

}  // namespace
}  // namespace stress
