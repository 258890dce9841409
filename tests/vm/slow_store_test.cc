// A store whose calls take as long as the test says: who waits for them, and who does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "locking/witness/scoped_witness.h"
#include "tests/vm/machine.h"
#include "vm/laundry.h"
#include "vm/page_alloc.h"
#include "vm/reclaim.h"

namespace vm {
namespace {

const locking::LockClass kGateLock("test gate", locking::LockKind::kMutex);
const locking::LockClass kGateClosed("test gate closed", locking::LockKind::kResource);
const locking::LockClass kGateReached("test gate reached", locking::LockKind::kResource);

// A memory store with a gate before its writes, and one before its reads.
class GateStore final : public Store {
 public:
  enum class Kind : std::uint8_t { kWrite, kRead };

  explicit GateStore(std::uint32_t slots) : memory_(MakeMemoryStore(slots, kTestPageSize)) {}

  Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override {
    const Result result = Pass(Kind::kWrite);
    return result == Result::kOk ? memory_->Write(slot, pages) : result;
  }
  Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override {
    const Result result = Pass(Kind::kRead);
    return result == Result::kOk ? memory_->Read(slot, pages) : result;
  }

  void Close(Kind kind) {
    locking::MutexGuard guard(lock_);
    closed_ |= Bit(kind);
  }
  void FailNextWrites(std::uint32_t count) {
    locking::MutexGuard guard(lock_);
    failing_ = count;
  }
  // Whoever waits goes on, and its call ends with `result`.
  void Open(Result result = Result::kOk) {
    locking::MutexGuard guard(lock_);
    closed_ = 0;
    result_ = result;
    sleepers_.WakeAll(&closed_);
  }
  void AwaitCallers(std::uint32_t count) {
    locking::MutexGuard guard(lock_);
    while (waiting_ < count)
      sleepers_.SleepKeep(&waiting_, lock_, {.resource_class = &kGateReached}).AndRetry();
  }
  // The most locks that a caller held.
  std::uint32_t most_held() {
    locking::MutexGuard guard(lock_);
    return most_held_;
  }

 private:
  static std::uint32_t Bit(Kind kind) { return 1u << static_cast<unsigned>(kind); }

  // Without the resources, of which the pages of the call are one.
  static std::uint32_t LocksHeld() {
    std::uint32_t locks = 0;
    const locking::HeldLocks& held = locking::Self().held;
    for (std::uint32_t i = 0; i < held.size(); ++i)
      if (held.at(i).lock_class.load()->kind() != locking::LockKind::kResource) ++locks;
    return locks;
  }

  Result Pass(Kind kind) {
    const std::uint32_t held = LocksHeld();
    locking::MutexGuard guard(lock_);
    EXPECT_GE(LocksHeld(), 1u) << "held locks are not counted";
    most_held_ = std::max(most_held_, held);
    ++waiting_;
    sleepers_.WakeAll(&waiting_);
    while ((closed_ & Bit(kind)) != 0)
      sleepers_.SleepKeep(&closed_, lock_, {.resource_class = &kGateClosed}).AndRetry();
    --waiting_;
    if (kind == Kind::kWrite && failing_ > 0) {
      --failing_;
      return Result::kIoError;
    }
    return result_;
  }

  const std::unique_ptr<Store> memory_;
  locking::Mutex lock_{kGateLock};
  locking::SleepQueue sleepers_;
  std::uint32_t closed_ LOCKING_GUARDED_BY(lock_) = 0;
  Result result_ LOCKING_GUARDED_BY(lock_) = Result::kOk;
  std::uint32_t failing_ LOCKING_GUARDED_BY(lock_) = 0;
  std::uint32_t waiting_ LOCKING_GUARDED_BY(lock_) = 0;
  std::uint32_t most_held_ LOCKING_GUARDED_BY(lock_) = 0;
};

constexpr std::uint32_t kPages = 64;

class SlowStoreTest : public testing::Test {
 protected:
  using Kind = GateStore::Kind;

