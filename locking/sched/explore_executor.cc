// What ExploreExecutor does for its threads in their own name: start, body, end, failure.
#include "locking/sched/explore_executor.h"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <typeinfo>
#include <utility>

#include "locking/evidence.h"
#include "locking/interrupt_state.h"
#include "locking/sched/context.h"
#include "locking/sched/sanitizer_fibres.h"
#include "locking/sched/stuck.h"
#include "locking/stack.h"
#include "locking/witness.h"

namespace locking {
namespace {

std::terminate_handler g_former_handler = nullptr;

// An exception that meets a noexcept function on a fibre ends the execution, not the process.
[[noreturn]] void OnTerminate() {
  if (t_word.self != nullptr)
    if (auto* executor = dynamic_cast<ExploreExecutor*>(t_word.self->executor))
      executor->TerminateFibre();
  if (g_former_handler != nullptr) g_former_handler();
  std::abort();
}

void InstallTerminateHandler() {
  [[maybe_unused]] static const bool installed = [] {
    g_former_handler = std::set_terminate(&OnTerminate);
    return true;
  }();
}

// "std::runtime_error: no such page", of the exception that is being handled.
std::string DescribeException() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "std::terminate was called";
  int status = 0;
  char* readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string text = readable != nullptr ? readable : type->name();
  std::free(readable);
  try {
    throw;
  } catch (const std::exception& exception) {
    text += std::string(": ") + exception.what();
  } catch (...) {
  }
  return text;
}

}  // namespace

ExploreExecutor::ExploreExecutor() : announces_(sanitizer::Tsan() || sanitizer::Asan()) {
  InstallTerminateHandler();
  SanitizerReportCount();  // has the linker take our callback instead of the runtime's own
}

ExploreExecutor::~ExploreExecutor() {
  DismissFibres();
  for (std::uint32_t i = 0; i < fibres_.size(); ++i) delete fibres_[i];
  for (std::uint32_t n = 0; n < lines_.size(); ++n) delete lines_[n];
}

bool ExploreExecutor::Run(const std::function<void()>& body, Strategy& strategy,
                          const Execution& execution) {
  Self();  // the OS thread has a descriptor to come back to
  failed_ = false;
  abandoned_.store(false, std::memory_order_relaxed);
  wants_evidence_.store(execution.wants_evidence, std::memory_order_relaxed);
  main_body_ = &body;
  BeginExecution(strategy, execution);
  Fibre& main = TakeFibre(0);
  ResetThread(main, "main", execution.run);
  StartFibre(main);
  RunFibres(main);
  return !failed_;
}

Fibre* ExploreExecutor::NewFibre(std::uint32_t id) {
  const bool sanitized = sanitizer::Tsan() || sanitizer::Asan();
  return new Fibre(this, id, sanitized ? kSanitizerStackBytes : kStackBytes);
}

void ExploreExecutor::ResetThread(Fibre& fibre, std::string name, const RunContext& run) {
  ThreadState& thread = fibre.thread;
  if (thread.name != name) {
    thread.name = std::move(name);
    if (sanitizer::Tsan()) __tsan_set_fiber_name(fibre.tsan_fibre, thread.name.c_str());
  }
  thread.run = run;
  thread.run_id.store(run.id, std::memory_order_relaxed);
  thread.held.Clear();
  thread.waiting.sequence.store(0, std::memory_order_relaxed);
  thread.operation.store(nullptr, std::memory_order_relaxed);
  thread.operations_ended.store(0, std::memory_order_relaxed);
  thread.chains = nullptr;
  thread.interrupts = nullptr;
}

ThreadState* ExploreExecutor::Spawn(std::string name, std::function<void()> body, Site site) {
  UnwindIfAbandoned();
  ThreadState& parent = Self();
  Fibre& child = TakeFibre(parent.id);
  ResetThread(child, std::move(name), parent.run);
  if (abandoned()) return &child.thread;  // in a destructor: a thread that has ended already
  child.body = std::move(body);
  StartFibre(child);
  sanitizer::Release(&child.start_edge);
  AtPoint(PointKind::kSpawn, nullptr, nullptr, site);
  return &child.thread;
}

void ExploreExecutor::RunBody(Fibre& self) {
  try {
    if (self.id == 1)
      (*main_body_)();
    else
      self.body();
  } catch (const ExecutionAbandoned&) {
  } catch (...) {
    DeclareException("");
  }
  DropBody(self);
  if (abandoned()) self.thread.held.Clear();
  if (Witness* witness = self.thread.run.witness; witness != nullptr)
    witness->AtThreadEnd(self.thread);
}

