#include "vm/free_queue.h"

#include <algorithm>
#include <iterator>

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {
namespace {

// The caller holds the lock that alone allows to write.
void Add(locking::Relaxed<std::uint32_t>& count, std::int32_t n) {
  count = count + static_cast<std::uint32_t>(n);
}

}  // namespace

std::uint32_t FreeQueue::ReserveOf(AllocClass alloc_class) const {
  switch (alloc_class) {
    case AllocClass::kNormal:
      return thresholds_.free_reserved;
    case AllocClass::kSystem:
      return thresholds_.interrupt_free_min;
    case AllocClass::kInterrupt:
      return 0;
  }
  return 0;
}

FreeQueue::FreeQueue(const Thresholds& thresholds, const locking::Relaxed<std::uint32_t>& cached,
                     locking::SleepQueue& sleep_queue, std::span<Page> pages,
                     std::uint32_t reservation_pages, Counters& counters)
    : thresholds_(thresholds),
      cached_(cached),
      sleep_queue_(sleep_queue),
      lock_(kFreeQueueLock),
      frames_(pages, reservation_pages, counters) {}

void FreeQueue::Fill(std::span<Page> pages) {
  for (Page& page : pages) {
    page.identity = PageIdentity::kFree;
    frames_.PutLast(page);
  }
}

FreeQueue::Taken FreeQueue::TryTake(AllocClass alloc_class, bool prefer_zeroed, std::uint64_t color,
                                    const ReservationPlace& place) {
  if (place.object != nullptr) {
    if (Page* page = TakeReserved(alloc_class, place)) return {Verdict::kTaken, page};
  }
  const bool batched = thresholds_.batch_pages > 1 && alloc_class == AllocClass::kNormal &&
                       (!prefer_zeroed || zeroed_count() == 0);
  if (batched) {
    Page* page = TakeFromBatch();
    if (page == nullptr && PlentyForBatches()) {
      FillBatch(color);
      page = TakeFromBatch();
    }
    if (page != nullptr) return {Verdict::kTaken, page};
  }
  locking::SpinGuard guard(lock_);
  return TakeLocked(alloc_class, prefer_zeroed, color);
}

Page* FreeQueue::TakeReserved(AllocClass alloc_class, const ReservationPlace& place) {
  locking::SpinGuard guard(lock_);
  if (!MayTake(alloc_class)) return nullptr;
  Page* page = frames_.TakeReserved(place);
  RequireReserve(alloc_class);
  return page;
}

Page* FreeQueue::TakeFromBatch() {
  PageBatch& batch = batches_[OwnBatch()];
  locking::SpinGuard guard(batch.lock);
  if (batch.pages.empty()) return nullptr;
  Page& page = batch.pages.front();
  batch.pages.pop_front();
  batch.upcoming = batch.pages.empty() ? nullptr : &batch.pages.front();
  page.queue = PageQueue::kNone;
  return &page;
}

void FreeQueue::GatherBatch(std::uint64_t color, PageList* pages) {
  std::uint32_t in_vain = 0;  // colours in a row
  while (pages->size() < thresholds_.batch_pages && listed_count() > thresholds_.batch_floor &&
         in_vain < kColors) {
    Page* page = frames_.TakePlain(ColorOf(color++));
    if (page == nullptr) {
      ++in_vain;
      continue;
    }
    in_vain = 0;
    page->queue = PageQueue::kFreeBatch;
    pages->push_back(*page);
  }
}

void FreeQueue::FillBatch(std::uint64_t color) {
  PageList pages;
  {
    locking::SpinGuard guard(lock_);
    GatherBatch(color, &pages);
  }
  PageBatch& batch = batches_[OwnBatch()];
  locking::SpinGuard guard(batch.lock);
  batch.pages.splice(batch.pages.end(), pages);
}

void FreeQueue::DrainBatches() {
  if (thresholds_.batch_pages == 1) return;
  PageList pages;
  for (PageBatch& batch : batches_) {
    locking::SpinGuard guard(batch.lock);
    pages.splice(pages.end(), batch.pages);
  }
  PutAll(pages);
}

bool FreeQueue::MayTake(AllocClass alloc_class) const {
  const std::uint32_t free = free_count();
  const bool dig = (alloc_class == AllocClass::kSystem && cached() == 0 &&
                    free > thresholds_.interrupt_free_min) ||
                   (alloc_class == AllocClass::kInterrupt && free > 0);
  return Plenty() || dig;
}

void FreeQueue::RequireReserve(AllocClass alloc_class) const {
  Require(free_count() >= ReserveOf(alloc_class), "INV-26",
          "a page is taken from what is kept for others");
}

FreeQueue::Taken FreeQueue::TakeLocked(AllocClass alloc_class, bool prefer_zeroed,
                                       std::uint64_t color) {
  if (!MayTake(alloc_class))
    return {alloc_class == AllocClass::kInterrupt ? Verdict::kGiveUp : Verdict::kReclaimCache,
            nullptr};
  // Digging takes from the head, as if no zeroed page had been asked for.
  Page& page = frames_.Take(color, Plenty() && prefer_zeroed);
  RequireReserve(alloc_class);
  return {Verdict::kTaken, &page};
}

FreeQueue::RunTaken FreeQueue::TryTakeRun(std::span<Page> run) {
  locking::SpinGuard guard(lock_);
  const auto missing = std::find_if(run.begin(), run.end(), [](const Page& page) {
    return page.queue != PageQueue::kFree && page.queue != PageQueue::kReserved;
  });
  if (missing != run.end())
    return {.pages = static_cast<std::uint32_t>(missing - run.begin()), .shortage = false};
  const auto count = static_cast<std::uint32_t>(run.size());
  if (free_count() < thresholds_.free_reserved + count) return {.pages = count, .shortage = true};
  for (Page& page : run) {
    frames_.TakeThis(page);
    ChangeIdentity(page, PageIdentity::kContiguous);
  }
  Require(free_count() >= ReserveOf(AllocClass::kNormal), "INV-26",
          "a run is taken from what is kept for others");
  return {.pages = count, .shortage = false};
}

void FreeQueue::NoteDeficit() {
  locking::SpinGuard guard(lock_);
  ++deficit_;
}

std::uint32_t FreeQueue::TakeDeficit() {
  locking::SpinGuard guard(lock_);
  const std::uint32_t deficit = deficit_;
  deficit_ = 0;
  return deficit;
}

void FreeQueue::PutLocked(Page& page) {
  Require(page.queue == PageQueue::kNone, "INV-10", "a page is freed that is free or on a queue");
  if (page.hold_count != 0) {
    page.zeroed = false;
    page.queue = PageQueue::kHold;
    ChangeIdentity(page, PageIdentity::kHeld);
    held_.push_back(page);
    Add(held_count_, 1);
    return;
  }
  // One that was taken and not used is free still.
  if (page.identity != PageIdentity::kFree) ChangeIdentity(page, PageIdentity::kFree);
  frames_.Put(page);
}

bool FreeQueue::FitsBatch(const Page& page) const {
  return PlentyForBatches() && page.hold_count == 0 && !page.zeroed && !frames_.MayBeReserved(page);
}

FreeQueue::Wakeups FreeQueue::DueWakeups() {
  Wakeups due;
  if (daemon_waits_ && free_count() + cached() >= thresholds_.pageout_free_min) {
    daemon_waits_ = false;
    due.daemon = true;
  }
  if (daemon_needed_ && !BelowMin()) {
    daemon_needed_ = false;
    due.waiters = true;
  }
  due.zeroing = zeroing_ == Zeroing::kWaiting && WorthZeroing();
  return due;
}

void FreeQueue::Wake(const Wakeups& wakeups) {
  if (wakeups.daemon) sleep_queue_.WakeAll(&daemon_pages_channel_);
  if (wakeups.zeroing) sleep_queue_.WakeAll(&zeroing_channel_);
  if (!wakeups.waiters) return;
  sleep_queue_.WakeAll(&system_channel_);
  sleep_queue_.WakeAll(&fault_channel_);
}

void FreeQueue::Put(Page& page) {
  if (FitsBatch(page)) {
    PutInBatch(page);
    return;
  }
  Wakeups due;
  {
    locking::SpinGuard guard(lock_);
    PutLocked(page);
    due = DueWakeups();
  }
  Wake(due);
}

void FreeQueue::PutInBatch(Page& page) {
  PageList pages;
  {
    PageBatch& batch = batches_[OwnBatch()];
    locking::SpinGuard guard(batch.lock);
    Require(page.queue == PageQueue::kNone, "INV-10", "a page is freed that is free or on a queue");
    page.queue = PageQueue::kFreeBatch;
    ChangeIdentity(page, PageIdentity::kFree);
    batch.pages.push_front(page);
    if (batch.pages.size() < std::size_t{2} * thresholds_.batch_pages) return;
    for (std::uint32_t i = 0; i < thresholds_.batch_pages; ++i)
      pages.splice(pages.begin(), batch.pages, std::prev(batch.pages.end()));
  }
  PutAll(pages);
}

void FreeQueue::PutAll(PageList& pages) {
  Wakeups due;
  {
    locking::SpinGuard guard(lock_);
    // The first of them is the next to be handed out.
    while (!pages.empty()) {
      Page& page = pages.back();
      pages.pop_back();
      frames_.Put(page);
    }
    due = DueWakeups();
  }
  Wake(due);
}

void FreeQueue::PutUnheld(Page& page) {
  Wakeups due;
  {
    locking::SpinGuard guard(lock_);
    Require(page.queue == PageQueue::kHold && page.hold_count == 0, "INV-30",
            "a page leaves the hold list that is not on it");
    held_.erase(held_.iterator_to(page));
    Add(held_count_, -1);
    page.queue = PageQueue::kNone;
    PutLocked(page);
    due = DueWakeups();
  }
  Wake(due);
}

void FreeQueue::NoteCached() {
  Wakeups due;
  {
    locking::SpinGuard guard(lock_);
    due = DueWakeups();
  }
  Wake(due);
}

void FreeQueue::BreakReservations(Object& object) {
  if (!reserves()) return;
  locking::SpinGuard guard(lock_);
  frames_.BreakAll(object);
}

void FreeQueue::RenameReservation(const Page& page, const Object& from, Object& to,
                                  Pindex distance) LOCKING_NO_ANALYSIS {
  if (!frames_.MayBeReservedFor(page, from)) return;
  locking::SpinGuard guard(lock_);
  frames_.Rename(page, from, to, distance);
}

void FreeQueue::WakeDaemon() {
  {
    locking::SpinGuard guard(lock_);
    if (daemon_needed_) return;
    daemon_needed_ = true;
  }
  sleep_queue_.WakeAll(&daemon_work_channel_);
}

Result FreeQueue::WaitForPages(Waiter waiter, const char* message) {
  locking::SpinGuard guard(lock_);
  const bool enough = waiter == Waiter::kDaemon
                          ? free_count() + cached() >= thresholds_.pageout_free_min
                          : !BelowMin();
  if (enough) return Result::kOk;
  if (stopped_) return Result::kOutOfMemory;
  const locking::Resource resource{
      .resource_class = &kFreePages, .message = message, .identity = this};
  if (waiter == Waiter::kDaemon) {
    daemon_waits_ = true;
    sleep_queue_.SleepKeep(&daemon_pages_channel_, lock_, resource).AndRetry();
    return Result::kOk;
  }
  const bool wake_daemon = !daemon_needed_;
  daemon_needed_ = true;
  if (wake_daemon) {
    // Waking takes no VM lock, so it may be done under the spin lock that is the interlock.
    sleep_queue_.WakeAll(&daemon_work_channel_);
  }
  const std::uint32_t decisions = out_of_memory_count_;
  const void* channel = waiter == Waiter::kSystem ? &system_channel_ : &fault_channel_;
  sleep_queue_.SleepKeep(channel, lock_, resource).AndRetry();
  const bool gave_up = stopped_ || out_of_memory_count_ != decisions;
  return gave_up && BelowMin() ? Result::kOutOfMemory : Result::kOk;
}

bool FreeQueue::DeclareOutOfMemory() {
  {
    locking::SpinGuard guard(lock_);
    if (!BelowMin()) return false;
    ++out_of_memory_count_;
    daemon_needed_ = false;
  }
  Wake({.waiters = true});
  return true;
}

bool FreeQueue::WaitForWork() {
  NoteCached();
  lock_.Lock();
  daemon_idle_ = true;
  if (paused_) sleep_queue_.WakeAll(&daemon_idle_channel_);
  while (!stopped_ && (paused_ || !daemon_needed_)) {
    sleep_queue_
        .SleepKeep(&daemon_work_channel_, lock_,
                   {.resource_class = &kPageDaemonWork, .message = "psleep", .may_idle = true})
        .AndRetry();
  }
  const bool stopped = stopped_;
  daemon_idle_ = false;
  lock_.Unlock();
  return !stopped;
}

void FreeQueue::Pause() {
  locking::SpinGuard guard(lock_);
  paused_ = true;
  while (!stopped_ && !daemon_idle_)
    sleep_queue_
        .SleepKeep(&daemon_idle_channel_, lock_,
                   {.resource_class = &kPageDaemonWork, .message = "pause"})
        .AndRetry();
}

void FreeQueue::Resume() {
  {
    locking::SpinGuard guard(lock_);
    paused_ = false;
  }
  sleep_queue_.WakeAll(&daemon_work_channel_);
}

bool FreeQueue::WorthZeroing() {
  if (zeroing_paused_ || free_count() <= thresholds_.free_target) return false;
  zeroed_enough_ =
      zeroed_count() >= (zeroed_enough_ ? ZeroedLow(listed_count()) : ZeroedHigh(listed_count()));
  return !zeroed_enough_;
}

Page* FreeQueue::NextToZero() {
  for (std::uint32_t n = 0; n < kColors; ++n)
    if (Page* page = frames_.TakePlain(ColorOf(zeroing_color_++))) return page;
  return nullptr;
}

Page* FreeQueue::TakeToZero() {
  locking::SpinGuard guard(lock_);
  for (;;) {
    Page* page = !zeroing_stops_ && WorthZeroing() ? NextToZero() : nullptr;
    if (page != nullptr || zeroing_stops_) {
      zeroing_ = page != nullptr ? Zeroing::kAtWork : Zeroing::kStopped;
      if (page == nullptr) sleep_queue_.WakeAll(&zeroing_idle_channel_);
      return page;
    }
    zeroing_ = Zeroing::kWaiting;
    sleep_queue_.WakeAll(&zeroing_idle_channel_);
    sleep_queue_
        .SleepKeep(&zeroing_channel_, lock_,
                   {.resource_class = &kPageZeroingWork, .message = "pgzero", .may_idle = true})
        .AndRetry();
  }
}

void FreeQueue::PutZeroed(Page& page) {
  Wakeups due;
  {
    locking::SpinGuard guard(lock_);
    page.zeroed = true;
    PutLocked(page);
    due = DueWakeups();
  }
  Wake(due);
}

void FreeQueue::StartZeroing() {
  locking::SpinGuard guard(lock_);
  zeroing_stops_ = false;
  zeroing_ = Zeroing::kWaiting;
}

void FreeQueue::StopZeroing() {
  {
    locking::SpinGuard guard(lock_);
    zeroing_stops_ = true;
  }
  sleep_queue_.WakeAll(&zeroing_channel_);
}

void FreeQueue::PauseZeroing() {
  locking::SpinGuard guard(lock_);
  zeroing_paused_ = true;
  while (zeroing_ == Zeroing::kAtWork)
    sleep_queue_
        .SleepKeep(&zeroing_idle_channel_, lock_,
                   {.resource_class = &kPageZeroingWork, .message = "pause"})
        .AndRetry();
}

void FreeQueue::ResumeZeroing() {
  {
    locking::SpinGuard guard(lock_);
    zeroing_paused_ = false;
  }
  sleep_queue_.WakeAll(&zeroing_channel_);
}

void FreeQueue::Start() {
  locking::SpinGuard guard(lock_);
  stopped_ = false;
}

void FreeQueue::Stop() {
  {
    locking::SpinGuard guard(lock_);
    stopped_ = true;
  }
  sleep_queue_.WakeAll(&daemon_work_channel_);
  sleep_queue_.WakeAll(&daemon_idle_channel_);
  Wake({.daemon = true, .waiters = true});
}

bool FreeQueue::stopped() {
  locking::SpinGuard guard(lock_);
  return stopped_;
}

}  // namespace vm
