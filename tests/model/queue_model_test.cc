// Random sequences of what is done to pages and their queues, against a model of the queues: which
// page stands where, in which order, and how many are counted as what (INV-19 to INV-22, INV-28).
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "locking/random.h"
#include "tests/vm/machine.h"
#include "vm/check.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/page_release.h"

namespace vm {
namespace {

constexpr Pindex kSize = 20;
constexpr std::uint32_t kMachinePages = 64;

struct PageModel {
  PageQueue queue = PageQueue::kNone;
  std::uint32_t wirings = 0;
  std::uint32_t holds = 0;
  bool unmanaged = false;
  bool dirty = false;

  bool queueable() const { return wirings == 0 && !unmanaged; }
  bool may_go() const { return queueable() && holds == 0 && !dirty; }
};

class QueueModel {
 public:
  explicit QueueModel(std::uint64_t seed) : machine_(kMachinePages), random_(seed) {}
  ~QueueModel() {
    for (auto& [page, model] : pages_) {
      EndWirings(*page, model);
      while (model.holds > 0) Unhold(*page, model);
    }
    pages_.clear();
    for (auto& [page, holds] : held_)
      for (; holds > 0; --holds) UnholdPage(system_, *page);
    DeallocateObject(system_, &object_);
    for (const locking::Finding& finding : CheckNoLeaks(system_))
      ADD_FAILURE() << locking::FormatFinding(finding);
  }

  void Step() LOCKING_NO_ANALYSIS {
    ObjectGuard guard(object_.lock);
    const Pindex at = random_.Below(kSize);
    Page* page = LookupPage(object_, at);
    if (page == nullptr) return Allocate(at);
    PageModel& model = pages_.at(page);
    switch (random_.Below(13)) {
      case 0:
        return Activate(*page, model);
      case 1:
        return Deactivate(*page, model, PageQueues::Where::kTail);
      case 2:
        return Deactivate(*page, model, PageQueues::Where::kHead);
      case 3:
      case 4:
        return Cache(*page, model);
      case 5:
        return TryToFree(*page, model);
      case 6:
        return Free(*page, model);
      case 7:
        return Wire(*page, model);
      case 8:
        return Unwire(*page, model);
      case 9:
        return model.holds > 0 && random_.Percent(60) ? Unhold(*page, model) : Hold(*page, model);
      case 10:
        return Unmanage(*page, model);
      case 11:
        return ToggleDirty(*page, model);
      default:
        return Rename(*page, model);
    }
  }

  void Check() LOCKING_NO_ANALYSIS {
    PageQueues& queues = system_.queues();
    std::map<PageQueue, std::uint32_t> counts;
    std::uint32_t wired = 0;
    for (const auto& [page, model] : pages_) {
      EXPECT_EQ(page->queue, model.queue) << "page " << page->frame;
      ++counts[model.queue];
      if (model.wirings > 0) ++wired;
    }
    EXPECT_EQ(queues.active_count(), counts[PageQueue::kActive]);
    EXPECT_EQ(queues.inactive_count(), counts[PageQueue::kInactive]);
    EXPECT_EQ(queues.cache_count(), counts[PageQueue::kCache]);
    EXPECT_EQ(queues.wired_count(), wired);
    EXPECT_EQ(system_.free_queue().held_count(), held_.size());
    EXPECT_EQ(system_.free_queue().free_count(), kMachinePages - pages_.size() - held_.size());
    PageRoleGuard guard(queues.lock);
    EXPECT_TRUE(std::ranges::equal(queues.active(), active_, {}, Address, {}));
    EXPECT_TRUE(std::ranges::equal(queues.inactive(), inactive_, {}, Address, {}));
  }

  // Only the test refers to the object, and wires its pages: no map accounts for that.
  void Sweep() {
    for (const locking::Finding& finding : CheckSystem(system_))
      if (finding.id != "INV-29" && finding.id != "INV-31" && finding.id != "INV-32")
        ADD_FAILURE() << locking::FormatFinding(finding);
  }

 private:
  static const Page* Address(const Page& page) { return &page; }

  void Enqueue(Page& page, PageModel& model, PageQueue queue,
               PageQueues::Where where = PageQueues::Where::kTail) {
    active_.remove(&page);
    inactive_.remove(&page);
    model.queue = queue;
    if (queue == PageQueue::kActive) active_.push_back(&page);
    if (queue == PageQueue::kInactive)
      inactive_.insert(where == PageQueues::Where::kTail ? inactive_.end() : inactive_.begin(),
                       &page);
  }
  void Forget(Page& page, PageModel& model) {
    Enqueue(page, model, PageQueue::kNone);
    if (model.holds > 0) held_.emplace(&page, model.holds);
    pages_.erase(&page);
  }