  SlowStoreTest() {
    machine_ = std::make_unique<Machine>(kPages, 512, 4, std::unique_ptr<Store>(store));
    space = system().CreateSpace();
    start_ = machine_->Map(space, 200);
    // Not adjacent, so that it has an object of its own.
    EXPECT_EQ(space->MapAnonymous(At(201), 20 * kTestPageSize, Protection::kReadWrite,
                                  Inheritance::kCopy, &other_),
              Result::kOk);
  }
  ~SlowStoreTest() override {
    system().Stop();
    space->Exit();
    EXPECT_EQ(system().swap().used(), 0u);
    EXPECT_EQ(system().free_queue().free_count(), kPages);
    machine_.reset();
  }

  System& system() { return machine_->system; }
  Address At(std::uint32_t page) const { return start_ + page * kTestPageSize; }
  Address OtherAt(std::uint32_t page) const { return other_ + page * kTestPageSize; }
  Result StoreAt(Address va, std::uint64_t value) {
    return space->Store(system().cpu(0), va, value);
  }
  Result LoadAt(Address va, std::uint64_t* value) {
    return space->Load(system().cpu(1), va, value);
  }
  void Fill(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t page = first; page < first + count; ++page)
      EXPECT_EQ(StoreAt(At(page), page + 1), Result::kOk);
  }
  void ExpectFilled(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t page = first; page < first + count; ++page) {
      std::uint64_t value = 0;
      EXPECT_EQ(LoadAt(At(page), &value), Result::kOk);
      EXPECT_EQ(value, page + 1);
    }
  }
  Page* PageAt(std::uint32_t page) { return machine_->FirstPage(space, At(page)); }
  // By the calling thread.
  std::uint32_t PageOut(std::uint32_t first, std::uint32_t count) LOCKING_NO_ANALYSIS {
    Object* object = PageAt(first)->object;
    ObjectGuard guard(object->lock);
    std::vector<Page*> pages;
    for (std::uint32_t page = first; page < first + count; ++page)
      pages.push_back(LookupPage(*object, page));
    return system().swap().PageOut(*object, pages);
  }
  void Deactivate(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t i = first; i < first + count; ++i) {
      Page* page = PageAt(i);
      page->referenced.Store(false);
      Pmap::TestAndClearReferenced(system(), *page);
      PageRoleGuard guard(system().queues().PageLock(*page));
      system().queues().Deactivate(*page);
    }
  }
  // Pages [0, count) are in swap alone.
  void SwapOut(std::uint32_t count) LOCKING_NO_ANALYSIS {
    Fill(0, count);
    Object* object = PageAt(0)->object;
    EXPECT_EQ(PageOut(0, count), count);
    Deactivate(0, count);
    ObjectGuard guard(object->lock);
    for (std::uint32_t page = 0; page < count; ++page)
      EXPECT_EQ(ReclaimPage(system(), *object, *LookupPage(*object, page)), Reclaimed::kYes);
  }
  // What needs neither page 0 nor its I/O.
  void UseTheRest() {
    for (std::uint32_t page = 0; page < 4; ++page)
      EXPECT_EQ(StoreAt(OtherAt(page), 1), Result::kOk);
    EXPECT_EQ(StoreAt(At(30), 31), Result::kOk) << "a resident page of the same object";
    EXPECT_EQ(StoreAt(At(31), 32), Result::kOk) << "a new page of the same object";
    Space* child = space->Fork();
    ASSERT_NE(child, nullptr);
    EXPECT_EQ(StoreAt(OtherAt(0), 2), Result::kOk);
    child->Exit();
  }
  std::uint64_t Count(Event event) { return system().counters().Get(event); }

  GateStore* const store = new GateStore(512);  // the machine's
  Space* space = nullptr;

 private:
  locking::ScopedWitness witness_;  // so that held locks are listed
  std::unique_ptr<Machine> machine_;
  Address start_ = 0;
  Address other_ = 0;
};

TEST_F(SlowStoreTest, NoLockIsHeldOverACall) {
  system().Start();
  Fill(0, 200);
  ExpectFilled(0, 200);
  EXPECT_EQ(space->Wire(At(0), 8 * kTestPageSize), Result::kOk);
  Space* child = space->Fork();
  ASSERT_NE(child, nullptr);
  Fill(0, 100);
  child->Exit();
  EXPECT_GT(Count(Event::kPageIn), 0u);
  EXPECT_GT(Count(Event::kPageOut), 0u);
  EXPECT_EQ(store->most_held(), 0u);
}

