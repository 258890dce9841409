#include "locking/witness/watchdog.h"

#include <algorithm>
#include <chrono>

#include "locking/evidence.h"
#include "locking/futex.h"
#include "locking/hash.h"

namespace locking {
namespace {

Finding AllThreads(const char* id, std::string title, std::span<ThreadState* const> threads) {
  Finding finding;
  finding.id = id;
  finding.title = std::move(title);
  for (const ThreadState* thread : threads) finding.threads.push_back(EvidenceOf(*thread));
  return finding;
}

}  // namespace

Watchdog::Watchdog(const WatchdogOptions& options)
    : options_(options), thread_([this] { Run(); }) {}

void Watchdog::Stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::Run() {
  std::uint64_t last_ns = MonotonicNs();
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_.wait_for(lock, std::chrono::nanoseconds(options_.period_ns),
                          [this] { return stop_; }))
      return;
    const std::uint64_t now_ns = MonotonicNs();
    // A process that was stopped for a while has not hung for that while.
    const std::uint64_t elapsed_ns = std::min(now_ns - last_ns, 2 * options_.period_ns);
    last_ns = now_ns;
    lock.unlock();
    Finding finding;
    std::vector<Finding> overdue;
    const bool ends = Look(elapsed_ns, &finding, &overdue);
    scans_.fetch_add(1, std::memory_order_relaxed);
    FindingSink& sink = options_.sink != nullptr ? *options_.sink : DefaultFindingSink();
    for (Finding& late : overdue) sink.Report(std::move(late));
    if (ends) {
      if (finding.signature.empty()) finding.signature = finding.id + ": " + finding.title;
      sink.ReportFatal(std::move(finding));
    }
    lock.lock();
  }
}

bool Watchdog::Look(std::uint64_t elapsed_ns, Finding* finding, std::vector<Finding>* overdue) {
  bool ends = false;
  InspectNativeThreads([&](std::span<ThreadState* const> all) {
    std::vector<ThreadState*> threads;
    for (ThreadState* thread : all)
      if (thread->run_id.load(std::memory_order_relaxed) == options_.run_id)
        threads.push_back(thread);
    if (options_.limits != nullptr) *overdue = options_.limits->Overdue(threads);
    ends = LookAt(threads, elapsed_ns, finding);
  });
  return ends;
}

bool Watchdog::LookAt(std::span<ThreadState* const> threads, std::uint64_t elapsed_ns,
                      Finding* finding) {
  const std::vector<WaitView> waits = ViewWaits(threads);
  std::vector<ThreadState*> cycle;
  Waits in_cycle;
  for (std::uint32_t i : FindWaitCycle(waits)) {
    cycle.push_back(threads[i]);
    in_cycle.emplace_back(threads[i]->id, waits[i].sequence);
  }
  if (SeenTwice(&deadlock_, std::move(in_cycle))) {
    *finding = DeadlockFinding(cycle);
    return true;
  }
  Waits asleep;
  if (cycle.empty() && NobodyCanWake(waits))
    for (const WaitView& wait : waits) asleep.emplace_back(wait.thread->id, wait.sequence);
  if (SeenTwice(&sleepers_, std::move(asleep))) {
    *finding =
        AllThreads("LK10", "lost wakeup: every thread sleeps and nobody can wake one", threads);
    return true;
  }
  if (!Stalled(waits, elapsed_ns)) return false;
  *finding = AllThreads(
      "HANG", "no operation ended for " + std::to_string(stalled_ns_ / 1'000'000) + " ms", threads);
  finding->signature = "HANG";
  return true;
}

bool Watchdog::SeenTwice(Waits* former, Waits now) {
  const bool twice = !now.empty() && now == *former;
  *former = std::move(now);
  return twice;
}

// Every thread waits for good, and for something that only one of them could end. A thread that was
// woken, or whose lock is free by now, has only to be run; so has one that was only just spawned.
bool Watchdog::NobodyCanWake(const std::vector<WaitView>& waits) const {
  if (StartingThreads().load(std::memory_order_acquire) != 0) return false;
  bool somebody_works = false;
  for (const WaitView& wait : waits) {
    if (!wait.waits || wait.has_deadline || wait.woken || wait.holder == kMany) return false;
    const bool is_event = !wait.for_lock && wait.holder == kNobody;
    const auto holds = [&](const WaitView& other) { return WaitsFor(wait, other); };
    if (!is_event && std::none_of(waits.begin(), waits.end(), holds)) return false;
    somebody_works = somebody_works || !wait.may_idle;
  }
  return somebody_works;
}

bool Watchdog::Stalled(const std::vector<WaitView>& waits, std::uint64_t elapsed_ns) {
  std::uint64_t progress = 0;
  bool under_way = false;
  for (const WaitView& wait : waits) {
    const ThreadState& thread = *wait.thread;
    progress = HashCombine(progress, thread.id);
    progress = HashCombine(progress, thread.operations_ended.load(std::memory_order_relaxed));
    if (!(wait.waits && wait.may_idle) &&
        thread.operation.load(std::memory_order_relaxed) != nullptr)
      under_way = true;
  }
  stalled_ns_ = progress == progress_ && under_way ? stalled_ns_ + elapsed_ns : 0;
  progress_ = progress;
  return stalled_ns_ >= options_.stall_ns;
}

}  // namespace locking
