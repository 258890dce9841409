#include "bench/fault_loads.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "vm/page_alloc.h"
#include "vm/reclaim.h"
#include "vm/system.h"

namespace bench {
namespace {

using vm::Address;
using vm::Protection;

constexpr std::uint32_t kSmallSetPages = 4096;

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

// A machine with room for `pages_a_thread` pages of each thread, and for their page tables; its
// frames are in the host's memory.
std::shared_ptr<vm::System> NewMachine(std::uint32_t threads, std::uint64_t pages_a_thread,
                                       std::uint32_t swap_slots = 0,
                                       vm::LockDialect locks = vm::LockDialect::kQueues) {
  const auto pages = static_cast<std::uint32_t>(pages_a_thread + pages_a_thread / 8 + 64);
  auto system = std::make_shared<vm::System>(vm::SystemConfig{.pages = threads * pages,
                                                              .page_size = kPageSize,
                                                              .cpus = threads,
                                                              .swap_slots = threads * swap_slots,
                                                              .locks = locks});
  // Else the host kernel's faults would be measured with the first round.
  for (vm::Page& page : system->pages()) vm::ZeroPage(*system, page);
  return system;
}

// One thread with a space of its own, which maps a set of pages.
class FaultLoad : public Load {
 public:
  FaultLoad(std::shared_ptr<vm::System> system, vm::Space* space, std::uint32_t pages = set_pages)
      : system_(std::move(system)), space_(space), pages_(pages) {
    Check(space != nullptr, "the machine is too small for a space");
  }
  ~FaultLoad() override { space_->Exit(); }

  std::uint64_t iterations() const override { return pages_; }
  bool needs_setup() const override { return true; }
  void Run() override { FaultAll(Protection::kReadWrite); }

  void MapSet(vm::Inheritance inheritance = vm::Inheritance::kCopy) {
    Check(space_->MapAnonymous(start_, SetBytes(), Protection::kReadWrite, inheritance, &start_) ==
              vm::Result::kOk,
          "the set cannot be mapped");
  }
  void FaultAll(Protection access) { FaultPages(access, 0, pages_); }
  void FaultPages(Protection access, std::uint32_t first, std::uint32_t last) {
    bool ok = true;
    for (std::uint32_t i = first; i < last; ++i)
      ok &= space_->Fault(PageAt(i), access) == vm::Result::kOk;
    Check(ok, "a fault failed");
  }
  void UnmapSet() {
    Check(space_->Unmap(start_, SetBytes()) == vm::Result::kOk, "the set cannot be unmapped");
  }

 protected:
  Address SetBytes() const { return Address{pages_} * kPageSize; }
  Address PageAt(std::uint32_t i) const { return start_ + Address{i} * kPageSize; }

  const std::shared_ptr<vm::System> system_;
  vm::Space* const space_;
  const std::uint32_t pages_;
  Address start_ = 0;
};

class ResidentLoad final : public FaultLoad {
 public:
  using FaultLoad::FaultLoad;
  void Prepare() override { space_->pmap().Remove(start_, PageAt(pages_)); }
};

// One set, mapped by each thread in a map of its own, which was forked from the first one's. Each
// begins in another place.
class SharedResidentLoad final : public FaultLoad {
 public:
  SharedResidentLoad(std::shared_ptr<vm::System> system, vm::Space* space, std::uint32_t first_page)
      : FaultLoad(std::move(system), space), first_page_(first_page) {}

  void ShareSetOf(const SharedResidentLoad& other) { start_ = other.start_; }
  void Prepare() override { space_->pmap().Remove(start_, PageAt(pages_)); }
  void Run() override {
    FaultPages(Protection::kReadWrite, first_page_, pages_);
    FaultPages(Protection::kReadWrite, 0, first_page_);
  }

 private:
  const std::uint32_t first_page_;
};

// A set of its own in one object, map and pmap, which all threads have in common.
class OneSpaceLoad final : public Load {
 public:
  // The space of all of them; ends with the last.
  struct Common {
    std::shared_ptr<vm::System> system;
    vm::Space* space;
    Address start = 0;
    ~Common() { space->Exit(); }
  };
  OneSpaceLoad(std::shared_ptr<Common> common, std::uint32_t thread)
      : common_(std::move(common)),
        start_(common_->start + Address{thread} * set_pages * kPageSize) {}

  std::uint64_t iterations() const override { return set_pages; }
  bool needs_setup() const override { return true; }
  void Prepare() override {
    common_->space->pmap().Remove(start_, start_ + Address{set_pages} * kPageSize);
  }
  void Run() override {
    bool ok = true;
    for (std::uint32_t i = 0; i < set_pages; ++i)
      ok &= common_->space->Fault(start_ + Address{i} * kPageSize, Protection::kReadWrite) ==
            vm::Result::kOk;
    Check(ok, "a fault failed");
  }

 private:
  const std::shared_ptr<Common> common_;
  const Address start_;
};

class ZeroFillLoad final : public FaultLoad {
 public:
  using FaultLoad::FaultLoad;
  void Prepare() override { MapSet(); }
  void Finish() override { UnmapSet(); }
};

class CopyOnWriteLoad final : public FaultLoad {
 public:
  using FaultLoad::FaultLoad;
  void Prepare() override {
    child_ = space_->Fork();
    Check(child_ != nullptr, "the machine is too small for a fork");
  }
  void Finish() override { child_->Exit(); }

