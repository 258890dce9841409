// Page tables: entering, removing and protecting mappings, loads and stores of a simulated CPU, and
// shootdowns. One iteration is one page; each thread has a machine of its own.
#include <vector>

#include "bench/timing.h"
#include "vm/page_alloc.h"
#include "vm/system.h"

namespace bench {
namespace {

using vm::Address;
using vm::Protection;

constexpr std::uint32_t kPages = 4096;

class Tables {
 public:
  explicit Tables(std::uint32_t cpus)
      : system({.pages = 2 * kPages, .page_size = kPageSize, .cpus = cpus, .swap_slots = 0}),
        pmap(*system.TakePmap()) {
    for (std::uint32_t i = 0; i < kPages; ++i)
      pages_.push_back(vm::AllocateUnownedPage(system, {.wired = true}));
    EnterAll();
  }
  ~Tables() { pmap.Destroy(); }

  Address PageAt(std::uint32_t i) const { return Address{i} * kPageSize; }
  void EnterAll() {
    for (std::uint32_t i = 0; i < kPages; ++i)
      (void)pmap.Enter(PageAt(i), *pages_[i], Protection::kReadWrite, false);
  }
  void RemoveAll() { pmap.Remove(0, PageAt(kPages)); }
  void RemoveSingly() {
    for (std::uint32_t i = 0; i < kPages; ++i) pmap.Remove(PageAt(i), PageAt(i + 1));
  }
  void RemoveByPage() {
    for (vm::Page* page : pages_) vm::Pmap::RemoveAll(system, *page);
  }
  void ProtectAll() { pmap.Protect(0, PageAt(kPages), Protection::kRead); }
  void StoreInOnePage() {
    for (std::uint32_t i = 0; i < kPages; ++i)
      (void)system.cpu(0).Store(pmap, (i * 8) % kPageSize, i);
  }
  void StoreAll() {
    for (std::uint32_t i = 0; i < kPages; ++i) (void)system.cpu(0).Store(pmap, PageAt(i), i);
  }
  void EnterAndStoreAll() {
    EnterAll();
    StoreAll();
  }
  void DoNothing() {}

  vm::System system;
  vm::Pmap& pmap;

 private:
  std::vector<vm::Page*> pages_;
};

// `body` is timed, `prepare` is not.
using Step = void (Tables::*)();
class TablesLoad final : public Load {
 public:
  TablesLoad(std::uint32_t cpus, Step prepare, Step body)
      : tables_(cpus), prepare_(prepare), body_(body) {
    // Every CPU has used the pmap, so that shootdowns have to ask it.
    for (std::uint32_t cpu = 0; cpu < cpus; ++cpu)
      (void)tables_.system.cpu(cpu).Store(tables_.pmap, 0, 1);
  }
  std::uint64_t iterations() const override { return kPages; }
  bool needs_setup() const override { return true; }
  void Prepare() override { (tables_.*prepare_)(); }
  void Run() override { (tables_.*body_)(); }

 private:
  Tables tables_;
  const Step prepare_, body_;
};

MakeLoads Of(Step prepare, Step body, std::uint32_t cpus = 1) {
  return [=](std::uint32_t threads) {
    Loads loads;
    for (std::uint32_t i = 0; i < threads; ++i)
      loads.push_back(std::make_unique<TablesLoad>(cpus, prepare, body));
    return loads;
  };
}

const bool kRegistered = [] {
  using T = Tables;
  RegisterLoads("Pmap/enter", Of(&T::RemoveAll, &T::EnterAll), {1, 2});
  RegisterLoads("Pmap/enter_again", Of(&T::DoNothing, &T::EnterAll));
  RegisterLoads("Pmap/remove_range", Of(&T::EnterAll, &T::RemoveAll), {1, 2});
  RegisterLoads("Pmap/remove_page_with_shootdown", Of(&T::EnterAndStoreAll, &T::RemoveSingly));
  RegisterLoads("Pmap/remove_all_of_page", Of(&T::EnterAndStoreAll, &T::RemoveByPage));
  RegisterLoads("Pmap/protect_range", Of(&T::EnterAndStoreAll, &T::ProtectAll));
  RegisterLoads("Cpu/store_hit", Of(&T::DoNothing, &T::StoreInOnePage), {1, 2});
  RegisterLoads("Cpu/store_miss", Of(&T::DoNothing, &T::StoreAll));
  for (std::uint32_t cpus : {1u, 4u, 16u, 64u})
    RegisterLoads("Pmap/remove_page/" + std::to_string(cpus),
                  Of(&T::EnterAll, &T::RemoveSingly, cpus));
  return true;
}();

}  // namespace
}  // namespace bench