  void Allocate(Pindex at) LOCKING_REQUIRES(object_.lock) {
    const bool wired = random_.Percent(20);
    Page* page = AllocatePage(system_, object_, at, {.wired = wired});
    if (page == nullptr) return;
    ZeroPage(system_, *page);
    page->valid = system_.AllBlocks();
    PageModel& model = pages_[page];
    if (wired)
      model.wirings = 1;
    else
      Activate(*page, model);
  }
  void Activate(Page& page, PageModel& model) {
    PageRoleGuard guard(system_.queues().PageLock(page));
    system_.queues().Activate(page);
    if (model.queue != PageQueue::kActive)
      Enqueue(page, model, model.queueable() ? PageQueue::kActive : PageQueue::kNone);
  }
  void Deactivate(Page& page, PageModel& model, PageQueues::Where where) {
    PageRoleGuard guard(system_.queues().PageLock(page));
    system_.queues().Deactivate(page, where);
    if (model.queueable() && model.queue != PageQueue::kInactive)
      Enqueue(page, model, PageQueue::kInactive, where);
  }
  void Cache(Page& page, PageModel& model) LOCKING_REQUIRES(object_.lock) {
    EXPECT_EQ(TryToCachePage(system_, object_, page), model.may_go());
    if (model.may_go()) Enqueue(page, model, PageQueue::kCache);
  }
  void TryToFree(Page& page, PageModel& model) LOCKING_REQUIRES(object_.lock) {
    const bool may = model.may_go();
    EXPECT_EQ(TryToFreePage(system_, object_, page), may);
    if (may) Forget(page, model);
  }
  void Free(Page& page, PageModel& model) LOCKING_REQUIRES(object_.lock) {
    if (model.wirings > 0) return;
    FreePage(system_, object_, page);
    Forget(page, model);
  }
  void Wire(Page& page, PageModel& model) {
    PageRoleGuard guard(system_.queues().PageLock(page));
    system_.queues().Wire(page);
    if (model.wirings++ == 0) Enqueue(page, model, PageQueue::kNone);
  }
  void Unwire(Page& page, PageModel& model) {
    if (model.wirings == 0) return;
    const bool active = random_.Percent(50);
    PageRoleGuard guard(system_.queues().PageLock(page));
    EXPECT_EQ(system_.queues().Unwire(
                  page, active ? PageQueues::Then::kActivate : PageQueues::Then::kDeactivate),
              model.wirings == 1);
    if (--model.wirings == 0 && !model.unmanaged)
      Enqueue(page, model, active ? PageQueue::kActive : PageQueue::kInactive);
  }
  void EndWirings(Page& page, PageModel& model) {
    while (model.wirings > 0) Unwire(page, model);
  }
  void Hold(Page& page, PageModel& model) {
    if (model.queue == PageQueue::kCache) return;  // a held page is on no cache queue (INV-23)
    PageRoleGuard guard(system_.queues().PageLock(page));
    system_.queues().Hold(page);
    ++model.holds;
  }
  void Unhold(Page& page, PageModel& model) {
    UnholdPage(system_, page);
    --model.holds;
  }
  void Unmanage(Page& page, PageModel& model) LOCKING_REQUIRES(object_.lock) {
    if (random_.Percent(70)) return;  // there is no way back
    PageRoleGuard guard(system_.queues().PageLock(page));
    system_.queues().Unmanage(page);
    model.unmanaged = true;
    Enqueue(page, model, PageQueue::kNone);
  }
  void ToggleDirty(Page& page, PageModel& model) LOCKING_REQUIRES(object_.lock) {
    if (model.queue == PageQueue::kCache) return;
    if (model.dirty)
      UndirtyPage(page);
    else
      DirtyPage(system_, page);
    model.dirty = !model.dirty;
  }
  // To another place of the object: dirty from then on, and off the cache queue.
  void Rename(Page& page, PageModel& model) LOCKING_REQUIRES(object_.lock) {
    const Pindex to = random_.Below(kSize);
    if (LookupPage(object_, to) != nullptr) return;
    RenamePage(system_, object_, page, object_, to);
    model.dirty = true;
    if (model.queue == PageQueue::kCache) Enqueue(page, model, PageQueue::kInactive);
  }

  Machine machine_;
  System& system_ = machine_.system;
  Object& object_ = *AllocateObject(system_, ObjectType::kDefault, kSize);
  locking::Random random_;
  std::map<Page*, PageModel> pages_;          // of the object
  std::map<Page*, std::uint32_t> held_;       // freed, and held so often
  std::list<const Page*> active_, inactive_;  // in order
};

TEST(QueueModel, EachPageStandsWhereItMustAndIsCountedOnce) {
  for (std::uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    QueueModel model(seed);
    for (int step = 0; step < 400 && !HasFailure(); ++step) {
      model.Step();
      model.Check();
      if (step % 20 == 0) model.Sweep();
    }
  }
}

}  // namespace
}  // namespace vm
