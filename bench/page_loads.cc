#include "bench/page_loads.h"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "vm/page_alloc.h"
#include "vm/system.h"

namespace bench {
namespace {

constexpr std::uint32_t kBatchPages = 8192;  // of a batch that is set up

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

template <typename Body>
Loads OneLoop(std::uint64_t iterations, Body body) {
  Loads loads;
  loads.push_back(std::make_unique<LoopLoad<Body>>(iterations, std::move(body)));
  return loads;
}

std::shared_ptr<vm::System> NewMachine(std::uint32_t pages) {
  return std::make_shared<vm::System>(
      vm::SystemConfig{.pages = pages, .page_size = kPageSize, .cpus = 1, .swap_slots = 0});
}

// Of this process, in the host's memory.
std::uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

class BuildLoad final : public Load {
 public:
  explicit BuildLoad(std::uint32_t pages) : pages_(pages) {}
  std::uint64_t iterations() const override { return 1; }
  bool needs_setup() const override { return true; }
  void Prepare() override { before_ = ResidentBytes(); }
  void Run() override { system_ = NewMachine(pages_); }
  void Finish() override {
    bytes_ = static_cast<double>(ResidentBytes() - before_) / pages_;
    system_.reset();
  }
  double bytes() const override { return bytes_; }

 private:
  const std::uint32_t pages_;
  std::shared_ptr<vm::System> system_;
  std::uint64_t before_ = 0;
  double bytes_ = 0;
};

class AllocFreeLoad final : public Load {
 public:
  explicit AllocFreeLoad(std::shared_ptr<vm::System> system)
      : system_(std::move(system)),
        object_(vm::AllocateObject(*system_, vm::ObjectType::kDefault, 1)) {}
  ~AllocFreeLoad() override { vm::DeallocateObject(*system_, object_); }
  std::uint64_t iterations() const override { return 1000; }
  void Run() override {
    vm::ObjectGuard guard(object_->lock);
    for (std::uint64_t i = 0; i < iterations(); ++i)
      vm::FreePage(*system_, *object_, *vm::AllocatePage(*system_, *object_, 0, {}));
  }

 private:
  const std::shared_ptr<vm::System> system_;
  vm::Object* const object_;
};

class LookupLoad final : public Load {
 public:
  LookupLoad(vm::IndexKind kind, std::uint32_t pages, LookupOrder order)
      : order_(order), index_(kind), pages_(pages) {
    for (std::uint32_t i = 0; i < pages; ++i) index_.Insert(i, &pages_[i], pool_);
  }
  ~LookupLoad() override {
    for (std::uint32_t i = 0; i < pages_.size(); ++i) index_.Remove(i, pool_);
  }
  std::uint64_t iterations() const override { return 1000; }
  void Run() override {
    if (order_ == LookupOrder::kScattered)
      RunScattered();
    else
      RunAscending();
  }

 private:
  void RunScattered() {
    for (std::uint64_t i = 0; i < iterations(); ++i) {
      next_ = (next_ * 6364136223846793005u + 1442695040888963407u);
      benchmark::DoNotOptimize(index_.Lookup((next_ >> 32) * pages_.size() >> 32));
    }
  }
  void RunAscending() {
    for (std::uint64_t i = 0; i < iterations(); ++i) {
      benchmark::DoNotOptimize(index_.Lookup(next_));
      if (++next_ == pages_.size()) next_ = 0;
    }
  }

  const LookupOrder order_;
  std::uint64_t next_ = 0;
  vm::IndexNodePool pool_;
  vm::PageIndex index_;
  std::vector<vm::Page, vm::HostAllocator<vm::Page>> pages_;
};

// Some objects of `pages` pages each, together kBatchPages.
class CollapseLoad final : public Load {
 public:
  explicit CollapseLoad(std::uint32_t pages)
      : pages_(pages),
        backers_(std::max(1u, kBatchPages / pages)),
        fronts_(backers_.size()),
        system_(NewMachine(static_cast<std::uint32_t>(backers_.size()) * pages * 9 / 8 + 64)) {}
  std::uint64_t iterations() const override { return backers_.size(); }
  bool needs_setup() const override { return true; }
  void Prepare() override {
    for (std::size_t i = 0; i < backers_.size(); ++i) {
      fronts_[i] = backers_[i] = NewObject();
      vm::ReferenceObject(backers_[i]);
      vm::Pindex offset = 0;
      vm::ShadowObject(*system_, &fronts_[i], &offset, pages_);
    }
  }
  void Run() override {
    for (vm::Object* backer : backers_) vm::DeallocateObject(*system_, backer);
  }
  void Finish() override {
    for (vm::Object* front : fronts_) {
      {
        vm::ObjectGuard guard(front->lock);
        Check(front->backing == nullptr && front->resident_page_count == pages_, "no collapse");
      }
      vm::DeallocateObject(*system_, front);
    }
  }

