// What sweeps let through for files and devices is let through for them alone.
#include <set>
#include <string>

#include "tests/vm/files.h"
#include "vm/check.h"
#include "vm/pager/making_pagers.h"

namespace vm {
namespace {

constexpr std::uint32_t kPages = 4;

std::set<std::string> IdsOf(System& system) {
  std::set<std::string> ids;
  for (const locking::Finding& finding : CheckSystem(system)) ids.insert(finding.id);
  return ids;
}
using Ids = std::set<std::string>;

// A machine with a planted fault cannot be taken down: each is kept to the end of the process.
template <typename MachineType>
MachineType& Keep(MachineType* machine) {
  static auto& machines = *new std::vector<MachineType*>;
  return *machines.emplace_back(machine);
}

class FileSweep : public testing::Test {
 protected:
  FileMachine& machine_ = Keep(new FileMachine(kPages));
};

// A truncation leaves a wired page where it is, and takes its contents.
TEST_F(FileSweep, Inv06PageBeyondTheEndOfAFileHasContents) {
  const Address va = machine_.Shared(kPages);
  machine_.Load(machine_.space, va + (kPages - 1) * kTestPageSize);
  EXPECT_EQ(IdsOf(machine_.system), Ids{});
  machine_.object().size = kPages - 1;
  EXPECT_EQ(IdsOf(machine_.system), Ids{"INV-06"});
}

TEST_F(FileSweep, Inv34TheShadowOfAFileMayReachBeyondItsEnd) {
  const Address va = machine_.Private(kPages);
  machine_.Store(machine_.space, va, 1);
  EXPECT_EQ(TruncateVnode(machine_.system, *machine_.vnode, kTestPageSize), Result::kOk);
  EXPECT_EQ(IdsOf(machine_.system), Ids{});
}

TEST_F(FileSweep, Inv32RevokedFileThatNobodyUses) {
  machine_.Shared(kPages);
  Object& object = machine_.object();
  RevokeVnode(machine_.system, *machine_.vnode);
  EXPECT_EQ(IdsOf(machine_.system), Ids{});
  object.ref_count = 0;
  machine_.space->map().entries.clear();
  machine_.space->map().size = 0;
  EXPECT_EQ(IdsOf(machine_.system), Ids{"INV-32"});
}

struct DeviceMachine : Machine {
  DeviceMachine() {
    EXPECT_EQ(space->MapObject(0, kPages * kTestPageSize, device, 0, Protection::kReadWrite, &va),
              Result::kOk);
    Store(space, va, 1);
    EXPECT_EQ(IdsOf(system), Ids{});
  }

  Space* space = system.CreateSpace();
  // It shows the first frames of the machine's own memory.
  Object& device = *AllocateDeviceObject(system, 0, kPages);
  Address va = 0;
};

class DeviceSweep : public testing::Test {
 protected:
  // Puts a shadow of so many pages before the device, as a private mapping would.
  void Shadow(Pindex pages) {
    MapEntry& entry = *machine_.space->map().Lookup(machine_.va);
    ShadowObject(machine_.system, &entry.object, &entry.offset, pages);
  }

  DeviceMachine& machine_ = Keep(new DeviceMachine);
};

// Whoever made it may have a reference, but one alone.
TEST_F(DeviceSweep, Inv32DeviceWithTwoReferencesThatNobodyKnowsOf) {
  ++machine_.device.ref_count;
  EXPECT_EQ(IdsOf(machine_.system), Ids{"INV-32"});
}

TEST_F(DeviceSweep, Inv32DeviceThatNobodyUsesAndThatHasNotEnded) {
  Object& unused = *AllocateDeviceObject(machine_.system, 0, kPages);
  EXPECT_EQ(IdsOf(machine_.system), Ids{});
  unused.ref_count = 0;
  EXPECT_EQ(IdsOf(machine_.system), Ids{"INV-32"});
}

TEST_F(DeviceSweep, Inv34ShadowReachesBeyondItsDevice) {
  machine_.space->pmap().Protect(0, machine_.space->pmap().limit(), Protection::kRead);
  Shadow(kPages + 1);
  EXPECT_EQ(IdsOf(machine_.system), Ids{"INV-34"});
}

// The page of a device that a private mapping looks through to.
TEST_F(DeviceSweep, Inv43WritableMappingOfAPageOfADeviceBehindAShadow) {
  Shadow(kPages);
  EXPECT_EQ(IdsOf(machine_.system), Ids{"INV-43"});
}

}  // namespace
}  // namespace vm