TEST_F(SlowStoreTest, AReadKeepsNobodyWaitingWhoDoesNotNeedIt) {
  SwapOut(16);
  Fill(30, 1);
  store->Close(Kind::kRead);
  std::uint64_t value = 0;
  locking::Thread reader("reader", [&] { EXPECT_EQ(LoadAt(At(0), &value), Result::kOk); });
  store->AwaitCallers(1);
  UseTheRest();
  store->Open();
  reader.Join();
  EXPECT_EQ(value, 1u);
  ExpectFilled(1, 15);
}

TEST_F(SlowStoreTest, TwoFaultsOnOnePageAreOneRead) {
  SwapOut(1);
  store->Close(Kind::kRead);
  std::vector<locking::Thread> readers;
  for (int i = 0; i < 2; ++i) readers.emplace_back("reader", [&] { ExpectFilled(0, 1); });
  store->AwaitCallers(1);
  while (Count(Event::kBusyWait) == 0) locking::Yield();
  store->Open();
  for (locking::Thread& reader : readers) reader.Join();
  EXPECT_EQ(Count(Event::kPageIn), 1u);
}

TEST_F(SlowStoreTest, AWriteKeepsNobodyWaitingWhoDoesNotNeedIt) {
  Fill(0, 8);
  Fill(30, 1);
  store->Close(Kind::kWrite);
  locking::Thread writer("writer", [&] { EXPECT_EQ(PageOut(0, 8), 8u); });
  store->AwaitCallers(1);
  ExpectFilled(0, 8);  // what is written may be read
  UseTheRest();
  store->Open();
  writer.Join();
}

TEST_F(SlowStoreTest, AReadThatFailsTellsEveryoneWhoWaitsAndLosesNothing) {
  SwapOut(2);
  store->Close(Kind::kRead);
  std::vector<locking::Thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back("reader", [&] {
      std::uint64_t value = 0;
      EXPECT_EQ(LoadAt(At(1), &value), Result::kIoError);
    });
  store->AwaitCallers(1);
  while (Count(Event::kBusyWait) == 0) locking::Yield();
  store->Open(Result::kIoError);
  for (locking::Thread& reader : readers) reader.Join();
  EXPECT_EQ(Count(Event::kPageInError), 2u);
  EXPECT_EQ(PageAt(1), nullptr);
  store->Open();
  ExpectFilled(0, 2);
}

TEST_F(SlowStoreTest, AWriteThatFailsWakesWhoWaitsAndThePageStaysDirty) {
  for (const Result error : {Result::kIoError, Result::kNoSpace}) {
    Fill(0, 4);
    const std::uint64_t errors = Count(Event::kPageOutError);
    const std::uint64_t waits = Count(Event::kBusyWait);
    store->Open();
    store->Close(Kind::kWrite);
    locking::Thread pager("pager", [&] { EXPECT_EQ(PageOut(0, 4), 0u); });
    store->AwaitCallers(1);
    locking::Thread writer("writer", [&] { Fill(2, 1); });
    while (Count(Event::kBusyWait) == waits) locking::Yield();
    store->Open(error);
    pager.Join();
    writer.Join();
    EXPECT_EQ(Count(Event::kPageOutError), errors + 4);
    for (std::uint32_t page = 0; page < 4; ++page) {
      EXPECT_FALSE(PageAt(page)->busied());
      EXPECT_NE(PageAt(page)->dirty.Peek(), 0u);
    }
    EXPECT_EQ(system().swap().used(), 0u);
    ExpectFilled(0, 4);
  }
}

