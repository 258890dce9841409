#include "vm/pageout.h"

#include <algorithm>
#include <array>
#include <limits>

#include "vm/lock_classes.h"
#include "vm/object.h"
#include "vm/reclaim.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

std::uint8_t Advanced(std::uint8_t act_count, std::uint32_t references) {
  return static_cast<std::uint8_t>(
      std::min<std::uint32_t>(act_count + kActAdvance + references, kActMax));
}

std::uint32_t NotNegative(std::int64_t pages) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(pages, 0, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

// A scan's place in a queue, for as long as the scan lasts: a marker, and how many pages of those
// that stood there are yet to come. What is requeued is not met again.
class PageDaemon::ScanPlace {
 public:
  ScanPlace(PageQueues& queues, PageQueue queue, std::uint32_t left)
      : queues_(queues), left_(left) {
    marker_.marker = true;
    PageRoleGuard guard(queues_.lock);
    queues_.PlaceMarker(marker_, queue);
  }
  ~ScanPlace() {
    PageRoleGuard guard(queues_.lock);
    queues_.RemoveMarker(marker_);
  }
  ScanPlace(const ScanPlace&) = delete;

  // nullptr at the end.
  Page* Step(PageQueues& queues) LOCKING_REQUIRES(queues.lock) {
    return Count(left_ > 0 ? queues.StepMarker(marker_) : nullptr);
  }
  // The same while the page is of that object; else nullptr.
  Page* StepWithin(PageQueues& queues, const Object& object) LOCKING_REQUIRES(queues.lock) {
    return Count(left_ > 0 ? queues.StepMarkerWithin(marker_, object) : nullptr);
  }

 private:
  Page* Count(Page* page) {
    if (page != nullptr) --left_;
    return page;
  }

  PageQueues& queues_;
  Page marker_;
  std::uint32_t left_;
};

PageDaemon::PageDaemon(System& system) : system_(system), laundry_(system) {}
PageDaemon::~PageDaemon() { Stop(); }

void PageDaemon::Start() {
  if (thread_.joinable()) return;
  system_.free_queue().Start();
  laundry_.Start();
  thread_ = locking::Thread("page daemon", [this] { Run(); });
}

void PageDaemon::Stop() {
  system_.free_queue().Stop();
  thread_.Join();
  laundry_.Stop();
}

void PageDaemon::Pause() {
  system_.free_queue().Pause();
  laundry_.WaitForWrites(locking::kNoDeadline);
}

void PageDaemon::Resume() { system_.free_queue().Resume(); }

bool PageDaemon::CallerIsDaemon() const { return thread_id_ == locking::Self().id; }

void PageDaemon::Run() {
  thread_id_ = locking::Self().id;
  FreeQueue& free_queue = system_.free_queue();
  const locking::Signaller signaller(kFreePages, &free_queue);
  std::uint32_t number = 0;
  std::uint32_t fruitless = 0;
  while (free_queue.WaitForWork()) {
    Pass pass = RunPass(number);
    if (pass.freed == 0) WaitForWrites(pass);
    if (!free_queue.BelowMin()) {
      number = number > 1 ? 1 : 0;
      fruitless = 0;
      continue;
    }
    // What was passed over, and what is being written, may be free to take next time; not where
    // the writes themselves made it so, and failed.
    if (pass.freed != 0 || pass.written != 0)
      fruitless = 0;
    else if (pass.passed_over == 0 || pass.failed != 0)
      ++fruitless;
    if (fruitless == kOutOfMemoryPasses) {
      if (free_queue.DeclareOutOfMemory()) system_.counters().Add(Event::kOutOfMemory);
      fruitless = 0;
      number = 0;
      continue;
    }
    number = std::min(number + 1, kForcePass + kMaxDeclineDoublings);
    locking::Yield();
  }
  thread_id_ = locking::kNobody;
}

std::uint32_t PageDaemon::Missing(const Pass& pass) const {
  const std::uint32_t found = pass.freed + (stalled_ ? 0 : laundry_.pages_under_way());
  return pass.wanted - std::min(pass.wanted, found);
}

void PageDaemon::TakeWritten(Pass& pass) {
  const Laundered laundered = laundry_.TakeLaundered();
  pass.written += laundered.written;
  pass.freed += laundered.reclaimed;
  pass.failed += laundered.failed;
}

std::uint64_t PageDaemon::EndOfPatience() const {
  return locking::Clock::NowNs() + (stalled_ ? 0 : kWritePatienceNs);
}

void PageDaemon::WaitForWrites(Pass& pass) {
  stalled_ = !laundry_.WaitForWrites(locking::Clock::NowNs() + kWritePatienceNs);
  TakeWritten(pass);
}

std::uint32_t PageDaemon::Scan(std::uint32_t number) { return RunPass(number).freed; }

PageDaemon::Pass PageDaemon::RunPass(std::uint32_t number) {
  const FreeQueue& free_queue = system_.free_queue();
  const PageQueues& queues = system_.queues();
  system_.counters().Add(Event::kDaemonScan);
  EmptyBatches();
  Pass pass;
  pass.number = number;
  pass.clusters = number == 0 ? kMaxLaunder : std::numeric_limits<std::uint32_t>::max();
  pass.wanted = NotNegative(free_queue.PagingTarget() + system_.free_queue().TakeDeficit());
  ScanInactive(pass);
  pass.to_inactive = NotNegative(free_queue.PagingTarget() + pass.passed_over +
                                 free_queue.thresholds().inactive_target - queues.inactive_count());
  if (pass.force() && Missing(pass) != 0) pass.to_inactive = queues.active_count();
  ScanActive(pass);
  TakeWritten(pass);
  return pass;
}

// What stands between the threads and the queues is there for the pass too.
void PageDaemon::EmptyBatches() {
  system_.free_queue().DrainBatches();
  PageRoleGuard guard(system_.queues().lock);
  system_.queues().FlushBatches();
}

// The queue lock is held over the first look at the pages and dropped for the rest: under both
// locks they are the object's, and with the object locked they stay so.
bool PageDaemon::Step(ScanPlace& place, std::uint32_t most, Pass& pass, Look look) {
  PageQueues& queues = system_.queues();
  queues.lock.Lock();
  Page* page = place.Step(queues);
  if (page == nullptr) {
    queues.lock.Unlock();
    return false;
  }
  Object* object = page->object;  // a hint, until its lock is held
  if (object == nullptr) {        // on its way out
    queues.lock.Unlock();
    return true;
  }
  if (!object->lock.TryLock()) {
    queues.lock.Unlock();
    ++pass.passed_over;
    system_.counters().Add(Event::kBackOff);
    return true;
  }
  std::array<Page*, kNeighbours> usable;
  std::uint32_t count = 0;
  for (std::uint32_t met = 1; page != nullptr; ++met) {
    if (Usable(*object, *page, pass)) usable[count++] = page;
    page = met < most ? place.StepWithin(queues, *object) : nullptr;
  }
  queues.lock.Unlock();
  if (count != 0) (this->*look)(*object, std::span(usable).first(count), pass);
  object->lock.Unlock();
  return true;
}

bool PageDaemon::Usable(const Object& object, const Page& page, Pass& pass) {
  const bool same = page.object == &object;
  if (!same || page.busied()) ++pass.passed_over;
  return same && !page.busied() && page.hold_count == 0 && !object.dead && object.pageable();
}

void PageDaemon::ScanInactive(Pass& pass) {
  if (Missing(pass) == 0) return;
  PageQueues& queues = system_.queues();
  ScanPlace place(queues, PageQueue::kInactive, queues.inactive_count());
  do {
    TakeWritten(pass);
    // What is counted on may fail: then there are others to try.
    if (Missing(pass) == 0) WaitForWrites(pass);
    if (Missing(pass) == 0) return;
    if (!pass.no_room) pass.no_room = !laundry_.WaitForRoom(EndOfPatience());
  } while (Step(place, 1, pass, &PageDaemon::LookAtInactive));
}

void PageDaemon::LookAtInactive(Object& object, std::span<Page* const> pages, Pass& pass) {
  Page& page = *pages.front();
  PageQueues& queues = system_.queues();
  const std::uint32_t references = TakeReferences(system_, object, page);
  if (references != 0 && !pass.force()) {
    PageRoleGuard guard(queues.PageLock(page));
    if (page.queue != PageQueue::kInactive) return;
    queues.Activate(page);
    page.act_count = Advanced(page.act_count, references);
    system_.counters().Add(Event::kReactivated);
    return;
  }
  if (!TestDirty(system_, object, page)) {
    const Reclaimed reclaimed = ReclaimPage(system_, object, page);
    if (reclaimed == Reclaimed::kYes) ++pass.freed;
    if (reclaimed != Reclaimed::kDirty) return;
  }
  LookAtDirty(object, page, pass);
}

void PageDaemon::LookAtDirty(Object& object, Page& page, Pass& pass) {
  PageQueues& queues = system_.queues();
  {
    PageRoleGuard guard(queues.PageLock(page));
    if (page.queue != PageQueue::kInactive || page.hold_count != 0) return;
    if (pass.number == 0 && !page.winatcfls) {
      // Writing costs more than taking a clean page that stands behind: a second chance.
      page.winatcfls = true;
      queues.RequeueInactive(page);
      return;
    }
  }
  const bool room = object.vnode != nullptr || system_.swap().slots() != 0;
  if (!room || pass.clusters == 0) return;
  if (pass.no_room) {
    ++pass.passed_over;
    return;
  }
  --pass.clusters;
  laundry_.Launder(object, page, Missing(pass));
}

void PageDaemon::ScanActive(Pass& pass) {
  if (pass.to_inactive == 0) return;
  PageQueues& queues = system_.queues();
  ScanPlace place(queues, PageQueue::kActive, queues.active_count());
  while (pass.to_inactive != 0 &&
         Step(place, std::min(kNeighbours, pass.to_inactive), pass, &PageDaemon::LookAtActive)) {
  }
}

void PageDaemon::LookAtActive(Object& object, std::span<Page* const> pages, Pass& pass) {
  std::array<std::uint32_t, kNeighbours> references;
  for (std::size_t i = 0; i < pages.size(); ++i)
    references[i] = TakeReferences(system_, object, *pages[i]);
  PageQueues& queues = system_.queues();
  const PageQueues::OneHold hold(queues);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    PageRoleGuard guard(queues.PageLock(*pages[i]));
    Age(object, queues, *pages[i], references[i], pass);
  }
}

void PageDaemon::Age(const Object& object, PageQueues& queues, Page& page, std::uint32_t references,
                     Pass& pass) {
  if (page.queue != PageQueue::kActive) return;
  if (references != 0 && !pass.force()) {
    page.act_count = Advanced(page.act_count, references);
    queues.RequeueActive(page);
    return;
  }
  const std::uint32_t decline = kActDecline << std::min(pass.number, kMaxDeclineDoublings);
  page.act_count -= static_cast<std::uint8_t>(std::min<std::uint32_t>(page.act_count, decline));
  if (page.act_count == 0 || object.ref_count == 0 || pass.force()) {
    queues.Deactivate(page);
    --pass.to_inactive;
  } else {
    queues.RequeueActive(page);
  }
}

}  // namespace vm
