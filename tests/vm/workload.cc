#include "tests/vm/workload.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "locking/evidence.h"
#include "locking/finding.h"
#include "locking/random.h"
#include "locking/thread.h"
#include "tests/vm/in_dialect.h"
#include "tests/vm/slow_store.h"
#include "vm/check.h"
#include "vm/contiguous.h"
#include "vm/page_alloc.h"
#include "vm/page_busy.h"
#include "vm/page_cow.h"
#include "vm/page_grab.h"
#include "vm/page_release.h"
#include "vm/pager/making_pagers.h"
#include "vm/system.h"

namespace vm {
namespace {

constexpr std::uint32_t kPageSize = 512;
constexpr std::uint32_t kMaxProcesses = 4;  // of one thread, the shared one included
constexpr std::uint32_t kRangePages = 2;    // of a wiring or a remap
constexpr std::uint32_t kForksThatTidyUp = 3;

void Check(bool condition, const char* id, const std::string& what) {
  if (!condition) locking::FailInvariant(id, what);
}

// The run goes on: what the sweeps find at its end says more.
void ReportWrongData(const char* id, const char* title) {
  locking::Finding finding;
  finding.id = id;
  finding.title = title;
  finding.threads.push_back(locking::EvidenceOfCaller(""));
  locking::ReportFinding(std::move(finding));
}

// Reports all of them; a machine that is wrong goes no further.
void CheckFindings(std::vector<locking::Finding> findings) {
  if (findings.empty()) return;
  locking::Finding last = std::move(findings.back());
  findings.pop_back();
  for (locking::Finding& finding : findings) locking::ReportFinding(std::move(finding));
  locking::Fail(std::move(last));
}

void CheckOk(Result result, const char* operation) {
  Check(result == Result::kOk, "FAILED", std::string(operation) + ": " + ResultName(result));
}

// One thread of the load.
class Worker {
 public:
  Worker(System& system, const Workload& workload, Space* shared, Address base,
         std::uint32_t number, std::uint64_t seed)
      : system_(system),
        workload_(workload),
        base_(base),
        number_(number),
        cpu_(system.cpu(number % system.config().cpus)),
        random_(seed) {
    processes_.push_back({shared, std::vector<std::uint64_t>(workload.mapped, 0),
                          std::vector<bool>(workload.mapped, false)});
  }

  void Run() {
    for (std::uint32_t i = 0; i < workload_.operations; ++i) Step();
    if (wired_) Unwire();
    while (processes_.size() > 1) Exit();
    for (std::uint32_t page = 0; page < workload_.mapped; ++page) CheckWord(processes_[0], page);
  }

 private:
  // An address space, and what this thread's word in each page must read as.
  struct Process {
    Space* space;
    std::vector<std::uint64_t> words;
    std::vector<bool> may_be_lost;  // reads as zero too, and from then on does
  };

  void Step() {
    const WorkloadMix& mix = workload_.mix;
    const std::pair<std::uint32_t, void (Worker::*)()> operations[] = {
        {mix.store, &Worker::Store}, {mix.load, &Worker::Load},
        {mix.fork, &Worker::Fork},   {mix.exit, &Worker::Exit},
        {mix.wire, &Worker::Wire},   {mix.remap, &Worker::Remap},
        {mix.send, &Worker::Send},   {mix.run, &Worker::TakeRun},
        {mix.cache, &Worker::Cache}, {mix.grab, &Worker::Grab},
        {mix.clip, &Worker::Clip},   {mix.forget, &Worker::Forget},
        {mix.sync, &Worker::Sync},   {mix.device, &Worker::WireDevice}};
    std::uint32_t total = 0;
    for (const auto& [weight, operation] : operations) total += weight;
    std::uint32_t pick = random_.Below(total);
    for (const auto& [weight, operation] : operations) {
      if (pick < weight) {
        (this->*operation)();
        return;
      }
      pick -= weight;
    }
  }

