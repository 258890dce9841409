#include "stress/run/native_run.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "locking/bounds.h"
#include "locking/evidence.h"
#include "locking/thread.h"
#include "locking/witness/order_check.h"
#include "stress/host/crash.h"
#include "stress/host/events.h"
#include "stress/host/machine.h"
#include "stress/report/progress.h"
#include "stress/run/lock_order.h"
#include "vm/check.h"

namespace stress {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kEvents = static_cast<std::size_t>(vm::Event::kCount);
constexpr std::uint64_t kTick = kSecond / 5;  // between two looks at detectors and progress
// How long a sweep waits for the workers to end their operation.
constexpr std::uint64_t kParkBound = 5 * kSecond;
// The watchdog reports a hang before that.
constexpr std::uint64_t kEndBound = 3 * locking::kStallNs;

std::uint64_t ParkBound() { return kParkBound * locking::kSanitizerFactor; }

// What every thread does, for the report of a run that does not end.
class EvidenceCollector : public locking::ThreadVisitor {
 public:
  void Visit(locking::ThreadState& thread) override {
    evidence.push_back(locking::EvidenceOf(thread));
  }
  std::vector<locking::ThreadEvidence> evidence;
};

// What the book says of two locks of one class matters where they fail a run.
locking::WitnessOptions WitnessOptionsOf(const RunPlan& plan) {
  if (plan.witness != WitnessMode::kStrict) return {};
  return {.same_class_order = locking::SameClassRule(ApprovedOrder())};
}

}  // namespace

const char* RunVerdictName(RunVerdict verdict) {
  switch (verdict) {
    case RunVerdict::kClean:
      return "clean";
    case RunVerdict::kFailed:
      return "failed";
    case RunVerdict::kInterrupted:
      break;
  }
  return "interrupted";
}

ExitCode ExitCodeOf(RunVerdict verdict) {
  switch (verdict) {
    case RunVerdict::kClean:
      return kExitClean;
    case RunVerdict::kFailed:
      return kExitFailed;
    case RunVerdict::kInterrupted:
      break;
  }
  return kExitInterrupted;
}

NativeRun::NativeRun(const RunPlan& plan, Hooks hooks)
    : plan_(plan),
      hooks_(std::move(hooks)),
      store_(OpenStore(plan, plan.seed)),
      findings_(plan.witness,
                {.replay = plan.replay,
                 .log_tail =
                     [this](const std::string& thread) {
                       return crew_ == nullptr ? std::vector<std::string>()
                                               : crew_->LogTail(thread);
                     },
                 .at_failure = HostEvents::Notify,
                 .at_fatal = [this] { hooks_.write_result(Collect(RunVerdict::kFailed)); }}),
      safe_point_(plan.threads) {
  if (plan.witness != WitnessMode::kOff)
    witness_ = std::make_unique<locking::LockOrderWitness>(WitnessOptionsOf(plan));
  if (plan.limits.hold_ns != 0 || plan.limits.wait_ns != 0)
    limits_ = std::make_unique<locking::Limits>(plan.limits);
  PrepareForCrash();
}

NativeRun::~NativeRun() {
  // Everything below was made to be torn down in this order, without anybody watching.
  locking::SetRunContext({});
}

RunResult NativeRun::Run() {
  HostEvents::Install();
  locking::RunContext context;
  context.sink = &findings_;
  context.statistics = true;
  context.witness = witness_.get();
  context.limits = limits_.get();
  context.id = locking::NextRunId();
  locking::ResetStatistics();
  locking::SetRunContext(context);
  watchdog_ = std::make_unique<locking::Watchdog>(
      locking::WatchdogOptions{.run_id = context.id, .sink = &findings_, .limits = limits_.get()});
  system_ = std::make_unique<vm::System>(plan_.machine, std::move(store_.store));
  system_->Start();
  world_ = std::make_unique<World>(*system_, plan_.world);
  const CrewConfig crew{plan_.threads, plan_.seed, plan_.operations,
                        plan_.pin ? AllowedCores() : std::vector<std::uint32_t>()};
  crew_ = std::make_unique<Crew>(*world_, plan_.scenario.workers, crew, &safe_point_,
                                 HostEvents::Notify);
  started_ns_ = locking::Clock::NowNs();
  crew_->Start();
  // The watchdog judges whether the threads of the run can go on by themselves: this one, which
  // controls them, is none of them.
  context.id = 0;
  context.limits = nullptr;
  locking::SetRunContext(context);
  Control();
  EndWorkers();
  watchdog_->Stop();
  CheckLeftovers();
  PollDetectors();
  RunResult result = Collect(findings_.failed() ? RunVerdict::kFailed
                             : interrupted_     ? RunVerdict::kInterrupted
                                                : RunVerdict::kClean);
  crew_.reset();
  world_.reset();
  system_.reset();
  return result;
}

locking::OrderSnapshot NativeRun::ObservedOrder() const {
  if (witness_ == nullptr) return {};
  return witness_->Snapshot(locking::LockOrderWitness::Stacks::kFirstSample);
}

bool NativeRun::ShouldStop(std::uint64_t now_ns) const {
  if (interrupted_ || safe_point_.active() == 0) return true;
  if (findings_.must_end() && !plan_.keep_going) return true;
  return plan_.duration_ns != 0 && now_ns - started_ns_ >= plan_.duration_ns;
}