TEST_F(SlowStoreTest, AnObjectEndsWhenItsWriteHas) {
  Fill(0, 4);
  store->Close(Kind::kWrite);
  locking::Thread pager("pager", [&] { PageOut(0, 4); });
  store->AwaitCallers(1);
  locking::Thread unmapper(
      "unmapper", [&] { EXPECT_EQ(space->Unmap(At(0), 200 * kTestPageSize), Result::kOk); });
  locking::Yield();
  store->Open();
  pager.Join();
  unmapper.Join();
  EXPECT_EQ(system().swap().used(), 0u);
}

// ---- The page daemon ----

TEST_F(SlowStoreTest, TheDaemonTakesCleanPagesWhileItsWritesDoNotEnd) {
  Fill(0, 32);
  Deactivate(0, 32);
  store->Close(Kind::kWrite);
  system().Start();
  for (std::uint32_t page = 32; page < 200; ++page) {
    std::uint64_t value = ~0ull;
    EXPECT_EQ(LoadAt(At(page), &value), Result::kOk);
    EXPECT_EQ(value, 0u);
  }
  EXPECT_EQ(Count(Event::kOutOfMemory), 0u);
  store->AwaitCallers(1);
  store->Open();
  ExpectFilled(0, 32);
}

TEST_F(SlowStoreTest, AWriteThatDoesNotEndIsNotOutOfMemory) {
  store->Close(Kind::kWrite);
  system().Start();
  locking::Thread filler("filler", [&] { Fill(0, 128); });
  store->AwaitCallers(kLaundryThreads);
  const std::uint64_t scans = Count(Event::kDaemonScan);
  while (Count(Event::kDaemonScan) < scans + kOutOfMemoryPasses + 2) locking::Yield();
  EXPECT_EQ(Count(Event::kOutOfMemory), 0u);
  store->Open();
  filler.Join();
  ExpectFilled(0, 128);
}

TEST_F(SlowStoreTest, StopWaitsForTheWritesUnderWay) {
  store->Close(Kind::kWrite);
  system().Start();
  locking::Thread filler("filler", [&] {
    for (std::uint32_t page = 0; page < 128; ++page)
      if (StoreAt(At(page), page + 1) != Result::kOk) return;
  });
  store->AwaitCallers(kLaundryThreads);
  locking::Thread stopper("stopper", [&] { system().Stop(); });
  store->Open();
  stopper.Join();
  filler.Join();
  for (Page& page : system().pages()) EXPECT_FALSE(page.busied());
}

TEST_F(SlowStoreTest, PauseWaitsForTheWritesUnderWay) {
  Fill(0, 16);
  Deactivate(0, 16);
  store->Close(Kind::kWrite);
  system().Start();
  for (std::uint32_t page = 16; page < 80; ++page) {
    std::uint64_t value = 0;
    EXPECT_EQ(LoadAt(At(page), &value), Result::kOk);
  }
  store->AwaitCallers(1);
  locking::Thread pauser("pauser", [&] {
    system().Pause();
    for (const Page& page : system().pages()) EXPECT_FALSE(page.busied());
    system().Resume();
  });
  for (int i = 0; i < 1000; ++i) locking::Yield();
  store->Open();
  pauser.Join();
}

TEST_F(SlowStoreTest, OtherPagesAreTriedBeforeFailedWritesAreOutOfMemory) {
  constexpr std::uint32_t kDirty = 50;  // four clusters
  Fill(0, kDirty);
  Deactivate(0, kDirty);
  store->FailNextWrites(kOutOfMemoryPasses - 1);
  system().Start();
  Fill(kDirty, 128 - kDirty);
  EXPECT_GT(Count(Event::kPageOutError), 0u);
  EXPECT_EQ(Count(Event::kOutOfMemory), 0u);
  ExpectFilled(0, 128);
}

TEST_F(SlowStoreTest, WritesThatFailNowAndThenAreNotOutOfMemory) {
  store->Open(Result::kNoSpace);
  system().Start();
  locking::Thread filler("filler", [&] {
    for (std::uint32_t page = 0; page < 128; ++page) {
      while (StoreAt(At(page), page + 1) != Result::kOk) locking::Yield();
    }
  });
  while (Count(Event::kPageOutError) == 0) locking::Yield();
  store->Open();
  filler.Join();
  ExpectFilled(0, 128);
}

}  // namespace
}  // namespace vm