  Process& AnyProcess() {
    return processes_[random_.Below(static_cast<std::uint32_t>(processes_.size()))];
  }
  std::uint32_t AnyPage() { return random_.Below(workload_.mapped); }
  // Says where it was stored, and counts up: a later store has the greater value.
  std::uint64_t ValueOf(std::uint32_t page, std::uint32_t store) const {
    return (std::uint64_t{number_ + 1} << 48) + (std::uint64_t{page} << 32) + store;
  }
  static std::uint64_t PlaceOf(std::uint64_t value) { return value >> 32; }
  Address WordOf(std::uint32_t page) const {
    return base_ + std::uint64_t{page} * kPageSize + 8 * number_;
  }

  void Store() {
    Process& process = AnyProcess();
    const std::uint32_t page = AnyPage();
    const std::uint64_t value = ValueOf(page, ++last_store_);
    CheckOk(process.space->Store(cpu_, WordOf(page), value), "a store");
    process.words[page] = value;
    process.may_be_lost[page] = false;
  }

  void Load() { CheckWord(AnyProcess(), AnyPage()); }

  void CheckWord(Process& process, std::uint32_t page) {
    std::uint64_t value = 0;
    CheckOk(process.space->Load(cpu_, WordOf(page), &value), "a load");
    if (value == 0 && process.may_be_lost[page]) {
      process.words[page] = 0;
      process.may_be_lost[page] = false;
    }
    const std::uint64_t expected = process.words[page];
    if (value == expected) return;
    if (value != 0 && PlaceOf(value) != PlaceOf(ValueOf(page, 0)))
      ReportWrongData("INV-50", "a word reads as what was stored to another one");
    else if (value > expected)
      ReportWrongData("INV-48", "a word reads as what another process stored");
    else
      ReportWrongData("INV-49", "a word does not read as what was last stored to it");
  }

  void Fork() {
    if (processes_.size() == kMaxProcesses) return Exit();
    Process& parent = AnyProcess();
    Space* child = parent.space->Fork();
    Check(child != nullptr, "FAILED", "a fork");
    Process forked{child, parent.words, parent.may_be_lost};
    processes_.push_back(std::move(forked));
  }

  void Exit() {
    if (processes_.size() == 1) return;
    const auto victim =
        processes_.begin() + 1 + random_.Below(static_cast<std::uint32_t>(processes_.size()) - 1);
    Space* space = victim->space;
    processes_.erase(victim);
    space->Exit();
  }

  // A range of the shared space, whose pages must keep their contents.
  void Wire() {
    if (wired_) return Unwire();
    wired_page_ = random_.Below(workload_.mapped - kRangePages + 1);
    CheckOk(processes_[0].space->Wire(PageAddress(wired_page_), kRangePages * kPageSize), "wiring");
    wired_ = true;
  }
  void Unwire() {
    CheckOk(processes_[0].space->Unwire(PageAddress(wired_page_), kRangePages * kPageSize),
            "unwiring");
    wired_ = false;
  }
  Address PageAddress(std::uint32_t page) const { return base_ + std::uint64_t{page} * kPageSize; }

  // Behind the region: see MapDevice.
  void WireDevice() {
    Space* space = processes_[0].space;
    const Address device = PageAddress(workload_.mapped);
    CheckOk(space->Wire(device, kRangePages * kPageSize), "wiring a device");
    CheckOk(space->Unwire(device, kRangePages * kPageSize), "unwiring a device");
  }

  // So that a fork splits the object of the region.
  void Clip() {
    CheckOk(
        AnyProcess().space->SetInheritance(PageAddress(AnyPage()), kPageSize, Inheritance::kCopy),
        "an inheritance");
  }

  // Only this thread uses a forked space.
  void Forget() {
    if (processes_.size() == 1) return Fork();
    Process& process =
        processes_[1 + random_.Below(static_cast<std::uint32_t>(processes_.size()) - 1)];
    const std::uint32_t page = AnyPage();
    CheckOk(process.space->Advise(PageAddress(page), kPageSize, Advice::kFree), "advice");
    process.may_be_lost[page] = true;
  }