void NativeRun::Control() {
  ProgressLine progress(plan_.progress);
  CounterTable table;
  std::uint64_t last_sweep_ns = started_ns_;
  for (;;) {
    interrupted_ = HostEvents::interrupted();
    PollDetectors();
    const std::uint64_t now = locking::Clock::NowNs();
    if (ShouldStop(now)) break;
    PrepareForCrash();
    if (plan_.sweep_interval_ns != 0 && now - last_sweep_ns >= plan_.sweep_interval_ns) {
      Sweep();
      last_sweep_ns = locking::Clock::NowNs();
      continue;
    }
    progress.Show(now - started_ns_, crew_->operations(),
                  system_->counters().Get(vm::Event::kFault), system_->free_queue().free_count(),
                  findings_.failures());
    const std::uint64_t elapsed = now - started_ns_;
    std::uint64_t next = elapsed + kTick;
    if (plan_.counters) {
      if (elapsed >= table.due_ns()) std::fputs(table.Next(elapsed, CountersNow()).c_str(), stderr);
      next = std::min(next, table.due_ns());
    }
    if (plan_.duration_ns != 0) next = std::min(next, plan_.duration_ns);
    HostEvents::Wait(next > elapsed ? next - elapsed : 1);
  }
}

void NativeRun::ReportAll(std::vector<locking::Finding> findings) {
  for (locking::Finding& finding : findings) findings_.Report(std::move(finding));
}

// All workers parked, then the daemon: nothing moves.
void NativeRun::Sweep() {
  if (!safe_point_.StopAll(locking::Clock::NowNs() + ParkBound())) {
    ++sweeps_missed_;
    std::fprintf(stderr, "sweep missed: some workers did not end their operation in time\n");
    return;
  }
  system_->Pause();
  ReportAll(vm::CheckSystem(*system_));
  CheckLockOrder();
  KeepMachine();
  ++sweeps_;
  system_->Resume();
  safe_point_.Resume();
}

void NativeRun::EndWorkers() {
  crew_->RequestStop();
  if (!safe_point_.WaitForEnd(locking::Clock::NowNs() + kEndBound)) {
    locking::Finding finding;
    finding.id = "INV-60";
    finding.title = "an operation does not end";
    EvidenceCollector collector;
    locking::VisitNativeThreads(collector);
    finding.threads = std::move(collector.evidence);
    findings_.ReportFatal(std::move(finding));
  }
  crew_->Join();
  ended_ns_ = locking::Clock::NowNs();
  locks_at_end_ = locking::CollectStatistics();
}

void NativeRun::CheckLeftovers() {
  system_->Stop();
  counters_at_end_ = CountersNow();
  ReportAll(vm::CheckSystem(*system_));
  KeepMachine();
  ++sweeps_;
  world_->ExitAll();
  ReportAll(vm::CheckSystem(*system_));
  ++sweeps_;
  ReportAll(vm::CheckNoLeaks(*system_));
  KeepMachine();
  CheckLockOrder();
}

void NativeRun::CheckLockOrder() {
  if (plan_.witness == WitnessMode::kStrict) ReportAll(UnapprovedOrders(*witness_));
}

void NativeRun::KeepMachine() {
  if (findings_.failed() && !machine_.has_value()) machine_ = vm::InspectMachine(*system_);
}

void NativeRun::PollDetectors() { ReportAll(races_.Take()); }

void NativeRun::PrepareForCrash() const {
  RunResult result = Collect(RunVerdict::kFailed);
  result.findings.push_back({BlankFinding(plan_.replay), 1, true});
  hooks_.prepare_for_crash(result);
}

// Pages of each kind, then events.
NamedCounts NativeRun::CountersNow() const {
  NamedCounts counts = {{"free", system_->free_queue().free_count()},
                        {"zeroed", system_->free_queue().zeroed_count()},
                        {"held", system_->free_queue().held_count()},
                        {"active", system_->queues().active_count()},
                        {"inactive", system_->queues().inactive_count()},
                        {"cache", system_->queues().cache_count()},
                        {"wired", system_->queues().wired_count()}};
  for (std::size_t i = 0; i < kEvents; ++i) {
    const auto event = static_cast<vm::Event>(i);
    counts.emplace_back(vm::EventName(event), system_->counters().Get(event));
  }
  return counts;
}

// The machine's size, and its pages of each kind.
NamedCounts NativeRun::MemoryOf(const NamedCounts& counters) const {
  NamedCounts memory = {{"pages", system_->config().pages},
                        {"page_size", system_->config().page_size},
                        {"swap_slots", system_->swap().slots()}};
  memory.insert(memory.end(), counters.begin(), counters.end() - kEvents);
  return memory;
}

RunResult NativeRun::Collect(RunVerdict verdict) const {
  RunResult result;
  result.verdict = verdict;
  result.findings = findings_.All();
  result.sweeps = sweeps_;
  result.sweeps_missed = sweeps_missed_;
  for (const vm::CheckedInvariant& invariant : vm::CheckedInvariants())
    result.invariants_checked.push_back(invariant.id);
  result.store_caching = store_.caching;
  result.peak_rss_bytes = PeakResidentBytes();
  result.machine = machine_;
  result.locks = ended_ns_ != 0 ? locks_at_end_ : locking::CollectStatistics();
  if (witness_ != nullptr && witness_->dropped() != 0)
    result.dropped = ObservedOrder().dropped_by_class;
  if (crew_ == nullptr) return result;
  const std::uint64_t end = ended_ns_ != 0 ? ended_ns_ : locking::Clock::NowNs();
  result.seconds = static_cast<double>(end - started_ns_) / static_cast<double>(kSecond);
  result.operations = crew_->operations_by_kind();
  result.loads_checked = crew_->loads_checked();
  result.stores = crew_->stores();
  result.refused = crew_->refused();
  result.counters = counters_at_end_.empty() ? CountersNow() : counters_at_end_;
  result.memory = MemoryOf(result.counters);
  return result;
}

}  // namespace stress