 private:
  vm::Space* child_ = nullptr;
};

class SwapInLoad final : public FaultLoad {
 public:
  SwapInLoad(std::shared_ptr<vm::System> system, vm::Space* space, std::uint32_t cpu)
      : FaultLoad(std::move(system), space), cpu_(cpu) {}

  // Contents that must be kept, else there is nothing to write out.
  void FillSet() {
    for (std::uint32_t i = 0; i < set_pages; ++i)
      Check(space_->Store(system_->cpu(cpu_), PageAt(i), i) == vm::Result::kOk, "a store failed");
  }
  void Prepare() override LOCKING_NO_ANALYSIS {
    vm::Object* object;
    {
      locking::ReadGuard guard(space_->map().lock);
      object = space_->map().Lookup(start_)->object;
    }
    vm::ObjectGuard guard(object->lock);
    for (std::uint32_t first = 0; first < set_pages; first += vm::kClusterPages) {
      std::vector<vm::Page*> pages;
      for (std::uint32_t i = first; i < std::min(first + vm::kClusterPages, set_pages); ++i)
        pages.push_back(vm::LookupPage(*object, i));
      system_->swap().PageOut(*object, pages);
      for (vm::Page* page : pages) Evict(*object, *page);
    }
  }
  void Run() override { FaultAll(Protection::kRead); }

 private:
  void Evict(vm::Object& object, vm::Page& page) LOCKING_NO_ANALYSIS {
    {
      vm::PageRoleGuard guard(system_->queues().PageLock(page));
      system_->queues().Deactivate(page);
    }
    Check(vm::ReclaimPage(*system_, object, page) == vm::Reclaimed::kYes, "a page stays");
  }

  const std::uint32_t cpu_;
};

}  // namespace

Loads Resident(std::uint32_t threads) {
  const auto system = NewMachine(threads, set_pages);
  Loads loads;
  for (std::uint32_t i = 0; i < threads; ++i) {
    auto load = std::make_unique<ResidentLoad>(system, system->CreateSpace());
    load->MapSet();
    load->FaultAll(Protection::kReadWrite);
    loads.push_back(std::move(load));
  }
  return loads;
}

MakeLoads ResidentIn(std::uint32_t pages) {
  return [pages](std::uint32_t) {
    const auto system = std::make_shared<vm::System>(
        vm::SystemConfig{.pages = pages, .page_size = kPageSize, .cpus = 1});
    auto load = std::make_unique<ResidentLoad>(system, system->CreateSpace(), kSmallSetPages);
    load->MapSet();
    load->FaultAll(Protection::kReadWrite);
    Loads loads;
    loads.push_back(std::move(load));
    return loads;
  };
}

MakeLoads SharedResident(vm::LockDialect locks) {
  return [locks](std::uint32_t threads) {
    const auto system = NewMachine(threads, set_pages, 0, locks);
    vm::Space* const first = system->CreateSpace();
    Loads loads;
    for (std::uint32_t i = 0; i < threads; ++i) {
      auto load = std::make_unique<SharedResidentLoad>(system, i == 0 ? first : first->Fork(),
                                                       i * (set_pages / threads));
      if (i == 0) {
        load->MapSet(vm::Inheritance::kShare);
        load->FaultAll(Protection::kReadWrite);
      } else {
        load->ShareSetOf(static_cast<const SharedResidentLoad&>(*loads.front()));
      }
      loads.push_back(std::move(load));
    }
    return loads;
  };
}

MakeLoads OneSpaceResident(vm::LockDialect locks) {
  return [locks](std::uint32_t threads) {
    const auto system = NewMachine(threads, set_pages, 0, locks);
    const auto common = std::make_shared<OneSpaceLoad::Common>(system, system->CreateSpace());
    Check(common->space->MapAnonymous(0, Address{threads} * set_pages * kPageSize,
                                      Protection::kReadWrite, vm::Inheritance::kCopy,
                                      &common->start) == vm::Result::kOk,
          "the sets cannot be mapped");
    Loads loads;
    for (std::uint32_t i = 0; i < threads; ++i) {
      loads.push_back(std::make_unique<OneSpaceLoad>(common, i));
      loads.back()->Run();
    }
    return loads;
  };
}

Loads ZeroFill(std::uint32_t threads) {
  const auto system = NewMachine(threads, set_pages);
  Loads loads;
  for (std::uint32_t i = 0; i < threads; ++i)
    loads.push_back(std::make_unique<ZeroFillLoad>(system, system->CreateSpace()));
  return loads;
}

Loads CopyOnWrite(std::uint32_t threads) {
  const auto system = NewMachine(threads, 2 * std::uint64_t{set_pages});
  Loads loads;
  for (std::uint32_t i = 0; i < threads; ++i) {
    auto load = std::make_unique<CopyOnWriteLoad>(system, system->CreateSpace());
    load->MapSet();
    load->FaultAll(Protection::kReadWrite);
    loads.push_back(std::move(load));
  }
  return loads;
}

Loads SwapIn(std::uint32_t threads) {
  const auto system = NewMachine(threads, set_pages, set_pages);
  Loads loads;
  for (std::uint32_t i = 0; i < threads; ++i) {
    auto load = std::make_unique<SwapInLoad>(system, system->CreateSpace(), i);
    load->MapSet();
    load->FillSet();
    loads.push_back(std::move(load));
  }
  return loads;
}

}  // namespace bench