 private:
  vm::Object* NewObject() {
    vm::Object* object = vm::AllocateObject(*system_, vm::ObjectType::kDefault, pages_);
    vm::ObjectGuard guard(object->lock);
    for (std::uint32_t i = 0; i < pages_; ++i) {
      vm::Page* page = vm::AllocatePage(*system_, *object, i, {});
      page->valid = system_->AllBlocks();
      vm::PageRoleGuard role_guard(system_->queues().PageLock(*page));
      system_->queues().Activate(*page);
    }
    return object;
  }

  const std::uint32_t pages_;
  std::vector<vm::Object*> backers_, fronts_;
  const std::shared_ptr<vm::System> system_;
};

// Some spaces with `pages` pages each, together kBatchPages.
class ForkLoad final : public Load {
 public:
  explicit ForkLoad(std::uint32_t pages)
      : pages_(pages),
        parents_(std::max(1u, kBatchPages / pages)),
        children_(parents_.size()),
        // Page tables take a few pages a space.
        system_(
            NewMachine(static_cast<std::uint32_t>(parents_.size()) * (pages * 9 / 8 + 16) + 64)) {}
  std::uint64_t iterations() const override { return parents_.size(); }
  bool needs_setup() const override { return true; }
  void Prepare() override {
    for (vm::Space*& parent : parents_) {
      parent = system_->CreateSpace();
      vm::Address start = 0;
      Check(parent->MapAnonymous(0, vm::Address{pages_} * kPageSize, vm::Protection::kReadWrite,
                                 vm::Inheritance::kCopy, &start) == vm::Result::kOk,
            "nothing can be mapped");
      for (std::uint32_t i = 0; i < pages_; ++i)
        Check(parent->Fault(start + vm::Address{i} * kPageSize, vm::Protection::kReadWrite) ==
                  vm::Result::kOk,
              "a fault failed");
    }
  }
  void Run() override {
    for (std::size_t i = 0; i < parents_.size(); ++i) children_[i] = parents_[i]->Fork();
  }
  void Finish() override {
    for (vm::Space* child : children_) {
      Check(child != nullptr, "the machine is too small for a fork");
      child->Exit();
    }
    for (vm::Space* parent : parents_) parent->Exit();
  }

 private:
  const std::uint32_t pages_;
  std::vector<vm::Space*> parents_, children_;
  const std::shared_ptr<vm::System> system_;
};

}  // namespace

Loads Build64(std::uint32_t) {
  return OneLoop(100, [] {
    vm::System system({.pages = 64, .page_size = kPageSize, .cpus = 4, .swap_slots = 64});
    benchmark::DoNotOptimize(system.free_queue().free_count());
  });
}

MakeLoads AllocFree(std::uint32_t pages) {
  return [pages](std::uint32_t threads) {
    const auto system = NewMachine(pages);
    Loads loads;
    for (std::uint32_t i = 0; i < threads; ++i)
      loads.push_back(std::make_unique<AllocFreeLoad>(system));
    return loads;
  };
}

namespace {

// One thread's load, of `pages` pages.
template <typename OneLoad>
MakeLoads OfPages(std::uint32_t pages) {
  return [pages](std::uint32_t) {
    Loads loads;
    loads.push_back(std::make_unique<OneLoad>(pages));
    return loads;
  };
}

}  // namespace

MakeLoads Lookup(vm::IndexKind kind, std::uint32_t pages, LookupOrder order) {
  return [kind, pages, order](std::uint32_t) {
    Loads loads;
    loads.push_back(std::make_unique<LookupLoad>(kind, pages, order));
    return loads;
  };
}
MakeLoads Build(std::uint32_t pages) { return OfPages<BuildLoad>(pages); }
MakeLoads Collapse(std::uint32_t pages) { return OfPages<CollapseLoad>(pages); }
MakeLoads Fork(std::uint32_t pages) { return OfPages<ForkLoad>(pages); }

}  // namespace bench