// What the body captured dies in the thread that ran it, as with OS threads.
void ExploreExecutor::DropBody(Fibre& self) { self.body = nullptr; }

void ExploreExecutor::DeclareFailure(Finding finding) {
  if (abandoned()) return;
  if (finding.signature.empty()) finding.signature = finding.id + ": " + finding.title;
  failure_ = std::move(finding);
  failed_ = true;
  GiveUp();
}

void ExploreExecutor::Fail(Finding finding) {
  DeclareFailure(std::move(finding));
  UnwindIfAbandoned();
  LeaveForGood(*static_cast<Fibre*>(Self().executor_data));
}

void ExploreExecutor::DeclareException(const char* what) {
  if (abandoned()) return;
  Finding finding;
  finding.id = "EXCEPTION";
  finding.title = Self().name + ": " + what + DescribeException();
  finding.signature = "EXCEPTION: " + (what + DescribeException());
  DeclareFailure(std::move(finding));
}

void ExploreExecutor::TerminateFibre() {
  DeclareException("out of a noexcept function: ");
  LeaveForGood(*static_cast<Fibre*>(Self().executor_data));
}

void ExploreExecutor::FailLivelock() {
  Finding finding;
  {
    sanitizer::IgnoreScope ignore;
    finding = ExplainLivelock(UnfinishedThreads(), max_steps_, wants_evidence());
  }
  Fail(std::move(finding));
}

void ExploreExecutor::DeclareStuck() {
  Finding finding;
  bool idle = false;
  {
    sanitizer::IgnoreScope ignore;
    const std::vector<UnfinishedThread> threads = UnfinishedThreads();
    idle = OnlyIdle(threads);
    if (!idle) finding = ExplainStuck(threads, wants_evidence());
  }
  if (idle)
    GiveUp();
  else
    DeclareFailure(std::move(finding));
}

namespace {

// A thread that was set aside before it could block has no wait record yet.
void RecordWait(Fibre& fibre) {
  WaitRecord& wait = fibre.thread.waiting;
  if (wait.sequence.load(std::memory_order_relaxed) % 2 != 0) return;
  const Point& next = fibre.next;
  wait.target.store(next.address, std::memory_order_relaxed);
  wait.target_class.store(next.lock_class, std::memory_order_relaxed);
  wait.mode.store(next.kind == PointKind::kLockShared ? LockMode::kShared : LockMode::kExclusive,
                  std::memory_order_relaxed);
  wait.message.store(PointKindName(next.kind), std::memory_order_relaxed);
  wait.site.store(next.site, std::memory_order_relaxed);
  if (next.kind == PointKind::kJoin) {
    wait.instance.store(0, std::memory_order_relaxed);
    wait.holder.store(&static_cast<const Fibre*>(next.address)->running_id,
                      std::memory_order_relaxed);
  } else {
    const auto* lock = static_cast<const LockBase*>(next.address);
    wait.instance.store(lock->instance(), std::memory_order_relaxed);
    wait.holder.store(&lock->owner(), std::memory_order_relaxed);
  }
  wait.sequence.store(1, std::memory_order_relaxed);
}

}  // namespace

std::vector<UnfinishedThread> ExploreExecutor::UnfinishedThreads() {
  std::vector<UnfinishedThread> threads;
  const ThreadState* self = &Self();
  for (std::uint32_t i = 0; i < used_; ++i) {
    Fibre& fibre = *fibres_[i];
    if (fibre.state == FibreState::kEnded) continue;
    if (fibre.state == FibreState::kBlocked) RecordWait(fibre);
    UnfinishedThread thread;
    thread.thread = &fibre.thread;
    thread.next = fibre.next;
    thread.sleeps = fibre.state == FibreState::kParked;
    if (wants_evidence() && &fibre.thread == self) {
      thread.stack = CurrentStack(1);
    } else if (wants_evidence() && fibre.next.kind != PointKind::kStart) {
      thread.stack = StackOf(reinterpret_cast<std::uintptr_t>(fibre.context.program_counter),
                             fibre.context.frame, fibre.stack.bottom(), fibre.stack.end());
    }
    threads.push_back(std::move(thread));
  }
  return threads;
}

}  // namespace locking