  void Remap() {
    Space* space = processes_[0].space;
    Address start = 0;
    CheckOk(space->MapAnonymous(base_ + std::uint64_t{workload_.mapped} * kPageSize,
                                kRangePages * kPageSize, Protection::kReadWrite, Inheritance::kCopy,
                                &start),
            "mapping");
    for (std::uint32_t page = 0; page < kRangePages; ++page) {
      const Address va = start + page * kPageSize + 8 * number_;
      std::uint64_t value = 0;
      CheckOk(space->Load(cpu_, va, &value), "a load of new memory");
      if (value != 0) ReportWrongData("INV-50", "new memory does not read as zero");
      CheckOk(space->Store(cpu_, va, ~0ull), "a store to new memory");
      CheckOk(space->Load(cpu_, va, &value), "a load of new memory");
      if (value != ~0ull)
        ReportWrongData("INV-49", "a word does not read as what was last stored to it");
    }
    CheckOk(space->Unmap(start, kRangePages * kPageSize), "unmapping");
  }

  // What is on its way out stays as it was lent.
  void Send() {
    const std::uint32_t page = AnyPage();
    Page* lent = nullptr;
    CheckOk(processes_[0].space->LendPage(PageAddress(page), &lent), "lending");
    const std::uint64_t sent = OwnWordOf(*lent);
    if (sent != processes_[0].words[page])
      ReportWrongData("INV-49", "a page is sent that lacks what was last stored to it");
    const std::uint64_t value = ValueOf(page, ++last_store_);
    CheckOk(processes_[0].space->Store(cpu_, WordOf(page), value), "a store");
    processes_[0].words[page] = value;
    if (OwnWordOf(*lent) != sent)
      ReportWrongData("INV-48", "a page changed while it was lent to a sender");
    ReturnPage(system_, *lent);
  }
  std::uint64_t OwnWordOf(const Page& page) {
    std::uint64_t word;
    std::memcpy(&word, &system_.FrameBytes(page)[8 * number_], sizeof(word));
    return word;
  }

  void TakeRun() {
    std::span<Page> run;
    const ContiguousRequest request{.count = kRangePages, .alignment = kRangePages};
    if (AllocateContiguous(system_, request, &run) != Result::kOk) return;
    for (Page& page : run) std::ranges::fill(system_.FrameBytes(page), std::byte{0x5A});
    locking::Yield();
    for (Page& page : run) {
      const auto bytes = system_.FrameBytes(page);
      Check(std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0x5A}; }),
            "INV-42", "somebody writes to a frame of a run that is not theirs");
    }
    FreeContiguous(system_, run);
  }

  // Calls act(object, index, page) with the object of the shared memory locked, if that is there;
  // nullptr: the page is not resident.
  template <typename Act>
  void WithPage(std::uint32_t page, Act act) LOCKING_NO_ANALYSIS {
    Map& map = processes_[0].space->map();
    locking::ReadGuard map_guard(map.lock);
    const MapEntry* entry = map.Lookup(PageAddress(page));
    if (entry->object == nullptr) return;
    ObjectGuard guard(entry->object->lock);
    const Pindex index = entry->offset + system_.BytesToPages(PageAddress(page) - entry->start);
    act(*entry->object, index, LookupPage(*entry->object, index));
  }
  void Cache() {
    for (std::uint32_t page = 0; page < workload_.mapped; ++page)
      WithPage(page, [this](Object& object, Pindex, Page* resident) LOCKING_NO_ANALYSIS {
        if (resident != nullptr) (void)TryToCachePage(system_, object, *resident);
      });
  }
  void Sync() {
    Vnode* vnode = nullptr;
    WithPage(0, [&](Object& object, Pindex, Page*) LOCKING_NO_ANALYSIS { vnode = object.vnode; });
    CheckOk(SyncVnode(system_, *vnode), "a sync");
  }
  // Paging in progress keeps the object where it is.
  void Grab() LOCKING_NO_ANALYSIS {
    Object* object = nullptr;
    Pindex index = 0;
    WithPage(AnyPage(), [&](Object& first, Pindex at, Page* resident) LOCKING_NO_ANALYSIS {
      if (resident == nullptr) return;
      PagingBegin(first);
      object = &first;
      index = at;
    });
    if (object == nullptr) return;
    ObjectGuard guard(object->lock);
    Page* page = GrabPage(system_, *object, index, {});
    if (page != nullptr && page->valid != 0) {
      object->lock.Unlock();
      locking::Yield();
      object->lock.Lock();
      UnbusyPage(system_, *object, *page);
    } else if (page != nullptr) {
      FreePage(system_, *object, *page);  // it went meanwhile, to where a fault finds it
    }
    PagingEnd(system_, *object);
  }

  System& system_;
  const Workload& workload_;
  const Address base_;
  const std::uint32_t number_;
  Cpu& cpu_;
  locking::Random random_;
  std::vector<Process> processes_;  // the shared one first
  std::uint32_t last_store_ = 0;
  bool wired_ = false;
  std::uint32_t wired_page_ = 0;
};

// A device that shows the machine's own first frames, which have pages of their own.
void MapDevice(System& system, Space& space, Address at) {
  Object* device = AllocateDeviceObject(system, 0, kRangePages);
  Address start = 0;
  CheckOk(space.MapObject(at, kRangePages * kPageSize, *device, 0, Protection::kRead, &start),
          "mapping a device");
  Check(start == at, "FAILED", "a device is mapped elsewhere");
  DeallocateObject(system, device);
}

// When the last fork has exited, further ones leave nothing that only one shadow looks through. Not
// the first: of two pieces of a region the second may go past what the first then has for itself.
void CheckThatChainsAreShort(Space& space) LOCKING_NO_ANALYSIS {
  for (std::uint32_t i = 0; i < kForksThatTidyUp; ++i) {
    Space* child = space.Fork();
    Check(child != nullptr, "FAILED", "a fork");
    child->Exit();
  }
  locking::ReadGuard guard(space.map().lock);
  for (const auto& [start, entry] : space.map().entries) {
    if (entry.object == nullptr) continue;
    ObjectGuard object_guard(entry.object->lock);
    Object* backer = entry.object->backing;
    if (backer == nullptr) continue;
    ObjectGuard backer_guard(backer->lock);
    Check(backer->ref_count > 1 || !backer->anonymous(), "INV-39",
          "an object that one shadow looks through outlives all forks");
  }
}

}  // namespace

EventCounts RunWorkload(const Workload& workload, std::uint64_t seed) {
  System system(
      InDialect({.pages = workload.pages,
                 .page_size = kPageSize,
                 .cpus = 2,
                 .swap_slots = workload.swap_slots,
                 .idle_zero = workload.idle_zero}),
      MakeSlowStore(MakeMemoryStore(workload.swap_slots, kPageSize), workload.failing_writes));
  if (workload.daemon) system.Start();
  Space* shared = system.CreateSpace();
  Address base = 0;
  const std::uint64_t bytes = std::uint64_t{workload.mapped} * kPageSize;
  const std::unique_ptr<BackingFile> file = MakeMemoryFile(bytes);
  Vnode* vnode = nullptr;
  if (workload.file) {
    CheckOk(file->Truncate(bytes), "extending a file");
    vnode = OpenVnode(system, *file);
    CheckOk(shared->MapFile(0, bytes, *vnode, 0, Protection::kReadWrite, Space::Sharing::kShared,
                            &base),
            "mapping");
  } else {
    CheckOk(shared->MapAnonymous(0, bytes, Protection::kReadWrite, Inheritance::kCopy, &base),
            "mapping");
  }
  if (workload.mix.device != 0) MapDevice(system, *shared, base + bytes);
  {
    locking::Random random(seed);
    std::vector<Worker> workers;
    for (std::uint32_t i = 0; i < workload.threads; ++i)
      workers.emplace_back(system, workload, shared, base, i, random.Next());
    std::vector<locking::Thread> threads;
    for (Worker& worker : workers)
      threads.emplace_back("worker " + std::to_string(threads.size()), [&worker] { worker.Run(); });
    for (locking::Thread& thread : threads) thread.Join();
  }
  system.Stop();
  CheckFindings(CheckSystem(system));
  CheckThatChainsAreShort(*shared);
  shared->Exit();
  if (vnode != nullptr) CheckOk(ReleaseVnode(system, vnode), "closing a file");
  CheckFindings(CheckNoLeaks(system));
  EventCounts counts{};
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = system.counters().Get(static_cast<Event>(i));
  return counts;
}

}  // namespace vm
